// Sign-in, registration and one-time link pages. Their forms work without this script.
import { $, $$ } from './dom.js';
import { markInvalid } from './field-error.js';
import { initPasswordFields } from './password.js';

initPasswordFields();

// An error that the server rendered: the focus goes to the field that has to be entered again.
const message = $('[data-form-error]');
const form = message?.parentElement.querySelector('form'); // a page about an invalid link has none
if (form) {
  const named = $$('label', form).find(({ control, textContent }) => control && isNamed(message.textContent, control, textContent));
  const empty = $$('input:not([type=hidden], [type=checkbox])', form).find((field) => field.required && !field.value);
  const field = named?.control ?? empty;
  if (field) markInvalid(field, message);
}

/** Whether the message is about this field: "The username …", "This is not a valid e-mail address." */
function isNamed(text, { name }, label) {
  const words = { username: /user ?name|name is taken/i, display_name: /display name/i, email: /e-mail/i };
  const pattern = words[name] ?? (/password/i.test(label) ? /^(?!incorrect).*password/i : null);
  return Boolean(pattern?.test(text)) && !/incorrect username/i.test(text);
}

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

// The buttons of providers are links, so they carry the choice in their address.
const stay = $('#stay');
function writeStay() {
  for (const link of $$('a.provider')) {
    const url = new URL(link.href);
    if (stay.checked) url.searchParams.set('stay', '1');
    else url.searchParams.delete('stay');
    link.href = url.href;
  }
}
stay?.addEventListener('change', writeStay);
if (stay) addEventListener('pageshow', writeStay);

for (const form of $$('form[method=post]')) {
  form.addEventListener('submit', () => {
    const button = $('button.primary', form);
    button.ariaBusy = 'true';
    button.disabled = true;
  });
  // After the Back button the form can be sent again.
  addEventListener('pageshow', () => { $('button.primary', form).disabled = false; });
}
