// Copies what a page shows once.
import { notice } from './notice.js';

/** @param {HTMLInputElement} field @param {string} copied what is said then */
export async function copyFrom(field, copied) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    notice(copied);
  } catch {
    // Over plain http browsers have no clipboard for pages: it is selected, so a key will do.
    notice('Press Ctrl+C (or ⌘C) to copy it.');
  }
}
