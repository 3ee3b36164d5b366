// The invitations page: create, copy the link once, withdraw.
import { call, fetchPage } from './api.js';
import { copyFrom } from './clipboard.js';
import { openDialog } from './dialog.js';
import { $, $$ } from './dom.js';
import { writeTimes } from './format.js';
import { errorLine, notice, withErrorLine } from './notice.js';

const list = $('#invites');

const showError = errorLine('#invites-error');

/** Replaces the list with the server's rendering. */
async function redraw() {
  const fresh = await fetchPage(location.pathname);
  list.replaceChildren(...$('#invites', fresh).children);
  $('#no-invites').hidden = list.children.length > 0;
  writeTimes();
}

function readForm(form) {
  const selects = $$('select[data-vault]', form).filter((select) => select.value !== 'none');
  const { email, is_admin: admin, mail } = form.elements;
  return {
    roles: Object.fromEntries(selects.map((select) => [select.dataset.vault, select.value])),
    groups: $$('[name=groups]:checked', form).map((box) => box.value),
    is_admin: Boolean(admin?.checked),
    email: email.value.trim() || undefined,
    delivery: mail?.checked ? 'mail' : 'link',
  };
}

$('#new-invite')?.addEventListener('click', () => openDialog('new-invite-dialog', {
  subject: 'new',
  hint: (problem) => (problem.status === 422 ? 'Correct it, then try again.' : ''),
  submit: async (form) => {
    const { data } = await call('POST', '/auth/invites', { json: readForm(form) });
    if (data.link) showLink(data.link);
    else notice(`The invitation is sent to ${data.email}.`);
    await redraw();
  },
}));

function showLink(link) {
  $('#link').value = link;
  $('#made').hidden = false;
  // The closing dialog returns the focus first.
  setTimeout(() => { $('#made').scrollIntoView({ block: 'nearest' }); $('#copy').focus(); });
}

$('#copy').addEventListener('click', () => copyFrom($('#link'), 'The link is copied.'));

list.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-action=withdraw]');
  if (!button) return;
  const item = button.closest('[data-invite]');
  await withErrorLine(showError, async () => {
    await call('DELETE', `/auth/invites/${encodeURIComponent(item.dataset.invite)}`);
    item.remove();
    $('#no-invites').hidden = list.children.length > 0;
    $('#open-title').scrollIntoView({ block: 'nearest' });
    notice('The invitation is withdrawn.');
  });
});
