// Uploads a file with progress. Uses XMLHttpRequest, because fetch does not report upload progress.
import { Problem, pageHeaders, problemFrom, unreachable } from './api.js';
import { size } from './format.js';

let active = 0;
addEventListener('beforeunload', (event) => {
  if (active > 0) event.preventDefault();
});

/**
 * @param {{method: string, url: string, fields: Record<string, string>, file: globalThis.File, key: string,
 *   onProgress: (sent: number, total: number) => void, signal: AbortSignal}} task `fields` precede the file, so
 *   that the server has them before the content
 * @returns {Promise<any>} the JSON body of the response
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
    const headers = pageHeaders({ accept: 'application/json', 'idempotency-key': key });
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total || file.size);
    request.onload = () => {
      const ok = request.status >= 200 && request.status < 300;
      if (ok) resolve(JSON.parse(request.responseText));
      else reject(problemFrom(request.status, request.responseText));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException('Canceled', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    if (signal.aborted) request.abort();
    request.send(form);
  }).finally(() => { active -= 1; });
}

/** Detects a file over the size limit before a long upload. @returns {?Problem} */
export function tooLarge(file, limit) {
  if (!limit || file.size <= limit) return null;
  return new Problem(413, { detail: `The file is larger than the limit of ${size(limit)}.` });
}
