// Writes a File into its row, or into the head of its page. Which buttons show follows from data-status (app.css).
import { $, $$, keepFocus, put } from './dom.js';
import { folderOf, leafOf, size, writeTimes } from './format.js';

function statusText(file) {
  if (file.status === 'unlocked') return 'Available';
  if (file.status === 'checked_out_by_user') return 'Checked out by you';
  return file.locked_by ? `Checked out by ${file.locked_by}` : 'Checked out';
}

/**
 * @param {HTMLElement} scope what has [data-file] @param {import('./api.js').File} file
 * @param {ReturnType<import('./api.js').vaultUrls>} urls
 */
export function fill(scope, file, urls) {
  keepFocus(scope, () => {
    scope.dataset.file = file.filename;
    scope.dataset.status = file.status;
    scope.dataset.holder = file.locked_by ?? '';
    put(scope, 'name', leafOf(file.filename));
    put(scope, 'description', file.description ?? '');
    put(scope, 'status', statusText(file));
    put(scope, 'lock-note', file.lock_note ?? '');
    put(scope, 'revision', String(file.revision));
    put(scope, 'size', size(file.size));
    put(scope, 'modified-by', file.modified_by);
    put(scope, 'sha256', file.sha256);
    setTime(scope, 'modified-at', file.modified_at);
    setTime(scope, 'locked-at', file.locked_at);
    // In a list of buttons, as a screen reader makes it, each says of which file it is.
    for (const control of $$('[data-says]', scope)) control.ariaLabel = `${control.dataset.says} ${leafOf(file.filename)}`;
    for (const link of $$('a.name, [data-action=history]', scope)) link.href = urls.filePage(file.filename);
    const download = $('.actions > [data-action=download]', scope);
    if (download) download.href = urls.file(file.filename, 'content');
  });
  writeTimes(scope);
}

function setTime(scope, name, at) {
  const time = $(`[data-field="${name}"]`, scope);
  if (!time) return;
  if (at) time.setAttribute('datetime', at);
  else time.removeAttribute('datetime');
  if (!at) time.textContent = '';
}

/** Shows the folder under the name, where a list goes across folders. */
export function showFolder(scope, shown) {
  put(scope, 'folder', shown ? folderOf(scope.dataset.file) : '');
}
