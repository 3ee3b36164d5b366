// Accounts at upstream providers that are joined to one's own.
import { call } from './api.js';
import { $ } from './dom.js';
import { notice } from './notice.js';

const section = $('#identities');

async function attempt(act) {
  const line = $('#identities-error');
  line.hidden = true;
  try {
    await act();
  } catch (problem) {
    line.hidden = false;
    line.textContent = `${problem.message} ${problem.advice ?? ''}`;
  }
}

async function show() {
  const { data } = await call('GET', '/auth/identities');
  if (data.providers.length === 0 && data.identities.length === 0) return;
  section.hidden = false;
  $('#identities-list').replaceChildren(...data.identities.map(item));
  const joined = new Set(data.identities.map((identity) => identity.provider));
  const free = data.providers.filter((provider) => !joined.has(provider.id));
  $('#identities-add').replaceChildren(...free.map(button));
}

function item(identity) {
  const row = $('#identity-template').content.firstElementChild.cloneNode(true);
  $('[data-provider]', row).textContent = identity.provider_name;
  $('[data-known-as]', row).textContent = identity.known_as ?? '';
  const used = identity.last_used_at ? `last used ${day(identity.last_used_at)}` : 'never used';
  $('[data-when]', row).textContent = `Connected ${day(identity.linked_at)} · ${used}`;
  $('[data-action=unlink]', row).addEventListener('click', () => attempt(async () => {
    await call('DELETE', `/auth/identities/${encodeURIComponent(identity.id)}`);
    notice(`${identity.provider_name} does not open this account any more.`);
    await show();
  }));
  return row;
}

const day = (at) => new Date(at).toLocaleDateString(undefined, { dateStyle: 'medium' });

function button(provider) {
  const add = document.createElement('button');
  add.type = 'button';
  add.className = 'button';
  add.textContent = `Connect ${provider.name}`;
  add.addEventListener('click', () => attempt(async () => {
    const { data } = await call('POST', `/auth/oidc/${encodeURIComponent(provider.id)}/link`);
    location.assign(data.location);
  }));
  return add;
}

void attempt(show);
