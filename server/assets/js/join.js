// What an invitation offers, told before one fills in the form. The form works without.
import { call } from './api.js';
import { $ } from './dom.js';

/** @param {{invited_by: string, is_admin: boolean, roles: Object<string, string>, email: ?string}} invite */
function words({ invited_by: by, is_admin: admin, roles, email }) {
  const given = Object.entries(roles).map(([vault, role]) => `${role} of ${vault}`);
  if (admin) given.unshift('an administrator');
  const what = given.length ? ` You will be ${given.join(', ')}.` : '';
  return `${by} invites you.${what}${email ? ` Your e-mail address here is ${email}.` : ''}`;
}

async function tell() {
  const token = $('#token')?.value;
  if (!token) return;
  const offer = $('#offer'), form = $('#join');
  form.hidden = false;
  offer.className = '';
  try {
    const { data } = await call('POST', '/auth/invites/preview', { json: { invite: token } });
    offer.textContent = words(data);
    $('#email-field').hidden = Boolean(data.email);
  } catch (problem) {
    offer.textContent = problem.message;
    offer.className = 'callout danger';
    // Nobody shall choose a password for a door that is shut.
    form.hidden = problem.status === 403 || problem.status === 404 || problem.status === 410;
  }
}

void tell();
addEventListener('hashchange', () => void tell());
