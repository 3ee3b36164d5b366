// One's own name and e-mail address.
import { call } from './api.js';
import { isBusy, setBusy, showError } from './dialog.js';
import { $ } from './dom.js';
import { notice } from './notice.js';

const form = $('#profile-form');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (isBusy(form)) return;
  setBusy(form, true);
  showError(form, null);
  const { display_name: name, email } = form.elements;
  try {
    const { data } = await call('PATCH', '/auth/me', { json: { display_name: name.value.trim() || null, email: email.value.trim() || null } });
    notice(data.email_to_confirm ? `Follow the link that is on its way to ${data.email_to_confirm}: then that is your address.` : 'Saved.');
  } catch (problem) {
    showError(form, problem, problem.status === 422 ? 'Change it and try again.' : '');
  } finally {
    setBusy(form, false);
  }
});

$('#send-link')?.addEventListener('click', async ({ currentTarget: button }) => {
  button.disabled = true;
  showError(form, null);
  try {
    await call('POST', '/auth/me/email/send');
    notice('The link is on its way: follow it, and the address is confirmed.');
  } catch (problem) {
    showError(form, problem);
  } finally {
    button.disabled = false;
  }
});
