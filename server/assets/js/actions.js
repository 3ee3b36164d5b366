// What the buttons of a file do. Everything that needs words from the user happens in a dialog.
import { call } from './api.js';
import { checkIn } from './checkin.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { leafOf } from './format.js';
import { unlessHeard } from './news.js';
import { complain, notice } from './notice.js';

/**
 * @typedef {{urls: ReturnType<import('./api.js').vaultUrls>, me: string, maxSize: number,
 *   changed: (file: import('./api.js').File, movedFrom?: string) => void, removed: (filename: string) => void}} Place
 */

/** @param {Place} place */
export function wireActions(place) {
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-action]');
    const scope = button?.closest('[data-file]');
    const act = scope && ACTIONS[button.dataset.action];
    if (!act) return;
    // The dialog gives the focus back to where it was: that has to be something that is still to be seen.
    const menu = button.closest('details.menu');
    if (menu) {
      $('summary', menu).focus();
      menu.open = false;
    }
    act(place, scope.dataset.file, scope, button);
  });
}

const ACTIONS = {
  'check-out': (place, name, scope) => atOnce(place, name, scope, 'checkout', (file) =>
    notice(`${leafOf(name)} is checked out to you.`, { link: { text: 'Download it', href: place.urls.file(file.filename, 'content'), download: true } })),
  cancel: (place, name, scope) => atOnce(place, name, scope, 'cancel', () => notice(`${leafOf(name)} is given back, unchanged.`)),
  'check-in': checkIn,
  describe, move, override, delete: remove, restore,
};

/** One request without questions. */
async function atOnce(place, name, scope, verb, say) {
  if (scope.getAttribute('aria-busy') === 'true') return;
  scope.setAttribute('aria-busy', 'true');
  try {
    const fresh = unlessHeard(name);
    const { data } = await call('POST', place.urls.file(name, verb));
    fresh(() => place.changed(data));
    say(data);
  } catch (problem) {
    complain(problem, problem.status === 409 ? 'Somebody was quicker: the list shows how it is now.' : '');
    await refresh(place, name);
  } finally {
    scope.removeAttribute('aria-busy');
  }
}

/** After a refusal: how is it really? */
async function refresh(place, name) {
  try {
    const fresh = unlessHeard(name);
    const { data } = await call('GET', place.urls.file(name));
    fresh(() => place.changed(data));
  } catch (problem) {
    if (problem.status === 404) place.removed(name);
  }
}

function describe(place, name, scope) {
  openDialog('describe-dialog', {
    subject: name,
    prepare: (form) => { form.elements.description.value = $('[data-field=description]', scope).textContent; },
    rereads: true,
    submit: async (form) => {
      const description = form.elements.description.value.trim() || null;
      const fresh = unlessHeard(name);
      const { data } = await call('PUT', place.urls.file(name), { json: { description } });
      fresh(() => place.changed(data));
      notice(`The description of ${leafOf(name)} is saved.`);
    },
  });
}

function move(place, name) {
  openDialog('move-dialog', {
    subject: name,
    prepare: (form) => {
      const field = form.elements.to;
      field.value = name;
      // The name without its ending is what people want to change.
      const dot = name.lastIndexOf('.');
      queueMicrotask(() => field.setSelectionRange(name.length - leafOf(name).length, dot > name.lastIndexOf('/') ? dot : name.length));
    },
    hint: (problem) => (problem.status === 409 || problem.status === 422 ? 'Change the name, then try again.' : ''),
    submit: async (form) => {
      const to = form.elements.to.value.trim().normalize('NFC');
      const fresh = unlessHeard(name);
      const { data } = await call('POST', place.urls.file(name, 'move'), { json: { to } });
      fresh(() => place.changed(data, name));
      notice(`${leafOf(name)} is now ${to}.`);
    },
  });
}

function override(place, name, scope) {
  const dialog = openDialog('override-dialog', {
    subject: name,
    hint: (problem) => (problem.status === 409 ? 'It was given back meanwhile: you can check it out.' : ''),
    submit: async (form) => {
      const json = { reason: form.elements.reason.value.trim(), take: form.elements.take.checked };
      const fresh = unlessHeard(name);
      const { data } = await call('POST', place.urls.file(name, 'override'), { json });
      fresh(() => place.changed(data));
      notice(json.take ? `${leafOf(name)} is checked out to you now.` : `The lock on ${leafOf(name)} is gone.`);
    },
  });
  $('[data-slot=holder]', dialog).textContent = scope.dataset.holder;
}

function remove(place, name) {
  openDialog('delete-dialog', {
    subject: name,
    hint: (problem) => (problem.status === 409 ? 'Wait until it is given back, or override the lock first.' : ''),
    submit: async () => {
      await call('DELETE', place.urls.file(name));
      place.removed(name);
      notice(`${leafOf(name)} is deleted.`, { link: { text: 'History and restore', href: place.urls.filePage(name) } });
    },
  });
}

function restore(place, name, scope, button) {
  const revision = Number(button.closest('[data-revision]').dataset.revision);
  const dialog = openDialog('restore-dialog', {
    subject: name,
    hint: (problem) => (problem.status === 409 ? 'Wait until it is given back, or use another name.' : ''),
    submit: async () => {
      const fresh = unlessHeard(name);
      const { data } = await call('POST', place.urls.file(name, 'restore'), { json: { revision } });
      fresh(() => place.changed(data));
      if (scope.dataset.status === 'deleted') notice(`${leafOf(name)} is back, as revision ${data.revision}.`, { link: { text: 'Show it', href: place.urls.filePage(data.filename) } });
      else notice(`Revision ${revision} is the newest again, as revision ${data.revision}.`);
    },
  });
  $('[data-slot=revision]', dialog).textContent = String(revision);
}
