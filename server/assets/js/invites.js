// Invitations: make, hand over once, withdraw.
import { call, page } from './api.js';
import { copyFrom } from './copying.js';
import { openDialog } from './dialog.js';
import { $, $$ } from './dom.js';
import { writeTimes } from './format.js';
import { notice } from './notice.js';

const list = $('#invites');

/** @param {?Error & {advice?: string}} problem */
function complain(problem) {
  const line = $('#invites-error');
  line.hidden = !problem;
  line.textContent = problem ? `${problem.message} ${problem.advice ?? ''}` : '';
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

/** The list as the server draws it. */
async function redraw() {
  const fresh = await page(location.pathname);
  list.replaceChildren(...$('#invites', fresh).children);
  $('#no-invites').hidden = list.children.length > 0;
  writeTimes();
}

function wanted(form) {
  const given = $$('select[data-vault]', form).filter((select) => select.value !== 'none');
  const { email, is_admin: admin, mail } = form.elements;
  return {
    roles: Object.fromEntries(given.map((select) => [select.dataset.vault, select.value])),
    is_admin: Boolean(admin?.checked),
    email: email.value.trim() || undefined,
    delivery: mail?.checked ? 'mail' : 'link',
  };
}

$('#new-invite')?.addEventListener('click', () => openDialog('new-invite-dialog', {
  subject: 'new',
  hint: (problem) => (problem.status === 422 ? 'Change it and try again.' : ''),
  submit: async (form) => {
    const { data } = await call('POST', '/auth/invites', { json: wanted(form) });
    if (data.link) show(data.link);
    else notice(`The invitation is on its way to ${data.email}.`);
    await redraw();
  },
}));

function show(link) {
  $('#link').value = link;
  $('#made').hidden = false;
  // After the dialog has given the focus back.
  setTimeout(() => { $('#made').scrollIntoView({ block: 'nearest' }); $('#copy').focus(); });
}

$('#copy').addEventListener('click', () => copyFrom($('#link'), 'The link is copied.'));

list.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-action=withdraw]');
  if (!button) return;
  const item = button.closest('[data-invite]');
  complain(null);
  try {
    await call('DELETE', `/auth/invites/${encodeURIComponent(item.dataset.invite)}`);
    item.remove();
    $('#no-invites').hidden = list.children.length > 0;
    $('#open-title').scrollIntoView({ block: 'nearest' });
    notice('The invitation is withdrawn.');
  } catch (problem) {
    complain(problem);
  }
});
