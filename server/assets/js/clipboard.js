// Copies a secret or link that a page shows once.
import { notice } from './notice.js';

/** @param {HTMLInputElement} field @param {string} message shown after copying */
export async function copyFrom(field, message) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    notice(message);
  } catch {
    // Browsers give pages no clipboard over plain http. The text is selected, so the keyboard shortcut works.
    notice('Press Ctrl+C (or ⌘C) to copy it.', { kind: 'warning' });
  }
}
