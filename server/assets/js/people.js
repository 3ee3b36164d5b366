// Suggests accounts in a field with a list: by name, username or address. Only administrators may read accounts.
import { call } from './api.js';
import { debounce } from './dom.js';

const MAX_PEOPLE = 20;

/** @param {HTMLElement} scope whose fields with `list=people` get suggestions */
export function suggestPeople(scope) {
  const list = document.getElementById('people');
  let last = null;
  const load = debounce(150, async (query) => {
    if (query === last) return;
    last = query;
    try {
      const { data } = await call('GET', `/api/users?${new URLSearchParams({ q: query, limit: String(MAX_PEOPLE) })}`);
      list.replaceChildren(...data.filter((user) => !user.disabled).map(option));
    } catch {
      list.replaceChildren(); // the username can still be typed
    }
  });
  for (const type of ['focusin', 'input']) {
    scope.addEventListener(type, (event) => {
      if (event.target.getAttribute?.('list') === 'people') load(event.target.value.trim());
    });
  }
}

function option({ username, display_name: name, email }) {
  const element = document.createElement('option');
  element.value = username;
  element.label = [name, username, email].filter(Boolean).join(' · ');
  return element;
}
