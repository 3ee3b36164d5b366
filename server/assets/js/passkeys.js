// Adding a passkey to one's account. Naming and removing is the page's, as with every factor.
import { call } from './api.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { complain, showCodes } from './factors.js';
import { isPossible, make } from './passkey.js';

const place = $('#passkeys');
const button = $('#passkey-add');

if (isPossible(place.dataset.at)) button.hidden = false;
else $(window.PublicKeyCredential ? '#passkey-elsewhere' : '#passkey-none').hidden = false;

button.addEventListener('click', () => {
  complain(null);
  openDialog('passkey-dialog', {
    subject: 'a new passkey',
    prepare: (form) => {
      form.elements.name.value = device();
      form.elements.name.select();
    },
    hint: (problem) => (problem.status === 410 ? ' ' : ''),
    submit: add,
  });
});

async function add(form) {
  const name = form.elements.name.value;
  const { ceremony, publicKey } = (await call('POST', '/auth/passkeys/options')).data;
  const credential = await make(publicKey);
  const { data } = await call('POST', '/auth/passkeys', { json: { ceremony, name, credential } });
  if (data.recovery_codes.length > 0) showCodes(data.recovery_codes);
  else location.reload();
}

/** What one would call this device, as a beginning. */
function device() {
  const known = ['iPhone', 'iPad', 'Android', 'Windows', 'Macintosh', 'Linux'];
  const found = known.find((word) => navigator.userAgent.includes(word));
  return { Macintosh: 'Mac', Linux: 'Linux computer', Windows: 'Windows computer', Android: 'Android phone' }[found] ?? found ?? 'My device';
}
