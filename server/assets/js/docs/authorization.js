// An authorization for this page alone: a token that was typed, or a sign-in whose session ends with the page. It stays
// in memory.
import { openDialog } from '../dialog.js';
import { $ } from '../dom.js';
import { notice } from '../notice.js';

/** @type {?{token: string, name: string, endsWithPage: boolean}} */
let current = null;

/** @returns {Record<string, string>} */
export const authorizationHeader = () => (current ? { Authorization: `Bearer ${current.token}` } : {});

export function initAuthorization() {
  $('#authorize').addEventListener('click', () => openDialog('authorize-dialog', { subject: 'page', submit: authorize }));
  $('#unauthorize').addEventListener('click', () => { end(); notice('The authorization has ended.'); $('#authorize').focus(); });
  addEventListener('pagehide', end);
  showState();
}

async function authorize(form) {
  const data = new FormData(form);
  const token = data.get('token').trim();
  end();
  current = token ? { token, name: 'the token', endsWithPage: false } : await signIn(data);
  form.reset();
  showState();
}

async function signIn(data) {
  const body = new URLSearchParams({ grant_type: 'password', username: data.get('username'), password: data.get('password') });
  if (data.get('otp').trim()) body.set('otp', data.get('otp'));
  const answer = await fetch('/auth/token', { method: 'POST', body, credentials: 'omit' });
  const told = await answer.json();
  if (!answer.ok) {
    const text = told.error === 'mfa_required' ? 'This account has a second factor. Enter its code.' : told.detail;
    throw new Error(text ?? told.error_description ?? 'The sign-in failed.');
  }
  return { token: told.access_token, name: data.get('username').trim(), endsWithPage: true };
}

/** Ends the session of a sign-in on this page, also while the page is left. */
function end() {
  const ended = current;
  current = null;
  showState();
  if (ended?.endsWithPage) {
    const headers = { Authorization: `Bearer ${ended.token}` };
    void fetch('/auth/logout', { method: 'POST', headers, credentials: 'omit', keepalive: true }).catch(() => {});
  }
}

function showState() {
  const line = $('#authorized');
  line.textContent = current ? `Requests are sent with ${current.name === 'the token' ? 'the token' : `a session of ${current.name}`} that you authorized.` : line.dataset.own;
  $('#unauthorize').hidden = !current;
  $('#authorize').hidden = Boolean(current);
}
