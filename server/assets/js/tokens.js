// One's own personal access tokens: make, copy once, end.
import { call, page } from './api.js';
import { openDialog } from './dialog.js';
import { $, $$ } from './dom.js';
import { writeTimes } from './format.js';
import { notice } from './notice.js';

const list = $('#tokens');

/** @param {?Error & {advice?: string}} problem */
function complain(problem) {
  const line = $('#tokens-error');
  line.hidden = !problem;
  line.textContent = problem ? `${problem.message} ${problem.advice ?? ''}` : '';
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

/** The list as the server draws it. */
async function redraw() {
  const fresh = await page(location.pathname);
  list.replaceChildren(...$('#tokens', fresh).children);
  $('#no-tokens').hidden = list.children.length > 0;
  writeTimes();
}

const chosen = (form, name) => $$(`[name=${name}]:checked`, form).map((box) => box.value);

$('#new-token').addEventListener('click', () => openDialog('new-token-dialog', {
  subject: 'new',
  hint: (problem) => (problem.status === 422 ? 'Change it and try again.' : ''),
  submit: async (form) => {
    const vaults = chosen(form, 'vaults');
    const { data } = await call('POST', '/auth/tokens', {
      json: {
        name: form.elements.name.value,
        scopes: chosen(form, 'scopes'),
        vaults: vaults.length ? vaults : undefined,
        expires_in_days: Number(form.elements.expires_in_days.value),
      },
    });
    show(data.token);
    await redraw();
  },
}));

function show(secret) {
  $('#secret').value = secret;
  $('#made').hidden = false;
  // After the dialog has given the focus back.
  $('#new-token-dialog').addEventListener('close', () => {
    $('#made').scrollIntoView({ block: 'nearest' });
    $('#copy').focus();
  }, { once: true });
}

$('#copy').addEventListener('click', async () => {
  const field = $('#secret');
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    notice('The token is copied.');
  } catch {
    // Over plain http browsers have no clipboard for pages: it is selected, so a key will do.
    notice('Press Ctrl-C (or ⌘C) to copy it.', { kind: 'warning' });
  }
});

list.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-action=end-token]');
  if (!button) return;
  const item = button.closest('[data-token]');
  complain(null);
  try {
    await call('DELETE', `/auth/tokens/${encodeURIComponent(item.dataset.token)}`);
    const name = $('[data-field=name]', item).textContent;
    item.remove();
    $('#no-tokens').hidden = list.children.length > 0;
    $('#new-token').focus();
    notice(`The token “${name}” is ended.`);
  } catch (problem) {
    complain(problem);
  }
});
