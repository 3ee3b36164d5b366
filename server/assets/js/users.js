// Accounts, roles and vaults, for administrators.
import { call } from './api.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { notice } from './notice.js';

const users = $('#users');
const userUrl = (name) => `/api/users/${encodeURIComponent(name)}`;
const memberUrl = (vault, name) => `/api/vaults/${encodeURIComponent(vault)}/members/${encodeURIComponent(name)}`;

function complain(problem) {
  const line = $('#users-error');
  line.hidden = !problem;
  line.textContent = problem ? `${problem.message} ${problem.advice ?? ''}` : '';
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

users.addEventListener('change', async (event) => {
  const select = event.target.closest('select[data-vault]');
  if (!select) return;
  const name = select.closest('[data-user]').dataset.user, { vault, was } = select.dataset;
  complain(null);
  select.disabled = true;
  try {
    if (select.value === 'none') await call('DELETE', memberUrl(vault, name));
    else await call('PUT', memberUrl(vault, name), { json: { role: select.value } });
    select.dataset.was = select.value;
    notice(select.value === 'none' ? `${name} has no access to ${vault} any more.` : `${name} is ${select.value} of ${vault}.`);
  } catch (problem) {
    select.value = was; // what is shown is what is
    complain(problem);
  } finally {
    select.disabled = false;
    select.focus();
  }
});

/** action → what is asked for, the mark that it leaves, and how it reads */
const CHANGES = {
  'make-admin': [{ is_admin: true }, 'data-admin', true, 'is an administrator.'],
  'unmake-admin': [{ is_admin: false }, 'data-admin', false, 'is no administrator any more.'],
  disable: [{ disabled: true }, 'data-disabled', true, 'is signed out and cannot sign in.'],
  enable: [{ disabled: false }, 'data-disabled', false, 'may sign in again.'],
};

users.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-action]');
  if (!button) return;
  const item = button.closest('[data-user]'), name = item.dataset.user;
  const back = $('summary', item);
  back.focus();
  if (button.dataset.action === 'delete-user') return askToDelete(item, name);
  const [json, mark, marked, text] = CHANGES[button.dataset.action];
  complain(null);
  try {
    await call('PATCH', userUrl(name), { json });
    item.toggleAttribute(mark, marked);
    notice(`${name} ${text}`);
  } catch (problem) {
    complain(problem);
  }
});

function askToDelete(item, name) {
  openDialog('delete-user-dialog', {
    subject: name,
    submit: async () => {
      await call('DELETE', userUrl(name));
      item.remove();
      notice(`${name} is deleted.`);
    },
  });
}

$('#new-vault').addEventListener('click', () => openDialog('new-vault-dialog', {
  subject: 'new',
  hint: (problem) => (problem.status === 409 || problem.status === 422 ? 'Choose another name.' : ''),
  submit: async (form) => {
    const { data } = await call('POST', '/api/vaults', { json: { name: form.elements.name.value.trim() } });
    location.assign(`/v/${encodeURIComponent(data.name)}`);
  },
}));

$('#only').addEventListener('change', (event) => event.target.form.requestSubmit());

$('#end-everybody').addEventListener('click', () => openDialog('end-everybody-dialog', {
  subject: 'everybody',
  submit: async ({ elements }) => {
    const json = { keep_own: elements.keep.checked, end_tokens: elements.tokens.checked, reason: elements.reason.value };
    const { data } = await call('POST', '/api/sessions/end-all', { json });
    if (!json.keep_own) return location.assign('/sign-in');
    notice(`Everybody else is signed out (${data.ended} sessions).`);
  },
}));
