// The dialog that adds files: a list of uploads, each with its own progress and error.
import { call, newKey } from './api.js';
import { isBusy, setBusy } from './dialog.js';
import { $, $$, cloneTemplate, setText } from './dom.js';
import { filesFromInput } from './drag-drop.js';
import { size } from './format.js';
import { notice } from './notice.js';
import { send, tooLarge } from './upload.js';

const MAX_PARALLEL = 2;
const HINTS = {
  409: 'To change an existing file, check it out and then check it in.',
  422: 'Rename the file on your computer, then choose it again.',
};

/**
 * @typedef {{file: globalThis.File, name: string, key: string, row: HTMLElement, state: 'waiting'|'sending'|'failed',
 *   stop: AbortController, isCheckIn: boolean}} Upload `isCheckIn`: the file exists, and the user holds its lock
 */

/**
 * @param {import('./actions.js').VaultView} view @param {string} folder the target folder
 * @returns {(files?: import('./drag-drop.js').PickedFile[]) => void} opens the dialog with these files
 */
export function initAddFiles(view, folder) {
  const dialog = document.getElementById('add-dialog');
  const form = $('form', dialog);
  /** @type {Set<Upload>} */
  const uploads = new Set();
  let added = 0, checkedIn = 0;

  setText(dialog, 'into', folder || 'top level of the vault');
  for (const input of $$('input[type=file]', dialog)) {
    input.addEventListener('change', () => { addToList(filesFromInput(input)); input.value = ''; });
  }
  for (const button of $$('[data-close]', dialog)) {
    button.addEventListener('click', () => (isBusy(dialog) ? abortAll() : dialog.close()));
  }
  dialog.addEventListener('cancel', (event) => { if (isBusy(dialog)) event.preventDefault(); });
  dialog.addEventListener('close', abortAll);
  form.addEventListener('submit', (event) => { event.preventDefault(); void sendAll(); });

  function addToList(files) {
    for (const { file, path } of files) {
      const name = (folder ? `${folder}/${path}` : path).normalize('NFC');
      const same = [...uploads].find((upload) => upload.name === name);
      if (same?.state === 'sending') continue;
      if (same) removeUpload(same);
      const row = cloneTemplate('upload-template');
      const upload = { file, name, key: newKey(), row, state: 'waiting', stop: new AbortController(), isCheckIn: false };
      $('.upload-name', row).textContent = path;
      const remove = $('[data-remove]', row);
      remove.setAttribute('aria-label', `Remove ${path}`);
      remove.addEventListener('click', () => {
        upload.stop.abort();
        removeUpload(upload);
        updateSummary();
        $('#add-submit').focus();
      });
      uploads.add(upload);
      $('#uploads').append(row);
      showState(upload, 'waiting', size(file.size));
      if (view.holds(name)) offerCheckIn(upload);
    }
    updateSummary();
    if (uploads.size > 0) $('#add-submit').focus();
  }

  /** The file cannot be added, because it exists, but the user may check it in. */
  function offerCheckIn(upload) {
    const button = $('[data-check-in]', upload.row);
    showState(upload, 'failed', 'You have this file checked out.');
    button.hidden = false;
    button.setAttribute('aria-label', `Check in ${upload.name} instead`);
    button.onclick = () => {
      Object.assign(upload, { isCheckIn: true, key: newKey() });
      button.hidden = true;
      showState(upload, 'waiting', 'Becomes a new revision');
      updateSummary();
      $('#add-submit').focus();
    };
  }

  function removeUpload(upload) {
    uploads.delete(upload);
    upload.row.remove();
  }

  function showState(upload, state, text) {
    upload.state = state;
    upload.row.dataset.state = state;
    $('.upload-state', upload.row).textContent = text;
    $('progress', upload.row).hidden = state !== 'sending';
  }

  function updateSummary() {
    const failed = [...uploads].filter((upload) => upload.state === 'failed').length;
    const button = $('#add-submit');
    button.disabled = uploads.size === 0;
    if (uploads.size === 0) button.textContent = 'Add';
    else button.textContent = failed === uploads.size ? 'Try again' : toDo();
    const counts = [added && `${added} added`, checkedIn && `${checkedIn} checked in`, failed && `${failed} not added`];
    $('#add-summary').textContent = counts.filter(Boolean).join(', ');
    $('footer [data-close]', dialog).textContent = isBusy(dialog) ? 'Cancel upload' : 'Cancel';
  }

  function toDo() {
    const revisions = [...uploads].filter((upload) => upload.isCheckIn).length, fresh = uploads.size - revisions;
    if (revisions === 0) return `Add ${count(fresh)}`;
    return fresh === 0 ? `Check in ${count(revisions)}` : `Add ${count(fresh)}, check in ${count(revisions)}`;
  }

  function abortAll() {
    for (const upload of uploads) upload.stop.abort();
  }

  async function sendAll() {
    if (isBusy(dialog) || uploads.size === 0) return;
    setBusy(dialog, true);
    for (const upload of uploads) {
      upload.stop = new AbortController();
      showState(upload, 'waiting', size(upload.file.size));
    }
    updateSummary();
    const queue = [...uploads];
    const worker = async () => { for (let next = queue.shift(); next; next = queue.shift()) await sendOne(next); };
    await Promise.all(Array.from({ length: MAX_PARALLEL }, worker));
    setBusy(dialog, false);
    updateSummary();
    if (uploads.size > 0) return;
    const done = [added && `${count(added)} added`, checkedIn && `${count(checkedIn)} checked in`];
    notice(`${done.filter(Boolean).join(', ')}.`);
    [added, checkedIn] = [0, 0];
    form.reset();
    dialog.close();
  }

  async function sendOne(upload) {
    if (!uploads.has(upload)) return;
    const comment = form.elements.comment.value.trim();
    try {
      const problem = tooLarge(upload.file, view.maxSize);
      if (problem) throw problem;
      showState(upload, 'sending', 'Starting');
      const data = await send({
        ...requestFor(upload, comment), file: upload.file, key: upload.key, signal: upload.stop.signal,
        onProgress: (sent, total) => {
          $('progress', upload.row).value = total ? sent / total : 1;
          showState(upload, 'sending', sent < total ? `${size(sent)} of ${size(total)}` : 'Sent');
        },
      });
      if (upload.isCheckIn) checkedIn += 1;
      else added += 1;
      removeUpload(upload);
      view.changed(data);
    } catch (problem) {
      if (problem.status === 409 && !upload.isCheckIn && await isMine(upload)) return offerCheckIn(upload);
      const hint = HINTS[problem.status] ?? problem.advice;
      const text = problem.name === 'AbortError' ? 'Canceled' : [problem.message, hint].filter(Boolean).join(' ');
      showState(upload, 'failed', text);
    }
    return undefined;
  }

  function requestFor({ name, isCheckIn }, comment) {
    if (isCheckIn) return { method: 'POST', url: view.urls.file(name, 'checkin'), fields: { comment, unchanged: 'refuse' } };
    return { method: 'PUT', url: view.urls.file(name, 'content'), fields: comment ? { comment } : {} };
  }

  async function isMine({ name }) {
    try {
      return (await call('GET', view.urls.file(name))).data.status === 'checked_out_by_user';
    } catch {
      return false;
    }
  }

  return (files = []) => {
    if (!isBusy(dialog) && uploads.size === 0) { [added, checkedIn] = [0, 0]; updateSummary(); }
    if (!dialog.open) dialog.showModal();
    if (files.length > 0) addToList(files);
  };
}

const count = (number) => (number === 1 ? '1 file' : `${number} files`);
