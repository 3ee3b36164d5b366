// One account, for administrators: what it may do, and what is to become of it.
import { call } from './api.js';
import { copyFrom } from './copying.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { writeTimes } from './format.js';
import { notice } from './notice.js';

const user = $('#user');
const name = user.dataset.user;
const url = `/api/users/${encodeURIComponent(name)}`;
const memberUrl = (vault) => `/api/vaults/${encodeURIComponent(vault)}/members/${encodeURIComponent(name)}`;

function complain(problem) {
  const line = $('#user-error');
  line.hidden = !problem;
  line.textContent = problem ? `${problem.message} ${problem.advice ?? ''}` : '';
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

/** @param {() => Promise<void>} act */
async function attempt(act) {
  complain(null);
  try {
    await act();
  } catch (problem) {
    complain(problem);
  }
}

user.addEventListener('change', (event) => {
  const select = event.target.closest('select[data-vault]');
  if (!select) return;
  const { vault, was } = select.dataset;
  void attempt(async () => {
    try {
      if (select.value === 'none') await call('DELETE', memberUrl(vault));
      else await call('PUT', memberUrl(vault), { json: { role: select.value } });
    } catch (problem) {
      select.value = was; // what is shown is what is
      throw problem;
    }
    select.dataset.was = select.value;
    notice(select.value === 'none' ? `${name} has no role of their own in ${vault} any more.` : `${name} is ${select.value} of ${vault}.`);
  });
});

/** Changes the account, and the mark that stands for it. */
async function change(json, mark, marked, text) {
  await call('PATCH', url, { json });
  user.toggleAttribute(mark, marked);
  notice(`${name} ${text}`);
}

/** The link, this once. @param {{link: string, expires_at: string}} made */
function show({ link, expires_at: until }) {
  const made = $('#made');
  $('#link').value = link;
  $('#until').setAttribute('datetime', until);
  writeTimes(made);
  made.hidden = false;
  made.scrollIntoView({ block: 'nearest' });
  $('#copy').focus();
}

const ACTIONS = {
  'make-admin': () => change({ is_admin: true }, 'data-admin', true, 'is an administrator.'),
  'unmake-admin': () => change({ is_admin: false }, 'data-admin', false, 'is no administrator any more.'),
  disable: () => change({ disabled: true }, 'data-disabled', true, 'is signed out and cannot sign in.'),
  enable: () => change({ disabled: false }, 'data-disabled', false, 'may sign in again.'),
  'require-reset': () => change({ reset_required: true }, 'data-reset', true, 'is signed out and needs a link that sets a new password.'),
  reset: async () => show((await call('POST', `${url}/reset`)).data),
  'end-sessions': async () => {
    const { data } = await call('POST', `${url}/end-sessions`);
    notice(`${name} is signed out everywhere (${data.ended}).`);
  },
  recover: async () => openDialog('recover-dialog', {
    subject: name,
    submit: async (form) => {
      await call('POST', `${url}/recover`, { json: { reason: form.elements.reason.value } });
      $('[data-action=recover]').remove();
      notice(`${name} signs in with the password alone now.`);
    },
  }),
  'delete-user': async () => openDialog('delete-user-dialog', {
    subject: name,
    submit: async () => {
      await call('DELETE', url);
      location.assign('/admin/users');
    },
  }),
};

user.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-action]');
  if (button) void attempt(ACTIONS[button.dataset.action]);
});

$('#copy').addEventListener('click', () => copyFrom($('#link'), 'The link is copied.'));
