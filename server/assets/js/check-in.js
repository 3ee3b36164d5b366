// The check-in dialog: a file, a comment and a progress bar.
import { newKey } from './api.js';
import { isBusy, openDialog, showError } from './dialog.js';
import { $, setText } from './dom.js';
import { baseName, size } from './format.js';
import { skipSeen } from './live-updates.js';
import { notice } from './notice.js';
import { send, tooLarge } from './upload.js';

/**
 * The chosen file and its Idempotency-Key. A retry of the same file uses the same key. `unchanged` is `accept` once the
 * user knows that the newest revision has the same content.
 */
let chosen = { file: null, key: '', unchanged: 'refuse' };
let upload = new AbortController();

const UNCHANGED = '/problems/unchanged';
const LOCK_LOST = 'Cancel and check who holds the lock now. Your comment is kept until you leave the page.';

/** @param {import('./actions.js').VaultView} view @param {string} name */
export function checkIn(view, name) {
  const input = $('#check-in-file');
  input.onchange = () => { if (input.files[0]) choose(input.files[0]); };
  return openDialog('check-in-dialog', {
    subject: name,
    prepare: () => choose(null),
    stop: () => upload.abort(),
    hint: (problem) => {
      if (problem.type === UNCHANGED) return askAboutUnchanged();
      return problem.status === 409 || problem.status === 403 ? LOCK_LOST : '';
    },
    submit: async (form) => {
      const { file, key, unchanged } = chosen;
      if (!file) throw new Error('Choose the changed file first.');
      const problem = tooLarge(file, view.maxSize);
      if (problem) throw problem;
      const { comment, keep } = form.elements;
      const fields = { comment: comment.value.trim(), keep_checked_out: String(keep.checked), unchanged };
      const ifCurrent = skipSeen(name);
      const request = { method: 'POST', url: view.urls.file(name, 'checkin'), fields, file, key };
      const data = await withProgress((onProgress) => send({ ...request, onProgress, signal: upload.signal }));
      ifCurrent(() => view.changed(data));
      notice(`${baseName(name)} is checked in as revision ${data.revision}.`);
    },
  });
}

/** Takes a file that was dropped anywhere on the page while the dialog is open. */
export function chooseForCheckIn(file) {
  const dialog = document.getElementById('check-in-dialog');
  if (isBusy(dialog)) return;
  choose(file);
}

function choose(file) {
  const dialog = document.getElementById('check-in-dialog');
  const expected = baseName(dialog.dataset.subject);
  chosen = { file, key: newKey(), unchanged: 'refuse' };
  $('[data-submit]', dialog).textContent = 'Check in';
  showError(dialog, null);
  $('#check-in-file').value = '';
  $('[data-drop]', dialog).toggleAttribute('data-has', Boolean(file));
  setText(dialog, 'chosen', file ? `${file.name}, ${size(file.size)}` : 'Drop the changed file here, or');
  if (file) $('[name=comment]', dialog).focus();
  const warning = $('#check-in-mismatch');
  const differs = file && file.name.normalize('NFC') !== expected;
  warning.hidden = !differs;
  warning.textContent = differs ? `You chose ${file.name}. It will become the next revision of ${expected}.` : '';
}

/** The next submission of the same file is a confirmation. @returns {string} what to do */
function askAboutUnchanged() {
  chosen = { ...chosen, key: newKey(), unchanged: 'accept' };
  $('#check-in-dialog [data-submit]').textContent = 'Check in anyway';
  return 'Is it the file that you changed? Choose another one, or check it in anyway.';
}

async function withProgress(run) {
  const dialog = document.getElementById('check-in-dialog');
  const box = $('[data-progress]', dialog), bar = $('progress', box), cancel = $('footer [data-close]', dialog);
  upload = new AbortController();
  box.hidden = false;
  bar.value = 0;
  cancel.textContent = 'Cancel upload';
  try {
    return await run((sent, total) => {
      bar.value = total ? sent / total : 0;
      setText(box, 'progress', sent < total ? `${size(sent)} of ${size(total)}` : 'Uploaded. Saving…');
    });
  } finally {
    box.hidden = true;
    cancel.textContent = 'Cancel';
  }
}
