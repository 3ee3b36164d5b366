// Second factors: setting up an app, keeping recovery codes, renaming and removing.
import { call } from './api.js';
import { openDialog } from './dialog.js';
import { $, $$, put } from './dom.js';
import { notice } from './notice.js';

export function complain(problem) {
  const line = $('#factors-error');
  line.hidden = !problem;
  line.textContent = problem ? `${problem.message} ${problem.advice ?? ''}` : '';
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

const factorUrl = (id) => `/auth/factors/${encodeURIComponent(id)}`;

$('#app-begin')?.addEventListener('click', async () => {
  complain(null);
  try {
    showApp((await call('POST', '/auth/totp')).data);
  } catch (problem) {
    complain(problem);
  }
});

/** @param {{secret: string, uri: string, qr: string}} data */
function showApp({ secret, uri, qr }) {
  $('#app-qr').src = `data:image/svg+xml,${encodeURIComponent(qr)}`;
  $('#app-secret').textContent = secret.match(/.{1,4}/g).join(' ');
  $('#app-uri').href = uri;
  openDialog('app-dialog', {
    // Another secret is another dialog.
    subject: secret,
    hint: (problem) => (problem.status === 422 ? ' ' : ''),
    submit: async (form) => {
      const { data } = await call('POST', '/auth/totp/confirm', { json: { code: form.elements.code.value } });
      if (data.recovery_codes.length > 0) showCodes(data.recovery_codes);
      else location.reload();
    },
  });
}

/** The page is made anew once they are kept. For passkeys, too. @param {string[]} codes */
export function showCodes(codes) {
  $('#codes-list').replaceChildren(...codes.map((code) => Object.assign(document.createElement('li'), { textContent: code })));
  const text = `Strongroom recovery codes for ${location.host}\nEach works once.\n\n${codes.join('\n')}\n`;
  $('#codes-download').href = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`;
  $('#codes-copy').onclick = () => copy(text);
  $('#codes-print').onclick = () => print();
  const dialog = openDialog('codes-dialog', { subject: codes[0], submit: async () => location.reload() });
  // Escape must not throw away what is shown this once.
  dialog.addEventListener('cancel', (event) => event.preventDefault());
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    $('#codes-copy').textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren($('#codes-list'));
    $('#codes-copy').textContent = 'Selected: now copy';
  }
}

$('#codes-make')?.addEventListener('click', async () => {
  complain(null);
  try {
    showCodes((await call('POST', '/auth/recovery-codes')).data.recovery_codes);
  } catch (problem) {
    complain(problem);
  }
});

/** What a button asks for, by its data-action; the dialogs are the page's. */
const ACTIONS = {
  'rename-factor': (id, name, item) => openDialog('rename-dialog', {
    subject: name,
    prepare: (form) => { form.elements.name.value = name; },
    submit: async (form) => {
      const wanted = form.elements.name.value.trim();
      await call('PATCH', factorUrl(id), { json: { name: wanted } });
      put(item, 'name', wanted);
      notice(`It is called ${wanted} now.`);
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
    complain(null);
    ACTIONS[button.dataset.action]?.(item.dataset.factor, $('[data-slot=name]', item).textContent, item);
  });
}
