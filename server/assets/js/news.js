// What an event of the vault means for the page, whoever caused it.
import { tellDialogs } from './dialog.js';
import { leafOf } from './format.js';
import { notice } from './notice.js';

const DEEDS = {
  checkout: 'checked it out', cancel: 'gave it back', checkin: 'checked in a new revision', override: 'broke the lock on it',
  describe: 'changed the description', move: 'moved it', restore: 'restored an older revision', add: 'added it',
};

/** The last event of each file. @type {Map<string, number>} */
const heard = new Map();

/**
 * For an answer about a file that may come after the news of what happened next: what it is to write is written unless
 * there was news since. @param {string} name @returns {(write: () => void) => void}
 */
export function unlessHeard(name) {
  const before = heard.get(name);
  return (write) => { if (heard.get(name) === before) write(); };
}

/** @param {import('./actions.js').Place} place @param {any} event file_updated or file_deleted */
export function apply(place, event) {
  const others = event.by !== place.me;
  for (const name of [event.data?.filename, event.moved_from]) if (name) heard.set(name, event.id);
  if (event.event === 'file_deleted') {
    if (others) tellDialogs(event.data.filename, `${event.by} deleted this file. What you typed stays here.`);
    place.removed(event.data.filename);
    return;
  }
  if (event.event !== 'file_updated') return;
  const before = event.moved_from ?? event.data.filename;
  if (others) {
    tellDialogs(before, `${event.by} ${DEEDS[event.action] ?? 'changed it'} just now. What you typed stays here.`);
    warnHolder(before, event);
  }
  place.changed(event.data, event.moved_from);
}

/** Losing one's lock is the one thing that must not be missed. */
function warnHolder(filename, event) {
  const held = document.querySelector(`[data-file="${CSS.escape(filename)}"][data-status=checked_out_by_user]`);
  if (event.action !== 'override' || !held) return;
  const reason = event.reason ? `: “${event.reason}”.` : '.';
  notice(`${event.by} broke your lock on ${leafOf(filename)}${reason} Talk to them before you go on working on it.`, { kind: 'warning' });
}
