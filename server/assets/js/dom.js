// The little that every module needs of the document. Deliberately absent: innerHTML.

/** @type {(selector: string, from?: ParentNode) => any} The first match, or null. */
export const $ = (selector, from = document) => from.querySelector(selector);

/** @type {(selector: string, from?: ParentNode) => any[]} */
export const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

/** @param {string} id of a <template> @returns {any} its first element, cloned */
export const cloneOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** Writes text into `[data-slot=name]` or `[data-field=name]`, where there is one. */
export function put(from, name, text) {
  const place = $(`[data-slot="${name}"], [data-field="${name}"]`, from);
  if (place && place.textContent !== text) place.textContent = text;
}

/** Whether people can see and reach it. */
export const isShown = (element) => element.isConnected && element.getClientRects().length > 0;

/** Gives the focus to what one would go on with in `scope`. @returns {boolean} whether there was anything */
export function focusIn(scope) {
  const next = ['.actions > button', '.actions summary', 'a.name', 'a, button'].flatMap((kind) => $$(kind, scope)).find(isShown);
  next?.focus();
  return Boolean(next);
}

/** Runs `change`; if that hid what had the focus in `scope`, the focus goes to what is there now. */
export function keepFocus(scope, change) {
  const had = scope.contains(document.activeElement) && document.activeElement;
  change();
  if (had && !isShown(had)) focusIn(scope);
}

/** Waits until nothing was asked for `ms` milliseconds. */
export function calm(ms, action) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), ms);
  };
}
