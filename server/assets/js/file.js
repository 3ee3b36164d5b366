// A file's page: the head is written in place, the history is fetched again when there is a new revision.
import { wireActions } from './actions.js';
import { page, vaultUrls } from './api.js';
import { checkIn, chooseForCheckIn } from './checkin.js';
import { onceClosed } from './dialog.js';
import { $, calm, keepFocus } from './dom.js';
import { catchDrops } from './drop.js';
import { writeTimes } from './format.js';
import { follow } from './live.js';
import { apply } from './news.js';
import { fill } from './row.js';

const { vault, me, since, maxSize } = $('#main').dataset;
const urls = vaultUrls(vault);
const head = $('#file');
const revision = () => $('[data-field=revision]', head)?.textContent;

/** @type {import('./actions.js').Place} */
const place = {
  urls, me, maxSize: Number(maxSize),
  changed(file, movedFrom) {
    if (movedFrom === head.dataset.file && movedFrom !== file.filename) return onceClosed(() => location.replace(urls.filePage(file.filename)));
    if (file.filename !== head.dataset.file) return undefined;
    // A file that was gone has no head to write into.
    if (head.dataset.status === 'deleted') return onceClosed(() => location.reload());
    const older = revision() !== String(file.revision);
    fill(head, file, urls);
    if (older) void load(urls.filePage(file.filename), 'replace');
    return undefined;
  },
  removed(filename) {
    if (filename === head.dataset.file) reload();
  },
};
const reload = calm(300, () => onceClosed(() => location.reload()));

wireActions(place);
follow(vault, Number(since), (event) => (event.event === 'resync' ? reload() : apply(place, event)));

catchDrops({
  veil: null,
  wanted: () => head.dataset.status === 'checked_out_by_user' && !$('dialog[open]:not(#check-in-dialog)'),
  take(found) {
    if (found.length === 0) return;
    if (!$('#check-in-dialog[open]')) checkIn(place, head.dataset.file);
    chooseForCheckIn(found[0].file);
  },
});

/** @param {'replace'|'append'} how */
async function load(url, how) {
  const line = $('#list-error');
  try {
    const other = await page(url);
    const rows = [...other.getElementById('rows').children].map((row) => document.adoptNode(row));
    const list = $('#rows');
    if (how === 'replace') keepFocus(list, () => list.replaceChildren(...rows));
    else list.append(...rows);
    $('.more-row').replaceWith(document.adoptNode(other.querySelector('.more-row')));
    if (how === 'append') rows[0]?.querySelector('a, button')?.focus();
    line.hidden = true;
    writeTimes();
  } catch (problem) {
    line.hidden = false;
    line.textContent = `${problem.message} ${problem.advice ?? ''}`;
  }
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('#load-more');
  if (!link) return;
  event.preventDefault();
  void load(link.getAttribute('href'), 'append');
});
