// The page of a file: live events update its head in place, and a new revision reloads the history.
import { initActions } from './actions.js';
import { fetchPage, vaultUrls } from './api.js';
import { checkIn, chooseForCheckIn } from './check-in.js';
import { afterDialogsClose } from './dialog.js';
import { $, debounce, keepFocus } from './dom.js';
import { handleDrops } from './drag-drop.js';
import { subscribe } from './event-stream.js';
import { writeTimes } from './format.js';
import { applyEvent } from './live-updates.js';
import { errorLine } from './notice.js';
import { fillRow } from './row.js';

const { vault, me, since, maxSize } = $('#main').dataset;
const urls = vaultUrls(vault);
const head = $('#file');
const showError = errorLine('#list-error');
const revision = () => $('[data-field=revision]', head)?.textContent;

/** @type {import('./actions.js').VaultView} */
const view = {
  urls, me, maxSize: Number(maxSize),
  changed(file, movedFrom) {
    if (movedFrom === head.dataset.file && movedFrom !== file.filename) {
      return afterDialogsClose(() => location.replace(urls.filePage(file.filename)));
    }
    if (file.filename !== head.dataset.file) return undefined;
    // The page of a deleted file has no head to update.
    if (head.dataset.status === 'deleted') return afterDialogsClose(() => location.reload());
    const isNewRevision = revision() !== String(file.revision);
    fillRow(head, file, urls);
    if (isNewRevision) void load(urls.filePage(file.filename), 'replace');
    return undefined;
  },
  removed(filename) {
    if (filename === head.dataset.file) reload();
  },
};
const reload = debounce(300, () => afterDialogsClose(() => location.reload()));

initActions(view);
subscribe(vault, Number(since), (event) => {
  if (event.event === 'resync') return reload();
  applyEvent(view, event);
  // An override makes no revision, but the history shows it.
  if (event.action === 'override' && event.data.filename === head.dataset.file) void load(location.pathname, 'replace');
  return undefined;
});

handleDrops({
  overlay: null,
  accepts: () => head.dataset.status === 'checked_out_by_user' && !$('dialog[open]:not(#check-in-dialog)'),
  onDrop(files) {
    if (files.length === 0) return;
    if (!$('#check-in-dialog[open]')) checkIn(view, head.dataset.file);
    chooseForCheckIn(files[0].file);
  },
});

/** @param {'replace'|'append'} mode */
async function load(url, mode) {
  try {
    const fresh = await fetchPage(url);
    const rows = [...fresh.getElementById('rows').children].map((row) => document.adoptNode(row));
    const list = $('#rows');
    if (mode === 'replace') keepFocus(list, () => list.replaceChildren(...rows));
    else list.append(...rows);
    $('.more-row').replaceWith(document.adoptNode(fresh.querySelector('.more-row')));
    if (mode === 'append') rows[0]?.querySelector('a, button')?.focus();
    showError(null);
    writeTimes();
  } catch (problem) {
    showError(problem);
  }
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('#load-more');
  if (!link) return;
  event.preventDefault();
  void load(link.getAttribute('href'), 'append');
});
