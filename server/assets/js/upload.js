// Sends a file with progress. XMLHttpRequest, because fetch cannot tell how much was sent.
import { Problem, problemOf, unreachable } from './api.js';

let active = 0;
addEventListener('beforeunload', (event) => {
  if (active > 0) event.preventDefault();
});

/**
 * @param {{method: string, url: string, fields: Record<string, string>, file: globalThis.File, key: string,
 *   onProgress: (sent: number, total: number) => void, signal: AbortSignal}} task `fields` go before the file, so
 *   that the server knows them when the content comes
 * @returns {Promise<any>} the JSON answer
 * @throws {Problem} or AbortError
 */
export function send({ method, url, fields, file, key, onProgress, signal }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', file, file.name);
  active += 1;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('idempotency-key', key);
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total || file.size);
    request.onload = () => {
      const good = request.status >= 200 && request.status < 300;
      if (good) resolve(JSON.parse(request.responseText));
      else reject(problemOf(request.status, request.responseText));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException('Stopped', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    if (signal.aborted) request.abort();
    request.send(form);
  }).finally(() => { active -= 1; });
}

/** Refuses early what the server would refuse after a long upload. */
export function tooLarge(file, most) {
  if (!most || file.size <= most) return null;
  return new Problem(413, { detail: 'The file is larger than this server takes.' });
}
