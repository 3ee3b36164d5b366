// The API client of the pages. It uses the session cookie and turns errors into messages.

/**
 * @typedef {{filename: string, description: ?string, status: 'unlocked'|'locked'|'checked_out_by_user',
 *   revision: number, size: number, sha256: string, modified_at: string, modified_by: string, locked_by: ?string,
 *   locked_by_name?: string, locked_at: ?string, lock_note: ?string, change: number}} File
 */

/**
 * The account that this page was drawn for. Tabs share one cookie, and another tab may have signed in as another user:
 * the server then refuses every request of this page. @type {?string}
 */
export const pageAccount = document.querySelector('meta[name="strongroom-account"]')?.content ?? null;

/** Headers for every request of a page. @param {Record<string, string>} headers */
export const pageHeaders = (headers) => (
  pageAccount ? { ...headers, 'x-strongroom-account': pageAccount } : headers
);

export const ACCOUNT_CHANGED = '/problems/account-changed';

/** An error response: the detail from the server, and advice on what to do next. */
export class Problem extends Error {
  /** @param {number} status 0 if there was no response @param {any} body problem+json, if any */
  constructor(status, body = {}) {
    const detail = body.errors?.length ? body.errors.map((error) => error.detail).join(' ') : body.detail;
    super(sentence(detail || 'The request failed.'));
    this.status = status;
    /** @type {string} the URI of the kind, empty if there is none */
    this.type = body.type ?? '';
    this.pointer = body.errors?.[0]?.pointer;
    this.advice = advice(status, body);
  }
}

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

function advice(status, body) {
  if (body.type === ACCOUNT_CHANGED) return 'Reload the page to go on as that user.';
  if (status === 0) return 'Check the connection, then try again. Your input is kept.';
  if (status === 401) return 'Sign in again in another tab, then try again here.';
  if (status === 403) return 'If you need to do this, ask a manager of the vault or an administrator.';
  if (status === 404) return 'It may have been moved or deleted.';
  if (status === 413) return 'If the file size is intended, ask an administrator to raise the limit.';
  if (status === 429 || status === 503) return 'The server is busy. Wait a moment, then try again.';
  if (status >= 500) {
    const id = body.request_id ?? status;
    return `Nothing was changed. Try again. If the error persists, give an administrator this request id: ${id}.`;
  }
  return '';
}

export const unreachable = () => new Problem(0, { detail: 'The server cannot be reached.' });

/** Goes to the sign-in page, unless an open dialog may hold unsaved input. */
export function signedOut() {
  if (!document.querySelector('dialog[open]')) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  return new Problem(401, { detail: 'Your session has ended.' });
}

/** @returns {Problem} from the status and body of a response */
export function problemFrom(status, text) {
  if (status === 401) return signedOut();
  if (status === 403 && text.includes('mfa_enrolment_required')) location.assign('/account/factors');
  try {
    return new Problem(status, JSON.parse(text));
  } catch {
    return new Problem(status);
  }
}

/** A new Idempotency-Key. The server runs requests with the same key once. Works over plain http too. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, '0'))
  .join('');

/** Obtains a recent sign-in (RFC 9470). Set by page.js, because the dialog itself makes API calls. */
let stepUp = () => Promise.reject(new Problem(401, { detail: 'This action needs a recent sign-in.' }));

/** @param {() => Promise<void>} handler */
export function setStepUp(handler) {
  stepUp = handler;
}

/**
 * Sends one request. Returns its JSON body (null if there is none) and the URL of the next page.
 * @param {string} method @param {string} url @param {{json?: any, signal?: AbortSignal}} [options]
 * @returns {Promise<{data: any, next: ?string}>}
 * @throws {Problem} or AbortError
 */
export async function call(method, url, { json, signal } = {}) {
  const headers = { accept: 'application/json' };
  if (json !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET') headers['idempotency-key'] = newKey();
  const request = { method, headers, body: json === undefined ? undefined : JSON.stringify(json), signal };
  let response = await send(url, request);
  let text = await response.text();
  if (response.status === 401 && needsRecentSignIn(text)) {
    await stepUp();
    response = await send(url, request);
    text = await response.text();
  }
  if (!response.ok) throw problemFrom(response.status, text);
  return { data: text ? JSON.parse(text) : null, next: nextLink(response.headers.get('link')) };
}

/** RFC 9470: the session is valid, but its sign-in is too old. */
function needsRecentSignIn(text) {
  try {
    return JSON.parse(text).error === 'insufficient_user_authentication';
  } catch {
    return false;
  }
}

/** Fetches and parses a page of this site without running its scripts. @returns {Promise<Document>} */
export async function fetchPage(url, signal) {
  const response = await send(url, { headers: { accept: 'text/html' }, signal });
  const toSignIn = response.redirected && new URL(response.url).pathname === '/sign-in';
  if (response.status === 401 || toSignIn) throw signedOut();
  if (response.status === 409) {
    throw new Problem(409, { detail: 'Another user is signed in to this browser now.', type: ACCOUNT_CHANGED });
  }
  if (!response.ok) throw new Problem(response.status, { detail: 'The list could not be loaded.' });
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

async function send(url, options) {
  try {
    return await fetch(url, { ...options, headers: pageHeaders(options.headers), credentials: 'same-origin' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw unreachable();
  }
}

/** The `next` link of a Link header (RFC 8288). */
function nextLink(link) {
  const match = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link ?? '');
  return match && match[1];
}

/** The URLs of one vault. */
export function vaultUrls(vault) {
  const api = `/api/vaults/${encodeURIComponent(vault)}`;
  const page = `/v/${encodeURIComponent(vault)}`;
  const path = (name) => name.split('/').map(encodeURIComponent).join('/');
  return {
    files: `${api}/files`,
    file: (name, verb = '') => `${api}/files/${encodeURIComponent(name)}${verb && `/${verb}`}`,
    filePage: (name) => `${page}/h/${path(name)}`,
    folderPage: (name) => (name ? `${page}/f/${path(name)}` : page),
  };
}
