// How sizes and times are written; the server writes them alike (server/src/web/format.rs).
import { $$ } from './dom.js';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** @param {number} bytes @returns {string} `812 B`, `1.6 MB`, `52 MB` */
export function size(bytes) {
  let whole = bytes, tenths = bytes * 10, unit = 0;
  while (whole >= 1000 && unit + 1 < UNITS.length) {
    tenths = Math.floor((tenths + 500) / 1000);
    whole = Math.floor(tenths / 10);
    unit += 1;
  }
  const rounded = unit === 0 || tenths >= 100;
  return `${rounded ? Math.floor((tenths + 5) / 10) : (tenths / 10).toFixed(1)} ${UNITS[unit]}`;
}

const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const STEPS = [[60, 'second'], [60, 'minute'], [24, 'hour'], [7, 'day']];

/** @param {Date} at @returns {string} `3 minutes ago`, `in 2 days`; beyond a week, the date */
export function since(at, now = Date.now()) {
  const gone = (now - at.getTime()) / 1000, sign = gone < 0 ? 1 : -1;
  let value = Math.abs(gone);
  if (value < 45) return 'just now';
  for (const [length, unit] of STEPS) {
    if (value < length) return ago.format(sign * Math.round(value), unit);
    value /= length;
  }
  return day.format(at);
}

/** Writes every `<time datetime>` below `from` in the reader's terms. */
export function writeTimes(from = document) {
  for (const time of $$('time[datetime]', from)) {
    const at = new Date(time.getAttribute('datetime'));
    if (Number.isNaN(at.getTime())) continue;
    const text = since(at);
    if (time.textContent !== text) time.textContent = text;
    time.title = exact.format(at);
  }
}

/** The last part of a path, and all before it. */
export const leafOf = (path) => path.slice(path.lastIndexOf('/') + 1);
export const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** One spelling for names that count as the same; orders the lists as the server does. */
export const keyOf = (name) => name.normalize('NFC').toLowerCase();
