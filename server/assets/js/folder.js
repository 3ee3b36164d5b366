// The page of a folder: puts list, search, actions, adding and live events together.
import { wireActions } from './actions.js';
import { addFiles } from './add.js';
import { vaultUrls } from './api.js';
import { checkIn, chooseForCheckIn } from './checkin.js';
import { $, $$, calm } from './dom.js';
import { catchDrops } from './drop.js';
import { writeTimes } from './format.js';
import { Listing } from './listing.js';
import { follow } from './live.js';
import { apply } from './news.js';

const { vault, folder, me, since, maxSize } = $('#main').dataset;
const urls = vaultUrls(vault);
const list = new Listing({ urls, folder, vault });

/** @type {import('./actions.js').Place} */
const place = {
  urls, me, maxSize: Number(maxSize),
  changed(file, movedFrom) {
    if (movedFrom && movedFrom !== file.filename) list.remove(movedFrom);
    list.put(file);
  },
  removed: (filename) => list.remove(filename),
};
wireActions(place);
follow(vault, Number(since), (event) => (event.event === 'resync' ? void list.load() : apply(place, event)));

// -- adding, by button and by dropping
const add = 'mayAdd' in $('#main').dataset ? addFiles(place, folder) : null;
for (const button of $$('[data-action=add]')) button.addEventListener('click', () => add());

catchDrops({
  veil: $('#drop-veil'),
  wanted: () => Boolean(add) && !$('dialog[open]:not(#add-dialog, #check-in-dialog)'),
  take(found) {
    if (found.length === 0) return;
    if ($('#check-in-dialog[open]')) return chooseForCheckIn(found[0].file);
    // One file of a name that is checked out here to oneself: that is a check-in.
    const name = folder ? `${folder}/${found[0].path}` : found[0].path;
    const mine = found.length === 1 && list.find(name.normalize('NFC'))?.dataset.status === 'checked_out_by_user';
    if (!mine || $('#add-dialog[open]')) return add(found);
    checkIn(place, name.normalize('NFC'));
    return chooseForCheckIn(found[0].file);
  },
});

// -- search and filters; both stand in the address, so that a reload and a link show the same
const search = $('#search');
const filters = $$('#filters [data-show]');

function look() {
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

function choose(show) {
  for (const button of filters) button.ariaPressed = String(button.dataset.show === show);
}

const lookSoon = calm(160, look);
search.addEventListener('input', lookSoon);
$('#tools').addEventListener('submit', (event) => { event.preventDefault(); void look(); });
for (const button of filters) button.addEventListener('click', () => { choose(button.dataset.show); void look(); });
$('#show-all').addEventListener('click', () => { search.value = ''; choose('all'); search.focus(); void look(); });
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest?.('input, textarea, select, dialog');
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.select();
    search.focus();
  }
});

const asked = new URLSearchParams(location.search);
search.value = asked.get('q') ?? search.value;
if (filters.some((button) => button.dataset.show === asked.get('show'))) choose(asked.get('show'));
if (search.value.trim() || $('#filters [data-show=all]').ariaPressed !== 'true') void look();
else list.settle();
writeTimes();
