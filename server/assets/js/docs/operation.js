// One operation: what it does, a form to try it, and its responses.
import { codeBlock, element, prose } from './element.js';
import { tryForm } from './try-form.js';
import { example, resolve, typeName } from './schema.js';

/** @typedef {{method: string, path: string, operationId: string} & Record<string, any>} Operation */

/** The details are filled when they are opened first. @param {any} api @param {Operation} operation */
export function operationDetails(api, operation) {
  const method = element('span', { className: 'method' }, operation.method.toUpperCase());
  method.dataset.method = operation.method;
  const summary = element('summary', {}, method, ' ', element('code', {}, operation.path), ' ',
    element('span', { className: 'quiet' }, operation.summary ?? ''));
  const details = element('details', { className: 'operation card', id: operation.operationId }, summary);
  details.dataset.operation = operation.operationId;
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) details.append(body(api, operation));
  });
  return details;
}

function body(api, operation) {
  const paragraphs = (operation.description ?? '').split('\n\n').filter(Boolean);
  return element('div', { className: 'operation-body' },
    ...paragraphs.map((text) => element('p', {}, ...prose(text))),
    element('p', { className: 'quiet' }, ...prose(accessText(operation))),
    element('h3', {}, 'Try it'), tryForm(api, operation),
    element('h3', {}, 'Responses'), responses(api, operation));
}

function accessText(operation) {
  if (operation.security?.length === 0) return 'Needs no credentials.';
  const scopes = (operation.security ?? []).flatMap((one) => Object.values(one).flat());
  return scopes.length ? `A token needs the scope ${scopes.map((scope) => `\`${scope}\``).join(', ')}.` : 'Needs a sign-in.';
}

function responses(api, operation) {
  const list = element('dl', { className: 'responses' });
  for (const [status, given] of Object.entries(operation.responses)) {
    const response = resolve(api, given);
    const text = element('dd', {}, element('p', {}, ...prose(response.description)));
    for (const [type, content] of Object.entries(response.content ?? {})) {
      if (status.startsWith('2')) text.append(...contentOf(api, type, content.schema));
    }
    list.append(element('dt', { className: 'mono' }, status), text);
  }
  return list;
}

function contentOf(api, type, schema) {
  const head = element('p', { className: 'quiet' }, element('code', {}, type), ' ', typeName(api, schema));
  if (!type.endsWith('json')) return [head];
  return [head, codeBlock(`Example of ${type}`, JSON.stringify(example(api, schema), null, 2))];
}
