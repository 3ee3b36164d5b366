// Letting a device in: type its code, compare, decide.
import { call } from './api.js';
import { isBusy, isComplete, setBusy, showError } from './dialog.js';
import { $, $$, put } from './dom.js';
import { writeTimes } from './format.js';

const ask = $('#ask'), form = $('#code-form'), request = $('#request'), done = $('#done');
/** What is shown: the decision is about this and nothing else. */
let seen = null;

/** @param {Element} place @param {() => Promise<void>} act */
async function attempt(place, act) {
  if (isBusy(place)) return;
  setBusy(place, true);
  showError(place, null);
  try {
    await act();
  } catch (problem) {
    showError(place, problem, problem.status === 404 ? ' ' : '');
  } finally {
    setBusy(place, false);
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
  seen = data;
  for (const name of ['user_code', 'program', 'address']) put(request, name, data[name]);
  put(request, 'user_agent', data.user_agent ?? '–');
  $('time', request).setAttribute('datetime', data.asked_at);
  writeTimes(request);
  for (const line of $$('[data-scope]', request)) line.hidden = !data.scopes.includes(line.dataset.scope);
  ask.hidden = true;
  request.hidden = false;
  request.focus();
}

const decide = (decision, outcome, next) => attempt(request, async () => {
  await call('POST', '/auth/device/decide', { json: { user_code: seen.user_code, request: seen.request, decision } });
  put(done, 'outcome', outcome);
  put(done, 'next', next);
  request.hidden = true;
  done.hidden = false;
  done.focus();
});

$('#approve').addEventListener('click', () => decide('approve', 'The device is in', 'It goes on by itself within a few seconds. You can close this page.'));
$('#deny').addEventListener('click', () => decide('deny', 'The device was refused', 'Nobody was let in. If you did not start this, somebody tried to act in your name: tell an administrator.'));
