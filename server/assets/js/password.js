// Password fields: show and hide, and how good a new one would be while one types.
import { $$ } from './dom.js';

export function wirePasswords() {
  for (const button of $$('[data-reveal]')) wireReveal(button);
  for (const meter of $$('[data-length-of]')) wireMeter(meter);
}

function wireReveal(button) {
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

const WORDS = ['guessed at once', 'guessed soon', 'weak', 'good', 'strong'];
/** Typing pauses for so long before the server is asked. */
const PAUSE = 350;

function wireMeter(meter) {
  const field = document.getElementById(meter.dataset.lengthOf);
  const least = Number(field.dataset.least);
  let timer, asking;
  const show = (text, enough) => {
    meter.hidden = text === '';
    meter.toggleAttribute('data-enough', enough);
    meter.textContent = text;
  };
  const ask = async () => {
    asking = new AbortController();
    const weight = await weigh(field, asking.signal);
    if (!weight) return; // the length stands there already, and the server looks again in the end
    show(weight.detail ?? `${weight.characters} characters: ${WORDS[weight.strength]}`, weight.detail === null);
  };
  const write = () => {
    clearTimeout(timer);
    asking?.abort();
    // As the server counts: neither accents written apart nor ligatures make it longer.
    const length = Math.min([...field.value].length, [...field.value.normalize('NFKC')].length);
    if (length === 0) return show('', false);
    show(length >= least ? `${length} characters` : `${length} of ${least} characters`, false);
    if (length >= least) timer = setTimeout(ask, PAUSE);
  };
  field.addEventListener('input', write);
  field.form?.addEventListener('reset', () => { clearTimeout(timer); asking?.abort(); show('', false); });
  write();
}

/** @returns {Promise<?{characters: number, least: number, strength: number, detail: ?string}>} null where no answer came */
async function weigh(field, signal) {
  const body = { password: field.value };
  for (const name of ['username', 'display_name', 'email']) {
    const value = field.form?.elements[name]?.value?.trim();
    if (value) body[name] = value;
  }
  try {
    const answer = await fetch('/auth/password-check', {
      method: 'POST', signal, credentials: 'same-origin', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
