// Passkeys: asks the browser to make or to show one, and puts what went wrong into words. The conversions are ours:
// browsers of last year have no `parseCreationOptionsFromJSON`, and some password managers break `toJSON`.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));

const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

const known = (credentials = []) => credentials.map((credential) => ({ ...credential, id: bytes(credential.id) }));

/** Whether passkeys work in this browser on this page. @param {?string} origin where the server says that they do */
export const isPossible = (origin) => Boolean(window.PublicKeyCredential) && location.origin === origin;

/** @param {any} options `PublicKeyCredentialCreationOptionsJSON` @returns {Promise<any>} `RegistrationResponseJSON` */
export async function make(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  };
  const { rawId, response } = await asked(() => navigator.credentials.create({ publicKey }));
  return whole(rawId, {
    attestationObject: text(response.attestationObject),
    clientDataJSON: text(response.clientDataJSON),
    transports: response.getTransports?.() ?? [],
  });
}

/**
 * @param {any} options `PublicKeyCredentialRequestOptionsJSON`
 * @param {{mediation?: 'conditional', signal?: AbortSignal}} [how]
 * @returns {Promise<any>} `AuthenticationResponseJSON`
 */
export async function show(options, how = {}) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials) };
  const { rawId, response } = await asked(() => navigator.credentials.get({ publicKey, ...how }));
  return whole(rawId, {
    authenticatorData: text(response.authenticatorData),
    clientDataJSON: text(response.clientDataJSON),
    signature: text(response.signature),
    userHandle: response.userHandle && text(response.userHandle),
  });
}

const whole = (rawId, response) => ({ id: text(rawId), rawId: text(rawId), type: 'public-key', clientExtensionResults: {}, response });

/** What browsers say when there is no passkey; the name stays, so that callers can tell a change of mind. */
const words = {
  NotAllowedError: 'No passkey was used: it was cancelled, or it took too long.',
  InvalidStateError: 'This device already has a passkey for this account.',
  SecurityError: 'Passkeys do not work at this address.',
  NotSupportedError: 'This device cannot make passkeys that work here.',
  ConstraintError: 'This device cannot check that it is you. Set up a PIN or a screen lock on it first.',
};

async function asked(act) {
  try {
    return await act();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    const said = new Error(words[error.name] ?? 'The browser could not use a passkey.');
    throw Object.assign(said, { name: error.name, advice: '' });
  }
}
