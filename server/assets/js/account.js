// The account page: password and sessions.
import { call } from './api.js';
import { confirm } from './confirm.js';
import { isBusy, isComplete, setBusy, showError } from './dialog.js';
import { $, $$ } from './dom.js';
import { errorLine, notice, withErrorLine } from './notice.js';
import { initPasswordFields } from './password.js';

initPasswordFields();

/** Advice by status, in place of the general advice. */
const HINTS = { 403: 'Enter it again, or reset your password.', 422: 'Choose another password.' };

const form = $('#password-form');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (isBusy(form) || !isComplete(form, form)) return;
  setBusy(form, true);
  showError(form, null);
  try {
    const { current_password: current, new_password: fresh, end_other_sessions: others } = form.elements;
    const json = { current_password: current.value, new_password: fresh.value, end_other_sessions: others.checked };
    await call('PUT', '/auth/me/password', { json });
    if (others.checked) removeOtherSessions();
    form.reset();
    for (const meter of $$('.password-meter', form)) meter.hidden = true;
    notice('Your password is changed.');
  } catch (problem) {
    showError(form, problem, HINTS[problem.status]);
  } finally {
    setBusy(form, false);
  }
});

function removeOtherSessions() {
  for (const session of $$('[data-session]:not([data-current])')) session.remove();
  $('#end-others')?.remove();
}

const attempt = (action) => withErrorLine(errorLine('#sessions-error'), action);

async function endOthers() {
  const { data } = await call('POST', '/auth/sessions/end-others');
  removeOtherSessions();
  notice(data.ended === 1 ? '1 other session has ended.' : `${data.ended} other sessions have ended.`);
}

$('#end-others')?.addEventListener('click', async () => {
  const isConfirmed = await confirm({
    question: 'Sign out everywhere else?', verb: 'Sign out everywhere else',
    consequence: 'Your other browsers and apps have to sign in again. Access tokens of scripts stay valid.',
  });
  if (isConfirmed) await attempt(endOthers);
});

$('#sessions').addEventListener('click', (event) => {
  const button = event.target.closest('[data-action=end-session]');
  if (!button) return;
  const item = button.closest('[data-session]');
  void attempt(async () => {
    await call('DELETE', `/auth/sessions/${encodeURIComponent(item.dataset.session)}`);
    item.remove();
    if ($$('[data-session]').length === 1) $('#end-others')?.remove();
    $('#sessions-title').scrollIntoView({ block: 'nearest' });
    notice('The session has ended.');
  });
});
