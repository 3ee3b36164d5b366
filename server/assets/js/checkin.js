// The check-in dialog: a file, a comment, a progress bar.
import { newKey } from './api.js';
import { isBusy, openDialog, showError } from './dialog.js';
import { $, put } from './dom.js';
import { leafOf, size } from './format.js';
import { unlessHeard } from './news.js';
import { notice } from './notice.js';
import { send, tooLarge } from './upload.js';

/** What is chosen for the file that the dialog is open for. A retry of the same goes under the same key. */
let chosen = { file: null, key: '' };
let upload = new AbortController();

/** @param {import('./actions.js').Place} place @param {string} name */
export function checkIn(place, name) {
  const input = $('#check-in-file');
  input.onchange = () => { if (input.files[0]) choose(input.files[0]); };
  return openDialog('check-in-dialog', {
    subject: name,
    prepare: () => choose(null),
    stop: () => upload.abort(),
    hint: (problem) => (problem.status === 409 || problem.status === 403 ? 'Close this and look who has it now. Your comment stays here until you leave the page.' : ''),
    submit: async (form) => {
      const { file, key } = chosen;
      if (!file) throw new Error('Choose the changed file first: drop it above, or use the button.');
      const refused = tooLarge(file, place.maxSize);
      if (refused) throw refused;
      const fields = { comment: form.elements.comment.value.trim(), keep_checked_out: String(form.elements.keep.checked) };
      const fresh = unlessHeard(name);
      const data = await withProgress((onProgress) => send({ method: 'POST', url: place.urls.file(name, 'checkin'), fields, file, key, onProgress, signal: upload.signal }));
      fresh(() => place.changed(data));
      notice(`${leafOf(name)} is checked in as revision ${data.revision}.`);
    },
  });
}

/** Takes a file that was dropped anywhere, while the dialog is open. */
export function chooseForCheckIn(file) {
  const dialog = document.getElementById('check-in-dialog');
  if (isBusy(dialog)) return;
  choose(file);
}

function choose(file) {
  const dialog = document.getElementById('check-in-dialog');
  const expected = leafOf(dialog.dataset.subject);
  chosen = { file, key: newKey() };
  showError(dialog, null);
  $('#check-in-file').value = '';
  $('[data-drop]', dialog).toggleAttribute('data-has', Boolean(file));
  put(dialog, 'chosen', file ? `${file.name}, ${size(file.size)}` : 'Drop the changed file here, or');
  if (file) $('[name=comment]', dialog).focus();
  const warning = $('#check-in-mismatch');
  warning.hidden = !file || file.name.normalize('NFC') === expected;
  warning.textContent = warning.hidden ? '' : `You chose ${file.name}, but this is ${expected}. If that is right, go on: it becomes the next revision of ${expected}.`;
}

async function withProgress(run) {
  const dialog = document.getElementById('check-in-dialog');
  const box = $('[data-progress]', dialog), bar = $('progress', box), close = $('footer [data-close]', dialog);
  upload = new AbortController();
  box.hidden = false;
  bar.value = 0;
  close.textContent = 'Stop the upload';
  try {
    return await run((sent, total) => {
      bar.value = total ? sent / total : 0;
      put(box, 'progress', sent < total ? `${size(sent)} of ${size(total)}` : 'Sent. Making it durable…');
    });
  } finally {
    box.hidden = true;
    close.textContent = 'Close';
  }
}
