// Writes a File into its table row, or into the head of its own page. css/controls.css shows buttons by data-status.
import { $, $$, keepFocus, setText } from './dom.js';
import { baseName, folderOf, size, writeTimes } from './format.js';

function statusText(file) {
  if (file.status === 'unlocked') return 'Available';
  if (file.status === 'checked_out_by_user') return 'Checked out by you';
  return file.locked_by ? `Checked out by ${file.locked_by}` : 'Checked out';
}

/**
 * @param {HTMLElement} scope the element with [data-file] @param {import('./api.js').File} file
 * @param {ReturnType<import('./api.js').vaultUrls>} urls
 */
export function fillRow(scope, file, urls) {
  keepFocus(scope, () => {
    scope.dataset.file = file.filename;
    scope.dataset.status = file.status;
    scope.dataset.holder = file.locked_by ?? '';
    setText(scope, 'name', baseName(file.filename));
    setText(scope, 'description', file.description ?? '');
    setText(scope, 'status', statusText(file));
    setText(scope, 'holder-name', file.locked_by_name ?? '');
    setText(scope, 'lock-note', file.lock_note ?? '');
    setText(scope, 'revision', String(file.revision));
    setText(scope, 'size', size(file.size));
    setText(scope, 'modified-by', file.modified_by);
    setText(scope, 'sha256', file.sha256);
    setTime(scope, 'modified-at', file.modified_at);
    setTime(scope, 'locked-at', file.locked_at);
    // Screen readers list buttons without their rows, so each label names the file.
    for (const control of $$('[data-label]', scope)) {
      control.ariaLabel = `${control.dataset.label} ${baseName(file.filename)}`;
    }
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

/** Shows the folder below the name, in lists that span folders. */
export function showFolder(scope, shown) {
  setText(scope, 'folder', shown ? folderOf(scope.dataset.file) : '');
}
