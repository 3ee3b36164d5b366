// Sends the request of a form and shows the response. With an authorization, the cookie stays out of the request,
// because a request has exactly one kind of credentials.
import { pageHeaders } from '../api.js';
import { authorizationHeader } from './authorization.js';
import { codeBlock, element } from './element.js';

const SHOWN_HEADERS = ['content-type', 'etag', 'location', 'link', 'retry-after', 'www-authenticate', 'x-request-id'];
const MAX_SHOWN = 200_000;

/**
 * @param {{operation: import('./operation.js').Operation, form: HTMLFormElement, mediaType?: string,
 *   response: HTMLElement, stop: HTMLButtonElement}} options
 */
export async function send({ operation, form, mediaType, response, stop }) {
  const abort = new AbortController();
  stop.onclick = () => abort.abort();
  stop.hidden = false;
  response.replaceChildren(element('p', { className: 'quiet' }, 'Waiting for the response.'));
  try {
    const { url, options } = request(operation, new FormData(form), mediaType);
    await show(await fetch(url, { ...options, signal: abort.signal }), response);
  } catch (problem) {
    const text = problem.name === 'AbortError' ? 'Stopped.' : `The request failed: ${problem.message}.`;
    response.append(element('p', { className: 'callout warning' }, text));
  } finally {
    stop.hidden = true;
  }
}

function request({ method, path }, data, mediaType) {
  const authorization = authorizationHeader();
  const accept = { Accept: 'application/json, */*;q=0.5' };
  const headers = new Headers(authorization.Authorization ? { ...accept, ...authorization } : pageHeaders(accept));
  const query = new URLSearchParams();
  const sent = mediaType === 'multipart/form-data' ? new FormData() : new URLSearchParams();
  let url = path, body;
  for (const [key, value] of data) {
    const [where, name] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
    if (key === 'body') body = value;
    else if (where === 'path') url = url.replace(`{${name}}`, encodeURIComponent(value));
    else if (value === '' || value.size === 0 && value.name === '') continue;
    else if (where === 'query') query.append(name, value);
    else if (where === 'header') headers.set(name, value);
    else sent.append(name, value);
  }
  if (mediaType?.endsWith('json')) headers.set('Content-Type', mediaType);
  else if (mediaType) body = sent;
  const credentials = headers.has('Authorization') ? 'omit' : 'same-origin';
  const search = query.size ? `?${query}` : '';
  return { url: url + search, options: { method: method.toUpperCase(), headers, body, credentials, redirect: 'manual' } };
}

/** Text appears as it arrives, so that event streams show. */
async function show(answer, response) {
  const headers = SHOWN_HEADERS.filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
  const status = element('p', {}, element('strong', {}, `${answer.status} ${answer.statusText}`));
  status.dataset.status = answer.status;
  response.replaceChildren(status, codeBlock('Response headers', headers.join('\n')));
  const type = answer.headers.get('content-type') ?? '';
  if (!/json|^text\//.test(type)) {
    const { byteLength } = await answer.arrayBuffer();
    if (byteLength) response.append(element('p', { className: 'quiet' }, `${byteLength} bytes, not shown.`));
    return;
  }
  const block = codeBlock('Response body', '');
  response.append(block);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (block.textContent.length < MAX_SHOWN) block.append(part.value);
  }
  if (type.includes('json')) block.textContent = pretty(block.textContent);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
