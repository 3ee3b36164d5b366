// Passkey sign-in: with the button, or by autofill in the username field (WebAuthn conditional UI).
import { pageHeaders } from './api.js';
import { getPasskey, isSupported } from './passkey.js';
import { $ } from './dom.js';

/** A challenge is valid for five minutes; autofill renews it earlier. */
const AUTOFILL_LIFETIME = 4 * 60 * 1000;

const container = $('#passkey');
const button = $('#passkey-button');
/** Aborts the autofill request: the browser allows only one request at a time. */
let autofill = new AbortController();

async function post(url, json) {
  const headers = pageHeaders({ accept: 'application/json', ...(json && { 'content-type': 'application/json' }) });
  const body = json && JSON.stringify(json);
  const response = await fetch(url, { method: 'POST', credentials: 'same-origin', headers, body })
    .catch(() => { throw new Error('The server cannot be reached. Check the connection, then try again.'); });
  const text = await response.text();
  if (response.ok) return text ? JSON.parse(text) : null;
  let detail;
  try { detail = JSON.parse(text).detail; } catch { /* not JSON */ }
  throw new Error(detail ?? 'The request failed. Try again.');
}

/** @param {{mediation?: 'conditional', signal?: AbortSignal}} [requestOptions] */
async function signIn(requestOptions) {
  const { ceremony, publicKey } = await post(container.dataset.options);
  const credential = await getPasskey(publicKey, requestOptions);
  await post(container.dataset.finish, { ceremony, credential, stay_signed_in: Boolean($('#stay')?.checked) });
  location.assign(container.dataset.next);
}

function showError(error) {
  const line = $('[data-error]', container);
  line.hidden = !error;
  line.textContent = error?.message ?? '';
}

button?.addEventListener('click', async () => {
  autofill.abort();
  showError(null);
  button.ariaBusy = 'true';
  button.disabled = true;
  try {
    await signIn();
  } catch (error) {
    showError(error);
    button.disabled = false;
    button.focus();
    void startAutofill();
  } finally {
    button.ariaBusy = 'false';
  }
});

/** Offers passkeys in the username field. The user did not ask for it, so most errors are silent. */
async function startAutofill() {
  if (!('autofill' in container.dataset) || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  autofill = new AbortController();
  const { signal } = autofill;
  const renewal = setTimeout(() => {
    autofill.abort();
    void whenVisible().then(startAutofill);
  }, AUTOFILL_LIFETIME);
  try {
    await signIn({ mediation: 'conditional', signal });
  } catch (error) {
    if (!signal.aborted && error.name === 'Error') showError(error);
  } finally {
    clearTimeout(renewal);
  }
}

/** Resolves when the page is visible. */
function whenVisible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((visible) => { document.addEventListener('visibilitychange', visible, { once: true }); });
}

if (container && isSupported(container.dataset.origin)) {
  container.hidden = false;
  void startAutofill();
  // After the Back button the passkey button works again.
  addEventListener('pageshow', () => { button.disabled = false; });
} else if (container && window.PublicKeyCredential && location.origin !== container.dataset.origin) {
  // The page is open at another origin, where these passkeys do not work.
  $('#passkey-elsewhere')?.removeAttribute('hidden');
}
