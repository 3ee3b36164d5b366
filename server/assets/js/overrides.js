// Notices of overridden locks, on every page: dismisses them, and shows new ones as they happen.
import { fetchPage, pageAccount, pageHeaders } from './api.js';
import { $, $$ } from './dom.js';
import { hasStream, onNotice } from './event-stream.js';
import { writeTimes } from './format.js';

const region = $('#overrides');
const keyOf = (notice) => notice.dataset.notice;

/** Adds the notices that the page does not show yet, and removes those that were dismissed elsewhere. */
async function refresh() {
  const fresh = await fetchPage('/notices');
  const notices = $$('[data-notice]', fresh);
  const keys = new Set(notices.map(keyOf));
  for (const notice of $$('[data-notice]', region)) if (!keys.has(keyOf(notice))) notice.remove();
  const shown = new Set($$('[data-notice]', region).map(keyOf));
  const added = notices.filter((notice) => !shown.has(keyOf(notice)));
  region.prepend(...added.map((notice) => document.adoptNode(notice)));
  writeTimes(region);
  if (added.length > 0 && !$('dialog[open]')) region.scrollIntoView({ block: 'nearest' });
}

const refreshQuietly = () => void refresh().catch(() => {}); // the next page shows them anyway

/** A page without live files listens for notices alone. A hidden page closes its connection. */
function listen(url) {
  let source = null, wasClosed = false;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(`${url}&account=${encodeURIComponent(pageAccount ?? '')}`);
    source.addEventListener('notice', refreshQuietly);
    source.addEventListener('bye', () => { source.close(); });
    source.onopen = () => {
      region.dataset.live = '';
      if (wasClosed) refreshQuietly();
    };
    source.onerror = () => { wasClosed = true; };
  };
  const close = () => { source?.close(); source = null; wasClosed = true; };
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  addEventListener('pagehide', close);
  addEventListener('pageshow', (event) => { if (event.persisted) open(); });
  open();
}

if (region) {
  region.addEventListener('submit', async (event) => {
    const form = event.target.closest('[data-dismiss-notice]');
    if (!form) return;
    event.preventDefault();
    const notice = form.closest('[data-notice]');
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: 'POST', headers: pageHeaders({}), body });
    if (!answer.ok) return;
    notice.remove();
    ($('button', region) ?? $('#main')).focus();
  });
  onNotice(refreshQuietly);
  // The script of the page runs after this one and may open a stream of its own.
  addEventListener('load', () => { if (!hasStream() && region.dataset.stream) listen(region.dataset.stream); });
}
