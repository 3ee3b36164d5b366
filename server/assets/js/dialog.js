// Opens the page's dialogs for one thing at a time, keeps what was typed until it is done, and shows refusals in place.
import { $, $$, focusIn, isShown, put } from './dom.js';
import { leafOf } from './format.js';

/**
 * @typedef {{subject: string, submit: (form: HTMLFormElement) => Promise<void>, prepare?: (form: HTMLFormElement) => void,
 *   rereads?: boolean, hint?: (problem: any) => string, stop?: () => void}} Task `prepare` fills a fresh form, with
 *   `rereads` also one in which nothing was typed since; `hint` says what to do after a refusal; `stop` ends a
 *   submission that is under way
 */

/** @type {WeakMap<HTMLDialogElement, Task>} */
const tasks = new WeakMap();
/** What a form said when it was prepared. @type {WeakMap<HTMLDialogElement, string>} */
const prepared = new WeakMap();
/** @type {WeakMap<HTMLDialogElement, (?Element)[]>} */
const origins = new WeakMap();

/** @param {string} id @param {Task} task */
export function openDialog(id, task) {
  const dialog = document.getElementById(id);
  const form = $('form', dialog);
  if (!tasks.has(dialog)) wire(dialog, form);
  tasks.set(dialog, task);
  showError(dialog, null);
  // The same file again: what was typed before is still there.
  if (dialog.dataset.subject !== task.subject || (task.rereads && prepared.get(dialog) === saysNow(form))) {
    form.reset();
    dialog.dataset.subject = task.subject;
    put(dialog, 'name', leafOf(task.subject));
    showChange(dialog, '');
    task.prepare?.(form);
    prepared.set(dialog, saysNow(form));
  }
  if (!dialog.open) {
    origins.set(dialog, whereabouts());
    dialog.showModal();
  }
  return dialog;
}

const saysNow = (form) => new URLSearchParams(new FormData(form)).toString();

/** For leaving the page: not before the last dialog is closed, so that what is typed there stays. */
export function onceClosed(leave) {
  const dialog = $('dialog[open]');
  if (!dialog) return leave();
  dialog.addEventListener('close', () => setTimeout(onceClosed, 0, leave), { once: true });
  return undefined;
}

/** Where the focus goes back to: what had it, else its row, else a neighbour of the row. */
function whereabouts() {
  const focus = document.activeElement;
  const row = focus.closest('tr, [data-file], li');
  return [focus, row, row?.nextElementSibling, row?.previousElementSibling, $('#main')];
}

/** The browser does this too, but loses the focus when a row changed behind the dialog. */
function goBack(dialog) {
  const [focus, ...scopes] = origins.get(dialog) ?? [];
  if (focus && isShown(focus)) focus.focus();
  else scopes.some((scope) => scope?.isConnected && focusIn(scope));
}

function wire(dialog, form) {
  for (const button of $$('[data-close]', dialog)) {
    button.addEventListener('click', () => (isBusy(dialog) ? tasks.get(dialog).stop?.() : dialog.close()));
  }
  dialog.addEventListener('cancel', (event) => { if (isBusy(dialog)) event.preventDefault(); });
  dialog.addEventListener('close', () => {
    if (isBusy(dialog)) tasks.get(dialog).stop?.();
    goBack(dialog);
  });
  form.addEventListener('input', (event) => event.target.removeAttribute('aria-invalid'));
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
    forget(dialog);
    setBusy(dialog, false);
    dialog.close();
  } catch (problem) {
    setBusy(dialog, false);
    if (problem.name !== 'AbortError') showError(dialog, problem, task.hint?.(problem));
  }
}

/** Required fields, in our words and on the page's own line. */
export function isComplete(place, form) {
  const missing = $$('input, textarea', form).find((field) => field.required && !field.value.trim());
  if (!missing) return true;
  missing.setAttribute('aria-invalid', 'true');
  showError(place, new Error(missing.dataset.missing ?? 'Fill this in first.'));
  missing.focus();
  return false;
}

/** The next opening begins afresh. */
export const forget = (dialog) => { delete dialog.dataset.subject; };

export const isBusy = (place) => place.getAttribute('aria-busy') === 'true';

export function setBusy(place, busy) {
  place.setAttribute('aria-busy', String(busy));
  const button = $('[data-submit]', place);
  // Not `disabled`: that would throw the focus out of the dialog.
  if (button) button.setAttribute('aria-disabled', String(busy));
}

/** @param {?Error} problem null takes the message away */
export function showError(place, problem, hint = '') {
  const line = $('[data-error]', place);
  line.hidden = !problem;
  line.textContent = problem ? [problem.message, hint || problem.advice].filter(Boolean).join(' ') : '';
  if (problem?.status === 401) {
    const link = Object.assign(document.createElement('a'), { href: '/sign-in', target: '_blank', rel: 'noopener', textContent: 'Sign in' });
    line.append(' ', link);
  }
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

/** Says in every dialog about `filename` what happened to it meanwhile; what was typed stays. */
export function tellDialogs(filename, text) {
  for (const dialog of $$('dialog')) if (dialog.dataset.subject === filename && !isBusy(dialog)) showChange(dialog, text);
}

function showChange(dialog, text) {
  const line = $('[data-changed]', dialog);
  if (!line) return;
  line.hidden = !text;
  line.textContent = text;
}
