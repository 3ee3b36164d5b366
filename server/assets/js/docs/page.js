// The API page: the operations of /openapi.json, by topic.
import { $ } from '../dom.js';
import { errorLine } from '../notice.js';
import { initAuthorization } from './authorization.js';
import { element, prose } from './element.js';
import { operationDetails } from './operation.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** @param {any} api the OpenAPI document @param {string} tag */
function operationsOf(api, tag) {
  const found = [];
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      if (item[method]?.tags?.includes(tag)) found.push({ method, path, ...item[method] });
    }
  }
  return found;
}

function topic(api, { name, description }) {
  const id = `topic-${name.toLowerCase().replaceAll(' ', '-')}`;
  $('#tags').append(element('a', { className: 'button small', href: `#${id}` }, name));
  const title = element('h2', { id }, name);
  const list = operationsOf(api, name).map((operation) => operationDetails(api, operation));
  const section = element('section', {}, title, element('p', { className: 'quiet' }, ...prose(description)), ...list);
  section.setAttribute('aria-labelledby', id);
  return section;
}

/** Opens the operation that the address names, as in /docs#list_files. */
function openNamed() {
  const named = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!named) return;
  if (named.matches('details')) named.open = true;
  named.scrollIntoView();
}

initAuthorization();
try {
  const response = await fetch('/openapi.json', { credentials: 'omit' });
  if (!response.ok) throw new Error('The API document could not be loaded. Reload the page.');
  const api = await response.json();
  $('#operations').replaceChildren(...api.tags.map((tag) => topic(api, tag)));
  $('#operations').ariaBusy = 'false';
  openNamed();
  addEventListener('hashchange', openNamed);
} catch (problem) {
  errorLine('#docs-error')(problem);
}
