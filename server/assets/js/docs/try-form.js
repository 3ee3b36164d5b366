// The form that sends a request of one operation.
import { element, prose } from './element.js';
import { send } from './send.js';
import { example, resolve } from './schema.js';

/** @param {any} api @param {import('./operation.js').Operation} operation */
export function tryForm(api, operation) {
  const parameters = (operation.parameters ?? []).map((given) => resolve(api, given));
  const body = requestBody(api, operation);
  const form = element('form', { className: 'try', noValidate: true },
    ...parameters.map((parameter) => field(operation, `${parameter.in}:${parameter.name}`, parameter, resolve(api, parameter.schema))),
    ...bodyFields(api, operation, body));
  const response = element('div', { className: 'response' });
  response.dataset.response = '';
  response.setAttribute('role', 'status');
  const submit = element('button', { className: 'button primary' }, 'Send');
  submit.dataset.send = '';
  const stop = element('button', { type: 'button', className: 'button', hidden: true }, 'Stop');
  form.append(element('p', { className: 'form-actions' }, submit, stop), response);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send({ operation, form, mediaType: body?.type, response, stop });
  });
  return form;
}

/** The first media type of the body that a form can make. */
function requestBody(api, operation) {
  const content = Object.entries(resolve(api, operation.requestBody).content ?? {});
  return content.map(([type, { schema, example: given }]) => ({ type, schema: resolve(api, schema), given }))[0];
}

function bodyFields(api, operation, body) {
  if (!body) return [];
  if (body.type.endsWith('json')) {
    const value = JSON.stringify(body.given ?? example(api, body.schema), null, 2);
    const area = element('textarea', { name: 'body', rows: Math.min(14, value.split('\n').length + 1), spellcheck: false, className: 'mono', value });
    return [labelled(operation, `Body (${body.type})`, area, '')];
  }
  const required = body.schema.required ?? [];
  return Object.entries(body.schema.properties ?? {}).map(([name, given]) => {
    const schema = resolve(api, given);
    return field(operation, `form:${name}`, { name, in: 'form', required: required.includes(name), description: given.description ?? schema.description }, schema);
  });
}

/** @param {{name: string, in: string, required?: boolean, description?: string, example?: any}} parameter */
function field(operation, name, parameter, schema) {
  const isFile = schema.format === 'binary' || schema.contentMediaType !== undefined;
  const choices = schema.enum ?? ([schema.type].flat().includes('boolean') ? ['true', 'false'] : null);
  let input;
  if (isFile) input = element('input', { type: 'file', name });
  else if (choices) input = element('select', { name }, ...['', ...choices].map((choice) => element('option', { value: choice }, choice)));
  else input = element('input', { name, autocomplete: 'off', spellcheck: false, autocapitalize: 'none', type: schema.format === 'password' ? 'password' : 'text' });
  if (parameter.in === 'path' && !choices && !isFile) input.value = parameter.example ?? schema.example ?? (parameter.name === 'vault' ? 'main' : '');
  const kind = parameter.in === 'form' ? '' : ` (${parameter.in})`;
  return labelled(operation, `${parameter.name}${kind}${parameter.required ? ', required' : ''}`, input, parameter.description);
}

function labelled(operation, text, input, description) {
  input.id = `${operation.operationId}-${input.name}`;
  const help = element('p', { className: 'quiet', id: `${input.id}-help` }, ...prose(description));
  if (description) input.setAttribute('aria-describedby', help.id);
  const label = element('label', { htmlFor: input.id, className: 'mono' }, text);
  return element('div', { className: 'field' }, label, input, ...(description ? [help] : []));
}
