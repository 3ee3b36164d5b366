// What was deleted: restoring it, and what others delete or restore meanwhile.
import { wireActions } from './actions.js';
import { vaultUrls } from './api.js';
import { onceClosed } from './dialog.js';
import { $, $$, calm } from './dom.js';
import { follow } from './live.js';
import { apply } from './news.js';

const { vault, me, since } = $('#main').dataset;
const list = $('#gone');

/** It is a file again, so it is not gone. */
function isBack(filename) {
  $$('li', list).find((item) => item.dataset.file === filename)?.remove();
  $('#none').hidden = list.children.length > 0;
}

const reload = calm(300, () => onceClosed(() => location.reload()));

/** @type {import('./actions.js').Place} */
const place = { urls: vaultUrls(vault), me, maxSize: 0, changed: (file) => isBack(file.filename), removed: reload };

wireActions(place);
follow(vault, Number(since), (event) => (event.event === 'resync' ? reload() : apply(place, event)));
