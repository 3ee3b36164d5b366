// Sign in, sign up, first administrator: plain forms that this only makes nicer.
import { $, $$ } from './dom.js';
import { wirePasswords } from './password.js';

wirePasswords();

// The token of a link stands after the #, which no server or log ever sees; nor shall the history keep it.
const token = $('#token');
function takeToken() {
  const fromLink = location.hash.slice(1);
  if (fromLink) {
    token.value = fromLink;
    history.replaceState(null, '', location.pathname);
  }
  if (!token.value) return;
  $('#token-field').hidden = true;
  ($('#username') ?? $('#password') ?? $('form button.primary')).focus();
}
if (token) {
  takeToken();
  // The link, pasted where this page is open already, loads nothing anew.
  addEventListener('hashchange', takeToken);
}

for (const form of $$('form[method=post]')) {
  form.addEventListener('submit', () => {
    const button = $('button.primary', form);
    button.ariaBusy = 'true';
    button.disabled = true;
  });
  // Coming back with the Back button finds the form as it was.
  addEventListener('pageshow', () => { $('button.primary', form).disabled = false; });
}
