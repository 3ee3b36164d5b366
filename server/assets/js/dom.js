// DOM helpers that every module uses. Deliberately absent: innerHTML.

/** @type {(selector: string, from?: ParentNode) => any} The first match, or null. */
export const $ = (selector, from = document) => from.querySelector(selector);

/** @type {(selector: string, from?: ParentNode) => any[]} */
export const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

/** @param {string} id of a <template> @returns {any} a clone of its first element */
export const cloneTemplate = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** Sets the text of `[data-slot=name]` or `[data-field=name]`, if `from` has one. */
export function setText(from, name, text) {
  const element = $(`[data-slot="${name}"], [data-field="${name}"]`, from);
  if (element && element.textContent !== text) element.textContent = text;
}

/** Whether the element is in the document and rendered. */
export const isVisible = (element) => element.isConnected && element.getClientRects().length > 0;

/** Focuses the most useful visible control in `scope`. @returns {boolean} whether there was one */
export function focusFirst(scope) {
  const selectors = ['.actions > button', '.actions summary', 'a.name', 'a, button'];
  const next = selectors.flatMap((selector) => $$(selector, scope)).find(isVisible);
  next?.focus();
  return Boolean(next);
}

/** Runs `change`. If it hides the focused element in `scope`, moves the focus to another control there. */
export function keepFocus(scope, change) {
  const focused = scope.contains(document.activeElement) && document.activeElement;
  change();
  if (focused && !isVisible(focused)) focusFirst(scope);
}

/** Runs `action` once no call has come for `ms` milliseconds. */
export function debounce(ms, action) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...args), ms);
  };
}
