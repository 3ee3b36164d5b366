// Passkeys (WebAuthn): creates and uses credentials, and turns browser errors into messages. The conversions are done
// here: older browsers lack `parseCreationOptionsFromJSON`, and some password managers break `toJSON`.

function fromBase64Url(text) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

const toBase64Url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

const withBytes = (credentials = []) =>
  credentials.map((credential) => ({ ...credential, id: fromBase64Url(credential.id) }));

/** Whether passkeys work in this browser on this page. @param {?string} origin where the server accepts them */
export const isSupported = (origin) => Boolean(window.PublicKeyCredential) && location.origin === origin;

/** @param {any} options `PublicKeyCredentialCreationOptionsJSON` @returns {Promise<any>} `RegistrationResponseJSON` */
export async function createPasskey(options) {
  const publicKey = {
    ...options,
    challenge: fromBase64Url(options.challenge),
    user: { ...options.user, id: fromBase64Url(options.user.id) },
    excludeCredentials: withBytes(options.excludeCredentials),
  };
  const { rawId, response } = await withMessages(() => navigator.credentials.create({ publicKey }));
  return credentialJson(rawId, {
    attestationObject: toBase64Url(response.attestationObject),
    clientDataJSON: toBase64Url(response.clientDataJSON),
    transports: response.getTransports?.() ?? [],
  });
}

/**
 * @param {any} options `PublicKeyCredentialRequestOptionsJSON`
 * @param {{mediation?: 'conditional', signal?: AbortSignal}} [requestOptions]
 * @returns {Promise<any>} `AuthenticationResponseJSON`
 */
export async function getPasskey(options, requestOptions = {}) {
  const publicKey = {
    ...options,
    challenge: fromBase64Url(options.challenge),
    allowCredentials: withBytes(options.allowCredentials),
  };
  const { rawId, response } = await withMessages(() => navigator.credentials.get({ publicKey, ...requestOptions }));
  return credentialJson(rawId, {
    authenticatorData: toBase64Url(response.authenticatorData),
    clientDataJSON: toBase64Url(response.clientDataJSON),
    signature: toBase64Url(response.signature),
    userHandle: response.userHandle && toBase64Url(response.userHandle),
  });
}

function credentialJson(rawId, response) {
  const id = toBase64Url(rawId);
  return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
}

/** Messages by DOMException name. The name is kept, so that callers can detect a cancelled request. */
const ERROR_TEXT = {
  NotAllowedError: 'The passkey request was cancelled or timed out.',
  InvalidStateError: 'This device already has a passkey for this account.',
  SecurityError: 'Passkeys do not work at this address.',
  NotSupportedError: 'This device does not support the required kind of passkey.',
  ConstraintError: 'This device cannot verify the user. Set up a PIN or a screen lock first.',
};

async function withMessages(action) {
  try {
    return await action();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    const message = ERROR_TEXT[error.name] ?? 'The browser could not use a passkey.';
    throw Object.assign(new Error(message), { name: error.name, advice: '' });
  }
}
