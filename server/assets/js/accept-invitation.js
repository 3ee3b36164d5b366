// Shows what an invitation offers, before the form is filled in. The form works without this script.
import { call } from './api.js';
import { $ } from './dom.js';

/**
 * @param {{invited_by: string, is_admin: boolean, roles: Object<string, string>, groups?: string[],
 *   email: ?string}} invite
 */
function describe({ invited_by: by, is_admin: admin, roles, groups = [], email }) {
  const offered = Object.entries(roles).map(([vault, role]) => `${role} of ${vault}`);
  offered.push(...groups.map((group) => `a member of the group ${group}`));
  if (admin) offered.unshift('an administrator');
  const rights = offered.length ? ` You will be ${offered.join(', ')}.` : '';
  return `${by} invites you.${rights}${email ? ` Your e-mail address here is ${email}.` : ''}`;
}

async function showOffer() {
  const token = $('#token')?.value;
  if (!token) return;
  const offer = $('#offer'), form = $('#join');
  form.hidden = false;
  offer.className = '';
  try {
    const { data } = await call('POST', '/auth/invites/preview', { json: { invite: token } });
    offer.textContent = describe(data);
    $('#email-field').hidden = Boolean(data.email);
  } catch (problem) {
    offer.textContent = problem.message;
    offer.className = 'callout danger';
    // An invalid invitation hides the form, so that no one fills it in for nothing.
    form.hidden = problem.status === 403 || problem.status === 404 || problem.status === 410;
  }
}

void showOffer();
addEventListener('hashchange', () => void showOffer());
