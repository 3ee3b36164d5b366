// One's own account: password and sessions.
import { call } from './api.js';
import { isBusy, isComplete, setBusy, showError } from './dialog.js';
import { $, $$ } from './dom.js';
import { notice } from './notice.js';
import { wirePasswords } from './password.js';

wirePasswords();

/** What to do next, where it is something else than elsewhere. */
const HINTS = { 403: 'Type it again, or set a new one by a link.', 422: 'Choose another one and try again.' };

const form = $('#password-form');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (isBusy(form) || !isComplete(form, form)) return;
  setBusy(form, true);
  showError(form, null);
  try {
    const { current_password: current, new_password: wanted, end_other_sessions: others } = form.elements;
    await call('PUT', '/auth/me/password', { json: { current_password: current.value, new_password: wanted.value, end_other_sessions: others.checked } });
    if (others.checked) leaveOnlyThis();
    form.reset();
    for (const meter of $$('.meter', form)) meter.hidden = true;
    notice('Your password is changed.');
  } catch (problem) {
    showError(form, problem, HINTS[problem.status]);
  } finally {
    setBusy(form, false);
  }
});

function leaveOnlyThis() {
  for (const session of $$('[data-session]:not([data-current])')) session.remove();
  $('#end-others')?.remove();
}

/** @param {() => Promise<void>} act */
async function attempt(act) {
  const line = $('#sessions-error');
  line.hidden = true;
  try {
    await act();
  } catch (problem) {
    line.hidden = false;
    line.textContent = `${problem.message} ${problem.advice ?? ''}`;
  }
}

$('#end-others')?.addEventListener('click', () => attempt(async () => {
  const { data } = await call('POST', '/auth/sessions/end-others');
  leaveOnlyThis();
  notice(data.ended === 1 ? 'One other session is ended.' : `${data.ended} other sessions are ended.`);
}));

$('#sessions').addEventListener('click', (event) => {
  const button = event.target.closest('[data-action=end-session]');
  if (!button) return;
  const item = button.closest('[data-session]');
  void attempt(async () => {
    await call('DELETE', `/auth/sessions/${encodeURIComponent(item.dataset.session)}`);
    item.remove();
    if ($$('[data-session]').length === 1) $('#end-others')?.remove();
    $('#sessions-title').scrollIntoView({ block: 'nearest' });
    notice('That session is ended.');
  });
});
