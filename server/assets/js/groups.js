// Groups: who is in them and what they may do.
import { call, page } from './api.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { notice } from './notice.js';

const groups = $('#groups');
const groupUrl = (name) => `/api/groups/${encodeURIComponent(name)}`;
const memberUrl = (group, name) => `${groupUrl(group)}/members/${encodeURIComponent(name)}`;
const roleUrl = (vault, group) => `/api/vaults/${encodeURIComponent(vault)}/groups/${encodeURIComponent(group)}`;
const groupOf = (element) => element.closest('[data-group]').dataset.group;

function complain(problem) {
  const line = $('#groups-error');
  line.hidden = !problem;
  line.textContent = problem ? `${problem.message} ${problem.advice ?? ''}` : '';
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

/** As the server draws them. @param {string} [focus] what one goes on with */
async function redraw(focus) {
  const fresh = await page(location.pathname);
  groups.replaceChildren(...$('#groups', fresh).children);
  $('#no-groups').hidden = groups.children.length > 0;
  if (focus) $(focus)?.focus();
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

$('#new-group').addEventListener('click', () => openDialog('new-group-dialog', {
  subject: 'new',
  hint: (problem) => (problem.status === 409 || problem.status === 422 ? 'Choose another name.' : ''),
  submit: async (form) => {
    const { data } = await call('POST', '/api/groups', { json: { name: form.elements.name.value.trim() } });
    await redraw();
    notice(`The group ${data.name} is there.`);
  },
}));

groups.addEventListener('submit', (event) => {
  const form = event.target.closest('form[data-add]');
  if (!form) return;
  event.preventDefault();
  const group = groupOf(form), field = form.elements.username, name = field.value.trim();
  if (!name) return field.focus();
  void attempt(async () => {
    await call('PUT', memberUrl(group, name));
    await redraw(`#add-${CSS.escape(group)}`);
    notice(`${name} is in ${group}.`);
  });
});

groups.addEventListener('change', (event) => {
  const select = event.target.closest('select[data-vault]');
  if (!select) return;
  const group = groupOf(select), { vault, was } = select.dataset;
  void attempt(async () => {
    try {
      if (select.value === 'none') await call('DELETE', roleUrl(vault, group));
      else await call('PUT', roleUrl(vault, group), { json: { role: select.value } });
    } catch (problem) {
      select.value = was; // what is shown is what is
      throw problem;
    }
    select.dataset.was = select.value;
    notice(select.value === 'none' ? `${group} has no access to ${vault} any more.` : `${group} is ${select.value} of ${vault}.`);
  });
});

groups.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-action]');
  if (!button) return;
  const group = groupOf(button);
  if (button.dataset.action === 'delete-group') return askToDelete(group);
  const { member } = button.closest('[data-member]').dataset;
  void attempt(async () => {
    await call('DELETE', memberUrl(group, member));
    await redraw(`#add-${CSS.escape(group)}`);
    notice(`${member} is not in ${group} any more.`);
  });
});

function askToDelete(group) {
  openDialog('delete-group-dialog', {
    subject: group,
    submit: async () => {
      await call('DELETE', groupUrl(group));
      await redraw();
      notice(`The group ${group} is deleted.`);
    },
  });
}
