// Sign-in, registration and one-time link pages. Their forms work without this script.
import { $, $$ } from './dom.js';
import { initPasswordFields } from './password.js';

initPasswordFields();

// The token of a link is in the URL fragment, which reaches no server or log. It is removed from the history too.
const token = $('#token');
function readToken() {
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
  readToken();
  // A link pasted while this page is open changes only the fragment and loads nothing.
  addEventListener('hashchange', readToken);
}

for (const form of $$('form[method=post]')) {
  form.addEventListener('submit', () => {
    const button = $('button.primary', form);
    button.ariaBusy = 'true';
    button.disabled = true;
  });
  // After the Back button the form can be sent again.
  addEventListener('pageshow', () => { $('button.primary', form).disabled = false; });
}
