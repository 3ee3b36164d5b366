// Password fields: show and hide, and a strength meter for new passwords.
import { pageHeaders } from './api.js';
import { $$ } from './dom.js';

export function initPasswordFields() {
  for (const button of $$('[data-reveal]')) initReveal(button);
  for (const meter of $$('[data-length-of]')) initMeter(meter);
}

function initReveal(button) {
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
  // Browsers must not save a visible password as ordinary text.
  field.form?.addEventListener('submit', () => { field.type = 'password'; });
}

/** The zxcvbn scores 0 to 4. */
const STRENGTH_TEXT = ['very weak', 'weak', 'fair', 'good', 'strong'];
/** Milliseconds without typing before the server checks the password. */
const CHECK_DELAY = 350;

function initMeter(meter) {
  const field = document.getElementById(meter.dataset.lengthOf);
  const least = field.minLength;
  let timer, pending;
  const show = (text, enough) => {
    meter.hidden = text === '';
    meter.toggleAttribute('data-enough', enough);
    meter.textContent = text;
  };
  const check = async () => {
    pending = new AbortController();
    const result = await checkStrength(field, pending.signal);
    if (!result) return; // the meter shows the length, and the server checks again on submit
    show(result.detail ?? `${result.characters} characters: ${STRENGTH_TEXT[result.strength]}`, result.detail === null);
  };
  const update = () => {
    clearTimeout(timer);
    pending?.abort();
    // Counts like the server: decomposed accents and ligatures do not make a password longer.
    const length = Math.min([...field.value].length, [...field.value.normalize('NFKC')].length);
    if (length === 0) return show('', false);
    show(length >= least ? `${length} characters` : `${length} of ${least} characters`, false);
    if (length >= least) timer = setTimeout(check, CHECK_DELAY);
  };
  field.addEventListener('input', update);
  field.form?.addEventListener('reset', () => { clearTimeout(timer); pending?.abort(); show('', false); });
  update();
}

/**
 * @returns {Promise<?{characters: number, least: number, strength: number, detail: ?string}>} null if the check failed
 */
async function checkStrength(field, signal) {
  const body = { password: field.value };
  for (const name of ['username', 'display_name', 'email']) {
    const value = field.form?.elements[name]?.value?.trim();
    if (value) body[name] = value;
  }
  const request = {
    method: 'POST', signal, credentials: 'same-origin', headers: pageHeaders({ 'content-type': 'application/json' }),
    body: JSON.stringify(body),
  };
  try {
    const response = await fetch('/auth/password-check', request);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
