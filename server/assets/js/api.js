// Talks to the server's API with the page's own session, and puts refusals into words.

/**
 * @typedef {{filename: string, description: ?string, status: 'unlocked'|'locked'|'checked_out_by_user', revision: number,
 *   size: number, sha256: string, modified_at: string, modified_by: string, locked_by: ?string, locked_at: ?string,
 *   lock_note: ?string, change: number}} File
 */

/** A refusal, in words: what the server said and what to do next. */
export class Problem extends Error {
  /** @param {number} status 0 where no answer came @param {any} body problem+json, if it was */
  constructor(status, body = {}) {
    const said = body.errors?.length ? body.errors.map((error) => error.detail).join(' ') : body.detail;
    super(sentence(said || 'The server could not do this.'));
    this.status = status;
    this.advice = advice(status, body);
  }
}

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

function advice(status, body) {
  if (status === 0) return 'Check the connection, then try again. What you typed is still here.';
  if (status === 401) return 'Sign in again in another tab, then try again here.';
  if (status === 403) return 'If you need to do this, ask a manager of the vault or an administrator.';
  if (status === 404) return 'It may have been moved or deleted meanwhile.';
  if (status === 413) return 'Ask an administrator to raise the limit if the file is meant to be this large.';
  if (status === 429 || status === 503) return 'The server is busy: wait a moment, then try again.';
  if (status >= 500) return `Nothing was changed. Try again; if it stays, tell an administrator this number: ${body.request_id ?? status}.`;
  return '';
}

export const unreachable = () => new Problem(0, { detail: 'The server cannot be reached.' });

/** Sends people without a session to sign in, unless that would throw away what they are typing. */
export function signedOut() {
  if (!document.querySelector('dialog[open]')) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  return new Problem(401, { detail: 'Your session has ended.' });
}

/** @returns {Problem} from a status and the text of an answer */
export function problemOf(status, text) {
  if (status === 401) return signedOut();
  if (status === 403 && text.includes('mfa_enrolment_required')) location.assign('/account/factors');
  try {
    return new Problem(status, JSON.parse(text));
  } catch {
    return new Problem(status);
  }
}

/** A new Idempotency-Key: the same request under the same key is done once. Works on plain http too. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * One request. Its JSON answer (null where there is none) and the address of the next page.
 * @param {string} method @param {string} url @param {{json?: any, signal?: AbortSignal}} [options]
 * @returns {Promise<{data: any, next: ?string}>}
 * @throws {Problem} or AbortError
 */
export async function call(method, url, { json, signal } = {}) {
  const headers = { accept: 'application/json' };
  if (json !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET') headers['idempotency-key'] = newKey();
  const request = { method, headers, body: json === undefined ? undefined : JSON.stringify(json), signal };
  let answer = await ask(url, request);
  let text = await answer.text();
  if (answer.status === 401 && wantsRecentSignIn(text)) {
    const { stepUp } = await import('./step-up.js');
    await stepUp();
    answer = await ask(url, request);
    text = await answer.text();
  }
  if (!answer.ok) throw problemOf(answer.status, text);
  return { data: text ? JSON.parse(text) : null, next: nextOf(answer.headers.get('link')) };
}

/** RFC 9470: the session is good, and not fresh enough for this. */
function wantsRecentSignIn(text) {
  try {
    return JSON.parse(text).error === 'insufficient_user_authentication';
  } catch {
    return false;
  }
}

/** Another page of ours, parsed; nothing in it runs. @returns {Promise<Document>} */
export async function page(url, signal) {
  const answer = await ask(url, { headers: { accept: 'text/html' }, signal });
  if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === '/sign-in')) throw signedOut();
  if (!answer.ok) throw new Problem(answer.status, { detail: 'The list could not be loaded.' });
  return new DOMParser().parseFromString(await answer.text(), 'text/html');
}

async function ask(url, options) {
  try {
    return await fetch(url, { ...options, credentials: 'same-origin' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw unreachable();
  }
}

/** RFC 8288, as far as the server uses it. */
function nextOf(link) {
  const found = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link ?? '');
  return found && found[1];
}

/** The addresses of one vault. */
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
