// Opens the dialogs of a page for one subject at a time. Keeps input until it is submitted and shows errors in place.
import { $, $$, focusFirst, isVisible, setText } from './dom.js';
import { fieldOf, markAllValid, markInvalid } from './field-error.js';
import { baseName } from './format.js';

/**
 * @typedef {{subject: string, submit: (form: HTMLFormElement) => Promise<void>,
 *   prepare?: (form: HTMLFormElement) => void, refreshUnchanged?: boolean, hint?: (problem: any) => string,
 *   stop?: () => void}} Task `prepare` fills a new form; with `refreshUnchanged` it also refills a form without user
 *   input. `hint` adds advice to an error. `stop` aborts a submission in progress.
 */

/** @type {WeakMap<HTMLDialogElement, Task>} */
const tasks = new WeakMap();
/** The state of each form right after `prepare`. @type {WeakMap<HTMLDialogElement, string>} */
const prepared = new WeakMap();
/** Where to return the focus. @type {WeakMap<HTMLDialogElement, (?Element)[]>} */
const focusTargets = new WeakMap();

/** @param {string} id @param {Task} task */
export function openDialog(id, task) {
  const dialog = document.getElementById(id);
  const form = $('form', dialog);
  if (!tasks.has(dialog)) addListeners(dialog, form);
  tasks.set(dialog, task);
  showError(dialog, null);
  // Opened again for the same subject, a dialog keeps earlier input.
  if (dialog.dataset.subject !== task.subject || (task.refreshUnchanged && prepared.get(dialog) === formState(form))) {
    form.reset();
    dialog.dataset.subject = task.subject;
    setText(dialog, 'name', baseName(task.subject));
    showChange(dialog, '');
    task.prepare?.(form);
    prepared.set(dialog, formState(form));
  }
  if (!dialog.open) {
    focusTargets.set(dialog, currentFocusTargets());
    dialog.showModal();
  }
  return dialog;
}

const formState = (form) => new URLSearchParams(new FormData(form)).toString();

/** Runs `action` once no dialog is open, so that leaving the page loses no input. */
export function afterDialogsClose(action) {
  const dialog = $('dialog[open]');
  if (!dialog) return action();
  dialog.addEventListener('close', () => setTimeout(afterDialogsClose, 0, action), { once: true });
  return undefined;
}

/** Candidates for the focus after closing, best first: the focused element, its row, then a neighbouring row. */
function currentFocusTargets() {
  const focused = document.activeElement;
  const row = focused.closest('tr, [data-file], li');
  return [focused, row, row?.nextElementSibling, row?.previousElementSibling, $('#main')];
}

/** Browsers do this too, but lose the focus if a row changed while the dialog was open. */
function restoreFocus(dialog) {
  const [focused, ...scopes] = focusTargets.get(dialog) ?? [];
  if (focused && isVisible(focused)) focused.focus();
  else scopes.some((scope) => scope?.isConnected && focusFirst(scope));
}

function addListeners(dialog, form) {
  for (const button of $$('[data-close]', dialog)) {
    button.addEventListener('click', () => (isBusy(dialog) ? tasks.get(dialog).stop?.() : dialog.close()));
  }
  dialog.addEventListener('cancel', (event) => { if (isBusy(dialog)) event.preventDefault(); });
  dialog.addEventListener('close', () => {
    if (isBusy(dialog)) tasks.get(dialog).stop?.();
    restoreFocus(dialog);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit(dialog, form);
  });
}

async function submit(dialog, form) {
  if (isBusy(dialog) || !isComplete(dialog, form)) return;
  const task = tasks.get(dialog);
  setBusy(dialog, true);
  showError(dialog, null);
  try {
    await task.submit(form);
    clearSubject(dialog);
    setBusy(dialog, false);
    dialog.close();
  } catch (problem) {
    setBusy(dialog, false);
    if (problem.name !== 'AbortError') showError(dialog, problem, task.hint?.(problem));
  }
}

/** Checks required fields. Shows the message on the page's error line instead of the browser's own bubble. */
export function isComplete(scope, form) {
  const missing = $$('input, textarea', form).find((field) => field.required && !field.value.trim());
  if (!missing) return true;
  showError(scope, new Error(missing.dataset.missing ?? 'Fill in this field.'));
  markInvalid(missing, $('[data-error]', scope));
  return false;
}

/** Makes the next opening start with an empty form. */
export const clearSubject = (dialog) => { delete dialog.dataset.subject; };

export const isBusy = (scope) => scope.getAttribute('aria-busy') === 'true';

export function setBusy(scope, busy) {
  scope.setAttribute('aria-busy', String(busy));
  const button = $('[data-submit]', scope);
  // Not `disabled`, because that would move the focus out of the dialog.
  if (button) button.setAttribute('aria-disabled', String(busy));
}

/** @param {?Error} problem null hides the message */
export function showError(scope, problem, hint = '') {
  const line = $('[data-error]', scope);
  line.hidden = !problem;
  line.textContent = problem ? [problem.message, hint || problem.advice].filter(Boolean).join(' ') : '';
  if (problem?.status === 401) {
    const link = document.createElement('a');
    Object.assign(link, { href: '/sign-in', target: '_blank', rel: 'noopener', textContent: 'Sign in' });
    line.append(' ', link);
  }
  const form = scope.matches('form') ? scope : $('form', scope); // a scope of buttons alone has none
  if (form) markAllValid(form);
  const field = form && problem && fieldOf(form, problem);
  if (field) markInvalid(field, line);
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

/** Shows in every dialog about `filename` what changed meanwhile. Input is kept. */
export function updateDialogs(filename, text) {
  for (const dialog of $$('dialog')) {
    if (dialog.dataset.subject === filename && !isBusy(dialog)) showChange(dialog, text);
  }
}

function showChange(dialog, text) {
  const line = $('[data-changed]', dialog);
  if (!line) return;
  line.hidden = !text;
  line.textContent = text;
}
