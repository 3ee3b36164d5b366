// Confirming that it is still oneself (RFC 9470): asked when the server wants a recent sign-in, and then what was under
// way goes on.
import { Problem, call } from './api.js';
import { openDialog } from './dialog.js';
import { $, cloneOf, put } from './dom.js';

/** @type {?Promise<void>} one dialog, however many requests wait for it */
let asking = null;

/** @throws {Problem} where somebody would rather not */
export function stepUp() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

async function ask() {
  const { data: needs } = await call('GET', '/auth/step-up');
  let done = false;
  const dialog = openDialog('step-up-dialog', {
    subject: `again ${Date.now()}`,
    prepare: (form) => {
      $('#step-up-code').hidden = !needs.otp;
      form.elements.otp.required = needs.otp;
      $('#step-up-passkey').hidden = !needs.passkey || !window.PublicKeyCredential;
      $('#step-up-providers').hidden = needs.providers.length === 0;
      $('#step-up-providers').replaceChildren(...needs.providers.map(again));
    },
    hint: (problem) => (problem.status === 403 ? 'Try again.' : ''),
    submit: async ({ elements: { password, otp } }) => {
      await call('POST', '/auth/step-up', { json: { password: password.value, otp: otp.value || null } });
      done = true;
    },
  });
  $('#step-up-passkey button').onclick = async () => {
    const line = $('[data-error]', dialog);
    line.hidden = true;
    try {
      await passkey();
      done = true;
      dialog.close();
    } catch (error) {
      line.hidden = false;
      line.textContent = error.message;
    }
  };
  await new Promise((closed) => { dialog.addEventListener('close', closed, { once: true }); });
  $('form', dialog).reset();
  if (!done) throw Object.assign(new Problem(0, { detail: 'Nothing was changed: this has to be confirmed first.' }), { advice: '' });
}

/** Leads there and back to this page: what was under way is begun anew then. */
function again({ id, name }) {
  const link = cloneOf('step-up-provider');
  put(link, 'provider', name);
  const here = location.pathname + location.search;
  link.href = `/auth/oidc/${encodeURIComponent(id)}?${new URLSearchParams({ again: '1', next: here })}`;
  return link;
}

async function passkey() {
  const { show } = await import('./passkey.js');
  const { ceremony, publicKey } = (await call('POST', '/auth/passkeys/step-up/options')).data;
  await call('POST', '/auth/passkeys/step-up', { json: { ceremony, credential: await show(publicKey) } });
}
