// The users page: accounts, roles and vaults.
import { call } from './api.js';
import { CHANGES } from './account-changes.js';
import { confirm } from './confirm.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { errorLine, notice, withErrorLine } from './notice.js';

const users = $('#users');
const userUrl = (name) => `/api/users/${encodeURIComponent(name)}`;
const memberUrl = (vault, name) => `/api/vaults/${encodeURIComponent(vault)}/members/${encodeURIComponent(name)}`;

const showError = errorLine('#users-error');

users.addEventListener('change', async (event) => {
  const select = event.target.closest('select[data-vault]');
  if (!select) return;
  const name = select.closest('[data-user]').dataset.user, { vault, was } = select.dataset;
  showError(null);
  select.disabled = true;
  try {
    if (select.value === 'none') await call('DELETE', memberUrl(vault, name));
    else await call('PUT', memberUrl(vault, name), { json: { role: select.value } });
    select.dataset.was = select.value;
    const undo = async () => {
      select.value = was;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    };
    notice(select.value === 'none'
      ? `${name} no longer has access to ${vault}.`
      : `${name} is ${select.value} of ${vault}.`, { undo });
  } catch (problem) {
    select.value = was; // the change failed, so show the old role
    showError(problem);
  } finally {
    select.disabled = false;
    select.focus();
  }
});

async function apply(item, name, action) {
  const { json, attribute, isSet, text, reverse } = CHANGES[action];
  await call('PATCH', userUrl(name), { json });
  item.toggleAttribute(attribute, isSet);
  notice(`${name} ${text}`, { undo: () => apply(item, name, reverse) });
}

users.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-action]');
  if (!button) return;
  const item = button.closest('[data-user]'), name = item.dataset.user;
  $('summary', item).focus();
  if (button.dataset.action === 'delete-user') return askToDelete(item, name);
  const { action } = button.dataset, question = CHANGES[action].ask?.(name);
  if (question && !await confirm(question)) return undefined;
  return withErrorLine(showError, () => apply(item, name, action));
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

$('#end-all-sessions').addEventListener('click', () => openDialog('end-all-sessions-dialog', {
  subject: 'all sessions',
  submit: async ({ elements }) => {
    const { keep, tokens, reason } = elements;
    const json = { keep_own: keep.checked, end_tokens: tokens.checked, reason: reason.value };
    const { data } = await call('POST', '/api/sessions/end-all', { json });
    if (!json.keep_own) return location.assign('/sign-in');
    notice(`All other sessions have ended (${data.ended}).`);
  },
}));
