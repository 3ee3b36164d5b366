// The access tokens page: create, copy once, revoke.
import { call, fetchPage } from './api.js';
import { copyFrom } from './clipboard.js';
import { openDialog } from './dialog.js';
import { $, $$ } from './dom.js';
import { writeTimes } from './format.js';
import { errorLine, notice, withErrorLine } from './notice.js';

const list = $('#tokens');

const showError = errorLine('#tokens-error');

/** Replaces the list with the server's rendering. */
async function redraw() {
  const fresh = await fetchPage(location.pathname);
  list.replaceChildren(...$('#tokens', fresh).children);
  $('#no-tokens').hidden = list.children.length > 0;
  writeTimes();
}

const checkedValues = (form, name) => $$(`[name=${name}]:checked`, form).map((box) => box.value);

$('#new-token').addEventListener('click', () => openDialog('new-token-dialog', {
  subject: 'new',
  hint: (problem) => (problem.status === 422 ? 'Correct it, then try again.' : ''),
  submit: async (form) => {
    const vaults = checkedValues(form, 'vaults');
    const { data } = await call('POST', '/auth/tokens', {
      json: {
        name: form.elements.name.value,
        scopes: checkedValues(form, 'scopes'),
        vaults: vaults.length ? vaults : undefined,
        expires_in_days: Number(form.elements.expires_in_days.value),
      },
    });
    showToken(data.token);
    await redraw();
  },
}));

function showToken(secret) {
  $('#secret').value = secret;
  $('#made').hidden = false;
  // The closing dialog returns the focus first.
  $('#new-token-dialog').addEventListener('close', () => {
    $('#made').scrollIntoView({ block: 'nearest' });
    $('#copy').focus();
  }, { once: true });
}

$('#copy').addEventListener('click', () => copyFrom($('#secret'), 'The token is copied.'));

list.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-action=end-token]');
  if (!button) return;
  const item = button.closest('[data-token]');
  await withErrorLine(showError, async () => {
    await call('DELETE', `/auth/tokens/${encodeURIComponent(item.dataset.token)}`);
    const name = $('[data-field=name]', item).textContent;
    item.remove();
    $('#no-tokens').hidden = list.children.length > 0;
    $('#new-token').focus();
    notice(`The token “${name}” is revoked.`);
  });
});
