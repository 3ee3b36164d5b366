// Step-up authentication (RFC 9470): asks for a recent sign-in. api.js then repeats the request that needed it.
import { Problem, call } from './api.js';
import { openDialog } from './dialog.js';
import { $, cloneTemplate, setText } from './dom.js';

/** @type {?Promise<void>} all waiting requests share one dialog */
let pending = null;

/** @throws {Problem} if the user cancels */
export function stepUp() {
  pending ??= prompt().finally(() => { pending = null; });
  return pending;
}

async function prompt() {
  const { data: options } = await call('GET', '/auth/step-up');
  let confirmed = false;
  const dialog = openDialog('step-up-dialog', {
    subject: `step-up ${Date.now()}`,
    prepare: (form) => {
      $('#step-up-code').hidden = !options.otp;
      form.elements.otp.required = options.otp;
      $('#step-up-passkey').hidden = !options.passkey || !window.PublicKeyCredential;
      $('#step-up-providers').hidden = options.providers.length === 0;
      $('#step-up-providers').replaceChildren(...options.providers.map(providerLink));
    },
    hint: (problem) => (problem.status === 403 ? 'Try again.' : ''),
    submit: async ({ elements: { password, otp } }) => {
      await call('POST', '/auth/step-up', { json: { password: password.value, otp: otp.value || null } });
      confirmed = true;
    },
  });
  $('#step-up-passkey button').onclick = async () => {
    const line = $('[data-error]', dialog);
    line.hidden = true;
    try {
      await confirmWithPasskey();
      confirmed = true;
      dialog.close();
    } catch (error) {
      line.hidden = false;
      line.textContent = error.message;
    }
  };
  await new Promise((closed) => { dialog.addEventListener('close', closed, { once: true }); });
  $('form', dialog).reset();
  if (confirmed) return;
  const problem = new Problem(0, { detail: 'Nothing was changed: this action needs a recent sign-in.' });
  throw Object.assign(problem, { advice: '' });
}

/** Signs in again at the provider and returns to this page. The action has to be started again there. */
function providerLink({ id, name }) {
  const link = cloneTemplate('step-up-provider');
  setText(link, 'provider', name);
  const here = location.pathname + location.search;
  link.href = `/auth/oidc/${encodeURIComponent(id)}?${new URLSearchParams({ again: '1', next: here })}`;
  return link;
}

async function confirmWithPasskey() {
  const { getPasskey } = await import('./passkey.js');
  const { ceremony, publicKey } = (await call('POST', '/auth/passkeys/step-up/options')).data;
  await call('POST', '/auth/passkeys/step-up', { json: { ceremony, credential: await getPasskey(publicKey) } });
}
