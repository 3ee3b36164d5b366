// The profile form: name and e-mail address.
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
    const json = { display_name: name.value.trim() || null, email: email.value.trim() || null };
    const { data: { email_to_confirm: pending } } = await call('PATCH', '/auth/me', { json });
    notice(pending
      ? `A confirmation link is on its way to ${pending}. The change takes effect when you open it.`
      : 'Saved.');
  } catch (problem) {
    showError(form, problem, problem.status === 422 ? 'Correct it, then try again.' : '');
  } finally {
    setBusy(form, false);
  }
});

$('#send-link')?.addEventListener('click', async ({ currentTarget: button }) => {
  button.disabled = true;
  showError(form, null);
  try {
    await call('POST', '/auth/me/email/send');
    notice('A confirmation link is on its way.');
  } catch (problem) {
    showError(form, problem);
  } finally {
    button.disabled = false;
  }
});
