// Linked accounts at upstream providers.
import { call } from './api.js';
import { $ } from './dom.js';
import { errorLine, notice, withErrorLine } from './notice.js';

const section = $('#identities');

const attempt = (action) => withErrorLine(errorLine('#identities-error'), action);

async function show() {
  const { data } = await call('GET', '/auth/identities');
  if (data.providers.length === 0 && data.identities.length === 0) return;
  section.hidden = false;
  $('#identities-list').replaceChildren(...data.identities.map(identityItem));
  const linked = new Set(data.identities.map((identity) => identity.provider));
  const unlinked = data.providers.filter((provider) => !linked.has(provider.id));
  $('#identities-add').replaceChildren(...unlinked.map(connectButton));
}

function identityItem(identity) {
  const row = $('#identity-template').content.firstElementChild.cloneNode(true);
  $('[data-provider]', row).textContent = identity.provider_name;
  $('[data-known-as]', row).textContent = identity.known_as ?? '';
  const used = identity.last_used_at ? `last used ${day(identity.last_used_at)}` : 'never used';
  $('[data-when]', row).textContent = `Connected ${day(identity.linked_at)} · ${used}`;
  $('[data-action=unlink]', row).addEventListener('click', () => attempt(async () => {
    await call('DELETE', `/auth/identities/${encodeURIComponent(identity.id)}`);
    notice(`${identity.provider_name} is disconnected.`);
    await show();
  }));
  return row;
}

const day = (at) => new Date(at).toLocaleDateString(undefined, { dateStyle: 'medium' });

function connectButton(provider) {
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
