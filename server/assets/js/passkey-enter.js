// Signing in with a passkey: with the button, or from what the browser offers in the username field (conditional UI).
import { isPossible, show } from './passkey.js';
import { $ } from './dom.js';

/** A challenge is good for five minutes; what waits longer asks for a new one. */
const FRESH = 4 * 60 * 1000;

const place = $('#passkey');
const button = $('#passkey-button');
/** Ends what the browser offers meanwhile: there can be one request at a time. */
let offer = new AbortController();

async function post(url, json) {
  const headers = { accept: 'application/json', ...(json && { 'content-type': 'application/json' }) };
  const answer = await fetch(url, { method: 'POST', credentials: 'same-origin', headers, body: json && JSON.stringify(json) })
    .catch(() => { throw new Error('The server cannot be reached. Check the connection, then try again.'); });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  let said;
  try { said = JSON.parse(text).detail; } catch { /* said nothing that is for people */ }
  throw new Error(said ?? 'The server could not do this. Try again.');
}

/** @param {{mediation?: 'conditional', signal?: AbortSignal}} [how] */
async function enter(how) {
  const { ceremony, publicKey } = await post(place.dataset.options);
  const credential = await show(publicKey, how);
  await post(place.dataset.answer, { ceremony, credential });
  location.assign(place.dataset.next);
}

function complain(error) {
  const line = $('[data-error]', place);
  line.hidden = !error;
  line.textContent = error?.message ?? '';
}

button?.addEventListener('click', async () => {
  offer.abort();
  complain(null);
  button.ariaBusy = 'true';
  button.disabled = true;
  try {
    await enter();
  } catch (error) {
    complain(error);
    button.disabled = false;
    button.focus();
    void makeOffer();
  } finally {
    button.ariaBusy = 'false';
  }
});

/** In the username field, together with saved passwords. Nobody asked for it, so nothing is said where it fails. */
async function makeOffer() {
  if (!('offer' in place.dataset) || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  offer = new AbortController();
  const { signal } = offer;
  const renewal = setTimeout(() => {
    offer.abort();
    void whenSeen().then(makeOffer);
  }, FRESH);
  try {
    await enter({ mediation: 'conditional', signal });
  } catch (error) {
    if (!signal.aborted && error.name === 'Error') complain(error);
  } finally {
    clearTimeout(renewal);
  }
}

/** Until somebody looks at this page (again). */
function whenSeen() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((seen) => { document.addEventListener('visibilitychange', seen, { once: true }); });
}

if (place && isPossible(place.dataset.at)) {
  place.hidden = false;
  void makeOffer();
  // Back from the page behind: the button works again.
  addEventListener('pageshow', () => { button.disabled = false; });
} else if (place && window.PublicKeyCredential && location.origin !== place.dataset.at) {
  // The same machine under another name: browsers make no passkeys for a bare address.
  $('#passkey-elsewhere')?.removeAttribute('hidden');
}
