// Letting a program in: what is decided goes to the server, which says where to go on.
import { call } from './api.js';
import { isBusy, setBusy, showError } from './dialog.js';
import { $ } from './dom.js';

const KNOWN = [
  'client_id', 'redirect_uri', 'response_type', 'response_mode', 'scope', 'state', 'code_challenge',
  'code_challenge_method',
];
const place = $('#request');
const asked = new URLSearchParams(location.search);

async function decide(decision) {
  if (isBusy(place)) return;
  setBusy(place, true);
  showError(place, null);
  try {
    const given = KNOWN.filter((name) => asked.get(name)).map((name) => [name, asked.get(name)]);
    const { data } = await call('POST', '/auth/authorize', { json: { ...Object.fromEntries(given), decision } });
    location.replace(data.redirect_to);
  } catch (problem) {
    showError(place, problem);
    setBusy(place, false);
  }
}

$('#approve').addEventListener('click', () => decide('approve'));
$('#deny').addEventListener('click', () => decide('deny'));
