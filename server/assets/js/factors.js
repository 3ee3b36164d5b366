// Second factors: sets up an authenticator app, shows recovery codes, renames and removes factors.
import { call } from './api.js';
import { openDialog } from './dialog.js';
import { $, $$, setText } from './dom.js';
import { errorLine, notice, withErrorLine } from './notice.js';

export const showError = errorLine('#factors-error');

const factorUrl = (id) => `/auth/factors/${encodeURIComponent(id)}`;

$('#app-begin')?.addEventListener('click', () => withErrorLine(showError, async () => {
  showApp((await call('POST', '/auth/totp')).data);
}));

/** @param {{secret: string, uri: string, qr: string}} data */
function showApp({ secret, uri, qr }) {
  $('#app-qr').src = `data:image/svg+xml,${encodeURIComponent(qr)}`;
  $('#app-secret').textContent = secret.match(/.{1,4}/g).join(' ');
  $('#app-uri').href = uri;
  openDialog('app-dialog', {
    // A new secret starts a new form.
    subject: secret,
    hint: (problem) => (problem.status === 422 ? ' ' : ''),
    submit: async (form) => {
      const { data } = await call('POST', '/auth/totp/confirm', { json: { code: form.elements.code.value } });
      if (data.recovery_codes.length > 0) showCodes(data.recovery_codes);
      else location.reload();
    },
  });
}

/** Shows recovery codes once; closing the dialog reloads the page. passkeys.js uses it too. @param {string[]} codes */
export function showCodes(codes) {
  const items = codes.map((code) => Object.assign(document.createElement('li'), { textContent: code }));
  $('#codes-list').replaceChildren(...items);
  const text = `Strongroom recovery codes for ${location.host}\nEach code works once.\n\n${codes.join('\n')}\n`;
  $('#codes-download').href = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`;
  $('#codes-copy').onclick = () => copy(text);
  $('#codes-print').onclick = () => print();
  const dialog = openDialog('codes-dialog', { subject: codes[0], submit: async () => location.reload() });
  // Escape must not close a dialog that is shown only once.
  dialog.addEventListener('cancel', (event) => event.preventDefault());
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    $('#codes-copy').textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren($('#codes-list'));
    $('#codes-copy').textContent = 'Selected: copy it now';
  }
}

$('#codes-make')?.addEventListener('click', () => withErrorLine(showError, async () => {
  showCodes((await call('POST', '/auth/recovery-codes')).data.recovery_codes);
}));

/** The action of each button, by its data-action. */
const ACTIONS = {
  'rename-factor': (id, name, item) => openDialog('rename-dialog', {
    subject: name,
    prepare: (form) => { form.elements.name.value = name; },
    submit: async (form) => {
      const newName = form.elements.name.value.trim();
      await call('PATCH', factorUrl(id), { json: { name: newName } });
      setText(item, 'name', newName);
      notice(`Renamed to ${newName}.`);
    },
  }),
  'remove-factor': (id, name) => openDialog('remove-dialog', {
    subject: name,
    submit: async () => {
      await call('DELETE', factorUrl(id));
      location.reload();
    },
  }),
};

for (const button of $$('[data-factor] [data-action]')) {
  const item = button.closest('[data-factor]');
  button.addEventListener('click', () => {
    showError(null);
    ACTIONS[button.dataset.action]?.(item.dataset.factor, $('[data-slot=name]', item).textContent, item);
  });
}
