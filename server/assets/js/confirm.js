// Asks before an action that interrupts another user or removes a right.
import { openDialog } from './dialog.js';
import { setText } from './dom.js';

/**
 * The action runs after the dialog has closed, so that its error and a dialog of its own have the page to themselves.
 * @param {{question: string, consequence: string, verb: string}} what @returns {Promise<boolean>} whether to go on
 */
export function confirm({ question, consequence, verb }) {
  let isConfirmed = false;
  const dialog = openDialog('confirm-dialog', { subject: question, submit: async () => { isConfirmed = true; } });
  setText(dialog, 'question', question);
  setText(dialog, 'consequence', consequence);
  setText(dialog, 'verb', verb);
  return new Promise((closed) => {
    dialog.addEventListener('close', () => closed(isConfirmed), { once: true });
  });
}
