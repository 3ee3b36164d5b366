// Device authorization (RFC 8628 §3.3): enter the user code, compare it, decide.
import { call } from './api.js';
import { isBusy, isComplete, setBusy, showError } from './dialog.js';
import { $, $$, setText } from './dom.js';
import { writeTimes } from './format.js';

const ask = $('#ask'), form = $('#code-form'), request = $('#request'), done = $('#done');
/** The request on display. The decision applies to it alone. */
let shown = null;

/** @param {Element} section @param {() => Promise<void>} action */
async function attempt(section, action) {
  if (isBusy(section)) return;
  setBusy(section, true);
  showError(section, null);
  try {
    await action();
  } catch (problem) {
    showError(section, problem, problem.status === 404 ? ' ' : '');
  } finally {
    setBusy(section, false);
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!isComplete(form, form)) return;
  void attempt(form, async () => {
    const { data } = await call('POST', '/auth/device/look', { json: { user_code: form.elements.user_code.value } });
    show(data);
  });
});

function show(data) {
  shown = data;
  for (const name of ['user_code', 'program', 'address']) setText(request, name, data[name]);
  setText(request, 'user_agent', data.user_agent ?? '–');
  $('time', request).setAttribute('datetime', data.asked_at);
  writeTimes(request);
  for (const line of $$('[data-scope]', request)) line.hidden = !data.scopes.includes(line.dataset.scope);
  ask.hidden = true;
  request.hidden = false;
  request.focus();
}

const decide = (decision, outcome, next) => attempt(request, async () => {
  await call('POST', '/auth/device/decide', { json: { user_code: shown.user_code, request: shown.request, decision } });
  setText(done, 'outcome', outcome);
  setText(done, 'next', next);
  request.hidden = true;
  done.hidden = false;
  done.focus();
});

const APPROVED = 'The device continues within a few seconds. You can close this page.';
const DENIED = 'The device got no access. If you did not start this, tell an administrator: someone tried to use your '
  + 'account.';

$('#approve').addEventListener('click', () => decide('approve', 'Device connected', APPROVED));
$('#deny').addEventListener('click', () => decide('deny', 'Device denied', DENIED));
