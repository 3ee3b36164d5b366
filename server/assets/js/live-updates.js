// Applies live events of the vault to the page.
import { updateDialogs } from './dialog.js';
import { baseName } from './format.js';
import { notice } from './notice.js';

const ACTION_TEXT = {
  checkout: 'checked out this file', cancel: 'undid the check-out of this file', checkin: 'checked in a new revision',
  override: 'overrode the lock on this file', describe: 'changed the description', move: 'moved this file',
  restore: 'restored an older revision', add: 'added this file',
};

/** The id of the last event of each file. @type {Map<string, number>} */
const lastEvent = new Map();

/**
 * Guards against a response that arrives after a newer live event. Call it before the request; the returned function
 * runs its argument only if no event for `name` has arrived since. @param {string} name
 * @returns {(write: () => void) => void}
 */
export function skipSeen(name) {
  const before = lastEvent.get(name);
  return (write) => { if (lastEvent.get(name) === before) write(); };
}

/** @param {import('./actions.js').VaultView} view @param {any} event file_updated or file_deleted */
export function applyEvent(view, event) {
  const byOther = event.by !== view.me;
  for (const name of [event.data?.filename, event.moved_from]) if (name) lastEvent.set(name, event.id);
  if (event.event === 'file_deleted') {
    if (byOther) updateDialogs(event.data.filename, `${event.by} deleted this file. Your input is kept.`);
    view.removed(event.data.filename);
    return;
  }
  if (event.event !== 'file_updated') return;
  const oldName = event.moved_from ?? event.data.filename;
  if (byOther) {
    updateDialogs(oldName, `${event.by} just ${ACTION_TEXT[event.action] ?? 'changed this file'}. Your input is kept.`);
    warnLockHolder(oldName, event);
  }
  view.changed(event.data, event.moved_from);
}

/** Warns if another user has overridden the viewer's own lock. */
function warnLockHolder(filename, event) {
  const mine = document.querySelector(`[data-file="${CSS.escape(filename)}"][data-status=checked_out_by_user]`);
  if (event.action !== 'override' || !mine) return;
  const reason = event.reason ? `: “${event.reason}”.` : '.';
  const text = `${event.by} overrode your lock on ${baseName(filename)}${reason} Contact them before you continue.`;
  notice(text, { kind: 'warning' });
}
