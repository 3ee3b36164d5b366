// The page of one account, for administrators: roles, recovery and account status.
import { call } from './api.js';
import { CHANGES } from './account-changes.js';
import { copyFrom } from './clipboard.js';
import { confirm } from './confirm.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { writeTimes } from './format.js';
import { errorLine, notice, withErrorLine } from './notice.js';

const user = $('#user');
const name = user.dataset.user;
const url = `/api/users/${encodeURIComponent(name)}`;
const memberUrl = (vault) => `/api/vaults/${encodeURIComponent(vault)}/members/${encodeURIComponent(name)}`;

const attempt = (action) => withErrorLine(errorLine('#user-error'), action);

user.addEventListener('change', (event) => {
  const select = event.target.closest('select[data-vault]');
  if (!select) return;
  const { vault, was } = select.dataset;
  void attempt(async () => {
    try {
      if (select.value === 'none') await call('DELETE', memberUrl(vault));
      else await call('PUT', memberUrl(vault), { json: { role: select.value } });
    } catch (problem) {
      select.value = was; // the change failed, so show the old role
      throw problem;
    }
    select.dataset.was = select.value;
    const undo = async () => {
      select.value = was;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    };
    notice(select.value === 'none'
      ? `${name} no longer has a direct role in ${vault}.`
      : `${name} is ${select.value} of ${vault}.`, { undo });
  });
});

/** Changes the account and the attribute that shows its state. */
async function apply(action) {
  const { json, attribute, isSet, text, reverse } = CHANGES[action];
  await call('PATCH', url, { json });
  user.toggleAttribute(attribute, isSet);
  notice(`${name} ${text}`, { undo: () => apply(reverse) });
}

/** Asks first, if the change has a question. */
async function change(action) {
  const question = CHANGES[action].ask?.(name);
  if (!question || await confirm(question)) await apply(action);
}

/** Shows the reset link, which is available only once. @param {{link: string, expires_at: string}} made */
function showLink({ link, expires_at: until }) {
  const made = $('#made');
  $('#link').value = link;
  $('#until').setAttribute('datetime', until);
  writeTimes(made);
  made.hidden = false;
  made.scrollIntoView({ block: 'nearest' });
  $('#copy').focus();
}

const ACTIONS = {
  'make-admin': () => change('make-admin'),
  'unmake-admin': () => change('unmake-admin'),
  disable: () => change('disable'),
  enable: () => change('enable'),
  'require-reset': async () => {
    const isConfirmed = await confirm({
      question: `Require a new password of ${name}?`, verb: 'Require new password',
      consequence: 'They are signed out everywhere, and their current password is rejected until a reset link sets a new one.',
    });
    if (!isConfirmed) return;
    await call('PATCH', url, { json: { reset_required: true } });
    user.toggleAttribute('data-reset', true);
    notice(`${name} is signed out and needs a reset link.`);
  },
  reset: async () => showLink((await call('POST', `${url}/reset`)).data),
  'end-sessions': async () => {
    const isConfirmed = await confirm({
      question: `Sign ${name} out everywhere?`, verb: 'Sign out everywhere',
      consequence: 'All sessions, apps and access tokens of this user end. Unsaved input in their browsers may be lost.',
    });
    if (!isConfirmed) return;
    const { data } = await call('POST', `${url}/end-sessions`);
    notice(`${name} is signed out everywhere (${data.ended}).`);
  },
  recover: async () => openDialog('reset-factors-dialog', {
    subject: name,
    submit: async (form) => {
      await call('POST', `${url}/recover`, { json: { reason: form.elements.reason.value } });
      $('[data-action=recover]').remove();
      notice(`The second factors of ${name} are reset.`);
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
