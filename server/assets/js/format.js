// Formats sizes and times, and splits paths. The server formats them the same way (server/src/web/format.rs).
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

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const date = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const STEPS = [[60, 'second'], [60, 'minute'], [24, 'hour'], [7, 'day']];

/** @param {Date} at @returns {string} `3 minutes ago`, `in 2 days`; beyond a week, the date */
export function relativeTime(at, now = Date.now()) {
  const elapsed = (now - at.getTime()) / 1000, sign = elapsed < 0 ? 1 : -1;
  let value = Math.abs(elapsed);
  if (value < 45) return 'just now';
  for (const [length, unit] of STEPS) {
    if (value < length) return relative.format(sign * Math.round(value), unit);
    value /= length;
  }
  return date.format(at);
}

/** Writes every `<time datetime>` in `from` as a relative time, with the exact local time as its title. */
export function writeTimes(from = document) {
  for (const time of $$('time[datetime]', from)) {
    const at = new Date(time.getAttribute('datetime'));
    if (Number.isNaN(at.getTime())) continue;
    const text = relativeTime(at);
    if (time.textContent !== text) time.textContent = text;
    time.title = exact.format(at);
  }
}

/** The last segment of a path, and the folder before it. */
export const baseName = (path) => path.slice(path.lastIndexOf('/') + 1);
export const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
