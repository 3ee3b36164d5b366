// The page of deleted files: restores them and follows what other users delete or restore.
import { initActions } from './actions.js';
import { vaultUrls } from './api.js';
import { afterDialogsClose } from './dialog.js';
import { $, $$, debounce } from './dom.js';
import { subscribe } from './event-stream.js';
import { applyEvent } from './live-updates.js';

const { vault, me, since } = $('#main').dataset;
const list = $('#deleted');

/** Removes a restored file from the list. */
function removeRestored(filename) {
  $$('li', list).find((item) => item.dataset.file === filename)?.remove();
  $('#none').hidden = list.children.length > 0;
}

const reload = debounce(300, () => afterDialogsClose(() => location.reload()));

/** @type {import('./actions.js').VaultView} */
const view = {
  urls: vaultUrls(vault), me, maxSize: 0,
  changed: (file) => removeRestored(file.filename),
  removed: reload,
};

initActions(view);
subscribe(vault, Number(since), (event) => (event.event === 'resync' ? reload() : applyEvent(view, event)));
