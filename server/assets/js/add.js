// The dialog that adds files: a list, each with its own progress and its own refusal.
import { newKey } from './api.js';
import { isBusy, setBusy } from './dialog.js';
import { $, $$, cloneOf, put } from './dom.js';
import { size } from './format.js';
import { notice } from './notice.js';
import { filesChosen } from './drop.js';
import { send, tooLarge } from './upload.js';

const AT_ONCE = 2;
const HINTS = { 409: 'To change a file that is there, check it out, then check it in.', 422: 'Rename it on your side, then choose it again.' };

/** @typedef {{file: globalThis.File, name: string, key: string, row: HTMLElement, state: 'waiting'|'sending'|'failed', stop: AbortController}} Upload */

/**
 * @param {import('./actions.js').Place} place @param {string} folder where they go
 * @returns {(found?: import('./drop.js').Found[]) => void} opens the dialog, with these
 */
export function addFiles(place, folder) {
  const dialog = document.getElementById('add-dialog');
  const form = $('form', dialog);
  /** @type {Set<Upload>} */
  const uploads = new Set();
  let added = 0;

  put(dialog, 'into', folder || 'the top of the vault');
  for (const input of $$('input[type=file]', dialog)) {
    input.addEventListener('change', () => { take(filesChosen(input)); input.value = ''; });
  }
  for (const button of $$('[data-close]', dialog)) button.addEventListener('click', () => (isBusy(dialog) ? stop() : dialog.close()));
  dialog.addEventListener('cancel', (event) => { if (isBusy(dialog)) event.preventDefault(); });
  dialog.addEventListener('close', stop);
  form.addEventListener('submit', (event) => { event.preventDefault(); void sendAll(); });

  function take(found) {
    for (const { file, path } of found) {
      const name = (folder ? `${folder}/${path}` : path).normalize('NFC');
      const same = [...uploads].find((upload) => upload.name === name);
      if (same?.state === 'sending') continue;
      if (same) drop(same);
      const upload = { file, name, key: newKey(), row: cloneOf('upload-template'), state: 'waiting', stop: new AbortController() };
      $('.upload-name', upload.row).textContent = path;
      const remove = $('[data-remove]', upload.row);
      remove.setAttribute('aria-label', `Leave out ${path}`);
      remove.addEventListener('click', () => { upload.stop.abort(); drop(upload); summarise(); $('#add-submit').focus(); });
      uploads.add(upload);
      $('#uploads').append(upload.row);
      show(upload, 'waiting', size(file.size));
    }
    summarise();
    if (uploads.size > 0) $('#add-submit').focus();
  }

  function drop(upload) {
    uploads.delete(upload);
    upload.row.remove();
  }

  function show(upload, state, text) {
    upload.state = state;
    upload.row.dataset.state = state;
    $('.upload-state', upload.row).textContent = text;
    $('progress', upload.row).hidden = state !== 'sending';
  }

  function summarise() {
    const failed = [...uploads].filter((upload) => upload.state === 'failed').length;
    const button = $('#add-submit');
    button.disabled = uploads.size === 0;
    button.textContent = uploads.size === 0 ? 'Add' : failed === uploads.size ? 'Try again' : `Add ${count(uploads.size)}`;
    $('#add-summary').textContent = [added && `${added} added`, failed && `${failed} not added`].filter(Boolean).join(', ');
    $('footer [data-close]', dialog).textContent = isBusy(dialog) ? 'Stop' : 'Close';
  }

  function stop() {
    for (const upload of uploads) upload.stop.abort();
  }

  async function sendAll() {
    if (isBusy(dialog) || uploads.size === 0) return;
    setBusy(dialog, true);
    for (const upload of uploads) { upload.stop = new AbortController(); show(upload, 'waiting', size(upload.file.size)); }
    summarise();
    const queue = [...uploads];
    const lane = async () => { for (let next = queue.shift(); next; next = queue.shift()) await sendOne(next); };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    setBusy(dialog, false);
    summarise();
    if (uploads.size > 0) return;
    notice(`${count(added)} added.`);
    added = 0;
    form.reset();
    dialog.close();
  }

  async function sendOne(upload) {
    if (!uploads.has(upload)) return;
    const comment = form.elements.comment.value.trim();
    try {
      const refused = tooLarge(upload.file, place.maxSize);
      if (refused) throw refused;
      show(upload, 'sending', 'Starting');
      const data = await send({
        method: 'PUT', url: place.urls.file(upload.name, 'content'), fields: comment ? { comment } : {}, file: upload.file, key: upload.key, signal: upload.stop.signal,
        onProgress: (sent, total) => {
          $('progress', upload.row).value = total ? sent / total : 1;
          show(upload, 'sending', sent < total ? `${size(sent)} of ${size(total)}` : 'Sent');
        },
      });
      added += 1;
      drop(upload);
      place.changed(data);
    } catch (problem) {
      const hint = HINTS[problem.status] ?? problem.advice;
      show(upload, 'failed', problem.name === 'AbortError' ? 'Stopped' : [problem.message, hint].filter(Boolean).join(' '));
    }
  }

  return (found = []) => {
    if (!isBusy(dialog) && uploads.size === 0) { added = 0; summarise(); }
    if (!dialog.open) dialog.showModal();
    if (found.length > 0) take(found);
  };
}

const count = (number) => (number === 1 ? '1 file' : `${number} files`);
