// Adds a passkey to the account. factors.js renames and removes passkeys.
import { call } from './api.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { showCodes, showError } from './factors.js';
import { createPasskey, isSupported } from './passkey.js';

const section = $('#passkeys');
const button = $('#passkey-add');

if (isSupported(section.dataset.origin)) button.hidden = false;
else $(window.PublicKeyCredential ? '#passkey-elsewhere' : '#passkey-none').hidden = false;

button.addEventListener('click', () => {
  showError(null);
  openDialog('passkey-dialog', {
    subject: 'a new passkey',
    prepare: (form) => {
      form.elements.name.value = deviceName();
      form.elements.name.select();
    },
    hint: (problem) => (problem.status === 410 ? ' ' : ''),
    submit: add,
  });
});

async function add(form) {
  const name = form.elements.name.value;
  const { ceremony, publicKey } = (await call('POST', '/auth/passkeys/options')).data;
  const credential = await createPasskey(publicKey);
  const { data } = await call('POST', '/auth/passkeys', { json: { ceremony, name, credential } });
  if (data.recovery_codes.length > 0) showCodes(data.recovery_codes);
  else location.reload();
}

/** A suggested name for this device. */
function deviceName() {
  const names = {
    iPhone: 'iPhone', iPad: 'iPad', Android: 'Android phone', Windows: 'Windows computer', Macintosh: 'Mac',
    Linux: 'Linux computer',
  };
  const system = Object.keys(names).find((word) => navigator.userAgent.includes(word));
  return names[system] ?? 'My device';
}
