// Ties an error to the field that it is about: for assistive technology, and by the focus.
import { $, $$, isVisible } from './dom.js';

/** The `aria-describedby` of each marked field before the error. @type {WeakMap<Element, ?string>} */
const described = new WeakMap();

/** Marks `field` as wrong, described by `line`, and focuses it. */
export function markInvalid(field, line) {
  line.id ||= `error-${Math.random().toString(36).slice(2)}`;
  if (!described.has(field)) described.set(field, field.getAttribute('aria-describedby'));
  field.setAttribute('aria-invalid', 'true');
  field.setAttribute('aria-describedby', [line.id, described.get(field)].filter(Boolean).join(' '));
  field.focus();
}

/** Removes the mark from one field. */
export function markValid(field) {
  if (!described.has(field)) return;
  field.removeAttribute('aria-invalid');
  const before = described.get(field);
  if (before) field.setAttribute('aria-describedby', before);
  else field.removeAttribute('aria-describedby');
  described.delete(field);
}

/** Removes the marks in a form, and from each field once it is edited. */
export function markAllValid(form) {
  for (const field of $$('[aria-invalid=true]', form)) markValid(field);
}
document.addEventListener('input', (event) => { if (described.has(event.target)) markValid(event.target); });

/** Members of requests whose fields have other names. */
const ALIASES = { password: 'new_password', code: 'otp', filename: 'to', groups: 'username' };

/**
 * The field that an error is about: of the member that the server names, or the only one that could be wrong.
 * @param {HTMLFormElement} form @param {{pointer?: string, status?: number}} problem
 */
export function fieldOf(form, { pointer, status }) {
  const member = (pointer ?? '').split('/')[1];
  const named = member && (form.elements[member] ?? form.elements[ALIASES[member]]);
  if (named?.focus) return named;
  // Without a name: the request was refused because of what was typed, and only one field was typed into.
  if (![403, 409, 422].includes(status)) return null;
  const typed = $$('input:not([type=hidden], [type=checkbox], [type=file], [readonly]), textarea', form).filter(isVisible);
  return typed.length === 1 ? typed[0] : null;
}
