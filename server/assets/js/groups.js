// The groups page: members and roles.
import { call, fetchPage } from './api.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { markInvalid } from './field-error.js';
import { errorLine, notice, withErrorLine } from './notice.js';
import { suggestPeople } from './people.js';

const groups = $('#groups');
suggestPeople(groups);
const groupUrl = (name) => `/api/groups/${encodeURIComponent(name)}`;
const memberUrl = (group, name) => `${groupUrl(group)}/members/${encodeURIComponent(name)}`;
const roleUrl = (vault, group) => `/api/vaults/${encodeURIComponent(vault)}/groups/${encodeURIComponent(group)}`;
const groupOf = (element) => element.closest('[data-group]').dataset.group;

/** Replaces the groups with the server's rendering. @param {string} [focus] selector of the element to focus */
async function redraw(focus) {
  const fresh = await fetchPage(location.pathname);
  groups.replaceChildren(...$('#groups', fresh).children);
  $('#no-groups').hidden = groups.children.length > 0;
  if (focus) $(focus)?.focus();
}

/** @returns {HTMLElement} the error line */
function showFieldError(text) {
  errorLine('#groups-error')(new Error(text));
  return $('#groups-error');
}

const attempt = (action) => withErrorLine(errorLine('#groups-error'), action);

$('#new-group').addEventListener('click', () => openDialog('new-group-dialog', {
  subject: 'new',
  hint: (problem) => (problem.status === 409 || problem.status === 422 ? 'Choose another name.' : ''),
  submit: async (form) => {
    const { data } = await call('POST', '/api/groups', { json: { name: form.elements.name.value.trim() } });
    await redraw();
    notice(`The group ${data.name} is created.`);
  },
}));

groups.addEventListener('submit', (event) => {
  const form = event.target.closest('form[data-add]');
  if (!form) return;
  event.preventDefault();
  const group = groupOf(form), field = form.elements.username, name = field.value.trim();
  if (!name) return markInvalid(field, showFieldError('Enter a username.'));
  void attempt(async () => {
    try {
      await call('PUT', memberUrl(group, name));
    } catch (problem) {
      markInvalid(field, showFieldError(problem.message));
      throw problem;
    }
    await redraw(`#add-${CSS.escape(group)}`);
    notice(`${name} is added to ${group}.`);
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
      select.value = was; // the change failed, so show the old role
      throw problem;
    }
    select.dataset.was = select.value;
    notice(select.value === 'none'
      ? `${group} no longer has access to ${vault}.`
      : `${group} is ${select.value} of ${vault}.`);
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
    const undo = async () => {
      await call('PUT', memberUrl(group, member));
      await redraw(`#add-${CSS.escape(group)}`);
    };
    notice(`${member} is removed from ${group}.`, { undo });
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
