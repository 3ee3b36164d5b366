// Password fields: show and hide, and how long it is while one types.
import { $$ } from './dom.js';

export function wirePasswords() {
  for (const button of $$('[data-reveal]')) {
    const field = document.getElementById(button.dataset.reveal);
    button.hidden = false;
    button.setAttribute('aria-label', 'Show the password');
    button.addEventListener('click', () => {
      const shown = field.type === 'password';
      field.type = shown ? 'text' : 'password';
      button.ariaPressed = String(shown);
      button.textContent = shown ? 'Hide' : 'Show';
      field.focus();
    });
    // A shown password must not be remembered as ordinary text.
    field.form?.addEventListener('submit', () => { field.type = 'password'; });
  }
  for (const meter of $$('[data-length-of]')) {
    const field = document.getElementById(meter.dataset.lengthOf);
    const least = Number(field.dataset.least);
    const write = () => {
      const length = [...field.value].length;
      meter.hidden = length === 0;
      meter.toggleAttribute('data-enough', length >= least);
      meter.textContent = length >= least ? `${length} characters: long enough` : `${length} of ${least} characters`;
    };
    field.addEventListener('input', write);
    write();
  }
}
