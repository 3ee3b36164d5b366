// The page of a folder: list, search, actions, adding files and live events.
import { initActions } from './actions.js';
import { initAddFiles } from './add-files.js';
import { vaultUrls } from './api.js';
import { checkIn, chooseForCheckIn } from './check-in.js';
import { $, $$, debounce } from './dom.js';
import { handleDrops } from './drag-drop.js';
import { subscribe } from './event-stream.js';
import { writeTimes } from './format.js';
import { Listing } from './listing.js';
import { applyEvent } from './live-updates.js';

const { vault, folder, me, since, maxSize, sort, order } = $('#main').dataset;
const urls = vaultUrls(vault);
const list = new Listing({ urls, folder, vault, sort, order });

/** @type {import('./actions.js').VaultView} */
const view = {
  urls, me, maxSize: Number(maxSize),
  changed(file, movedFrom) {
    if (movedFrom && movedFrom !== file.filename) list.remove(movedFrom);
    list.update(file);
  },
  removed: (filename) => list.remove(filename),
  holds: (filename) => list.find(filename)?.dataset.status === 'checked_out_by_user',
};
initActions(view);
subscribe(vault, Number(since), (event) => (event.event === 'resync' ? void list.load() : applyEvent(view, event)));

// -- adding files, by button and by drag and drop
const addFiles = 'mayAdd' in $('#main').dataset ? initAddFiles(view, folder) : null;
for (const button of $$('[data-action=add]')) button.addEventListener('click', () => addFiles());

handleDrops({
  overlay: $('#drop-overlay'),
  accepts: () => Boolean(addFiles) && !$('dialog[open]:not(#add-dialog, #check-in-dialog)'),
  onDrop(files) {
    if (files.length === 0) return;
    if ($('#check-in-dialog[open]')) return chooseForCheckIn(files[0].file);
    // A single file with the name of a file that the viewer has checked out is a check-in.
    const name = (folder ? `${folder}/${files[0].path}` : files[0].path).normalize('NFC');
    if (files.length > 1 || !view.holds(name) || $('#add-dialog[open]')) return addFiles(files);
    checkIn(view, name);
    return chooseForCheckIn(files[0].file);
  },
});

// -- search and filters; the URL holds both, so that a reload or a link shows the same list
const search = $('#search');
const filters = $$('#filters [data-show]');

function runSearch() {
  const query = search.value.trim();
  const show = filters.find((button) => button.ariaPressed === 'true').dataset.show;
  const url = new URL(location.href);
  for (const [name, value, usual] of [['q', query, ''], ['show', show, 'all']]) {
    if (value === usual) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  url.searchParams.delete('after');
  history.replaceState(null, '', url);
  return list.search(query, show);
}

function selectFilter(show) {
  for (const button of filters) button.ariaPressed = String(button.dataset.show === show);
}

search.addEventListener('input', debounce(160, runSearch));
$('#tools').addEventListener('submit', (event) => { event.preventDefault(); void runSearch(); });
for (const button of filters) {
  button.addEventListener('click', () => { selectFilter(button.dataset.show); void runSearch(); });
}
$('#show-all').addEventListener('click', () => {
  search.value = '';
  selectFilter('all');
  search.focus();
  void runSearch();
});
document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest?.('input, textarea, select, dialog');
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.select();
    search.focus();
  }
});

// The headers of the table sort it. The search stays.
for (const link of $$('a[data-sort]')) {
  link.addEventListener('click', (event) => {
    event.preventDefault();
    const url = new URL(location.href);
    for (const [name, value] of new URL(link.href).searchParams) url.searchParams.set(name, value);
    url.searchParams.delete('after');
    location.assign(url);
  });
}

const params = new URLSearchParams(location.search);
search.value = params.get('q') ?? search.value;
if (filters.some((button) => button.dataset.show === params.get('show'))) selectFilter(params.get('show'));
if (search.value.trim() || $('#filters [data-show=all]').ariaPressed !== 'true') void runSearch();
else list.updateState();
writeTimes();
