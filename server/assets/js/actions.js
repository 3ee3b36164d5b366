// The actions of a file. An action that needs input from the user opens a dialog.
import { call } from './api.js';
import { checkIn } from './check-in.js';
import { openDialog } from './dialog.js';
import { $ } from './dom.js';
import { baseName } from './format.js';
import { skipSeen } from './live-updates.js';
import { notice, showErrorNotice } from './notice.js';

/**
 * A page that shows files of a vault. `changed` and `removed` update what it shows; `holds` says whether it shows that
 * the viewer has checked the file out.
 * @typedef {{urls: ReturnType<import('./api.js').vaultUrls>, me: string, maxSize: number,
 *   changed: (file: import('./api.js').File, movedFrom?: string) => void,
 *   removed: (filename: string) => void, holds?: (filename: string) => boolean}} VaultView
 */

/** @param {VaultView} view */
export function initActions(view) {
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-action]');
    const scope = button?.closest('[data-file]');
    const action = scope && ACTIONS[button.dataset.action];
    if (!action) return;
    // A closing dialog returns the focus, so it must start on an element that stays visible.
    const menu = button.closest('details.menu');
    if (menu) {
      $('summary', menu).focus();
      menu.open = false;
    }
    action(view, scope.dataset.file, scope, button);
  });
}

const ACTIONS = {
  'check-out': (view, name, scope) => post(view, name, scope, 'checkout', (file) => tellCheckedOut(view, file)),
  'check-out-note': checkOutWithNote,
  cancel: (view, name, scope) => post(view, name, scope, 'cancel', () => {
    notice(`The check-out of ${baseName(name)} is undone.`);
  }),
  'check-in': checkIn,
  describe, move, override, delete: remove, restore,
};

function tellCheckedOut(view, { filename }) {
  const link = { text: 'Download it', href: view.urls.file(filename, 'content'), download: true };
  notice(`${baseName(filename)} is checked out to you.`, { link });
}

function checkOutWithNote(view, name) {
  openDialog('check-out-dialog', {
    subject: name,
    hint: (problem) => (problem.status === 409 ? 'Another user was faster.' : ''),
    submit: async (form) => {
      const note = form.elements.note.value.trim() || null;
      const ifCurrent = skipSeen(name);
      const { data } = await call('POST', view.urls.file(name, 'checkout'), { json: { note } });
      ifCurrent(() => view.changed(data));
      tellCheckedOut(view, data);
    },
  });
}

const isNameConflict = (problem) => problem.status === 409 || problem.status === 422;

/** Sends one request without a dialog. */
async function post(view, name, scope, verb, onDone) {
  if (scope.getAttribute('aria-busy') === 'true') return;
  scope.setAttribute('aria-busy', 'true');
  try {
    const ifCurrent = skipSeen(name);
    const { data } = await call('POST', view.urls.file(name, verb));
    ifCurrent(() => view.changed(data));
    onDone(data);
  } catch (problem) {
    const hint = problem.status === 409 ? 'Another user was faster. The list shows the current state.' : '';
    showErrorNotice(problem, hint);
    await refresh(view, name);
  } finally {
    scope.removeAttribute('aria-busy');
  }
}

/** Loads the current state of a file after an error. */
async function refresh(view, name) {
  try {
    const ifCurrent = skipSeen(name);
    const { data } = await call('GET', view.urls.file(name));
    ifCurrent(() => view.changed(data));
  } catch (problem) {
    if (problem.status === 404) view.removed(name);
  }
}

function describe(view, name, scope) {
  openDialog('describe-dialog', {
    subject: name,
    prepare: (form) => { form.elements.description.value = $('[data-field=description]', scope).textContent; },
    refreshUnchanged: true,
    submit: async (form) => {
      const description = form.elements.description.value.trim() || null;
      const ifCurrent = skipSeen(name);
      const { data } = await call('PUT', view.urls.file(name), { json: { description } });
      ifCurrent(() => view.changed(data));
      notice(`The description of ${baseName(name)} is saved.`);
    },
  });
}

function move(view, name) {
  openDialog('move-dialog', {
    subject: name,
    prepare: (form) => {
      const field = form.elements.to;
      field.value = name;
      // Selects the name without its extension, which is what users usually change.
      const dot = name.lastIndexOf('.');
      const end = dot > name.lastIndexOf('/') ? dot : name.length;
      queueMicrotask(() => field.setSelectionRange(name.length - baseName(name).length, end));
    },
    hint: (problem) => (isNameConflict(problem) ? 'Change the name, then try again.' : ''),
    submit: async (form) => {
      const to = form.elements.to.value.trim().normalize('NFC');
      const ifCurrent = skipSeen(name);
      const { data } = await call('POST', view.urls.file(name, 'move'), { json: { to } });
      ifCurrent(() => view.changed(data, name));
      notice(`${baseName(name)} is now ${to}.`);
    },
  });
}

function override(view, name, scope) {
  const dialog = openDialog('override-dialog', {
    subject: name,
    hint: (problem) => (problem.status === 409 ? 'The lock was released meanwhile. You can check the file out.' : ''),
    submit: async (form) => {
      const json = { reason: form.elements.reason.value.trim(), take: form.elements.take.checked };
      const ifCurrent = skipSeen(name);
      const { data } = await call('POST', view.urls.file(name, 'override'), { json });
      ifCurrent(() => view.changed(data));
      notice(json.take ? `${baseName(name)} is now checked out to you.` : `The lock on ${baseName(name)} is removed.`);
    },
  });
  $('[data-slot=holder]', dialog).textContent = scope.dataset.holder;
}

function remove(view, name) {
  openDialog('delete-dialog', {
    subject: name,
    hint: (problem) => (problem.status === 409 ? 'Wait until the lock is released, or override it first.' : ''),
    submit: async () => {
      await call('DELETE', view.urls.file(name));
      view.removed(name);
      const link = { text: 'History and restore', href: view.urls.filePage(name) };
      notice(`${baseName(name)} is deleted.`, { link });
    },
  });
}

function restore(view, name, scope, button) {
  const revision = Number(button.closest('[data-revision]').dataset.revision);
  const dialog = openDialog('restore-dialog', {
    subject: name,
    hint: (problem) => (problem.status === 409 ? 'Wait until the lock is released, or use another name.' : ''),
    submit: async () => {
      const ifCurrent = skipSeen(name);
      const { data } = await call('POST', view.urls.file(name, 'restore'), { json: { revision } });
      ifCurrent(() => view.changed(data));
      const wasDeleted = scope.dataset.status === 'deleted';
      const what = wasDeleted ? baseName(name) : `Revision ${revision}`;
      const link = wasDeleted ? { text: 'Show file', href: view.urls.filePage(data.filename) } : undefined;
      notice(`${what} is restored as revision ${data.revision}.`, { link });
    },
  });
  $('[data-slot=revision]', dialog).textContent = String(revision);
}
