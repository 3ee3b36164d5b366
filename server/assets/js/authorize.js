// OAuth consent: sends the decision to the server and follows its redirect.
import { call } from './api.js';
import { isBusy, setBusy, showError } from './dialog.js';
import { $ } from './dom.js';

const PARAMETERS = [
  'client_id', 'redirect_uri', 'response_type', 'response_mode', 'scope', 'state', 'code_challenge',
  'code_challenge_method',
];
const section = $('#request');
const query = new URLSearchParams(location.search);

async function decide(decision) {
  if (isBusy(section)) return;
  setBusy(section, true);
  showError(section, null);
  try {
    const given = PARAMETERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]);
    const { data } = await call('POST', '/auth/authorize', { json: { ...Object.fromEntries(given), decision } });
    location.replace(data.redirect_to);
  } catch (problem) {
    showError(section, problem);
    setBusy(section, false);
  }
}

$('#approve').addEventListener('click', () => decide('approve'));
$('#deny').addEventListener('click', () => decide('deny'));
