// The vault's events, as they happen. Says whether we are live, and goes on without a gap after a break.
import { call } from './api.js';
import { onceClosed } from './dialog.js';
import { $ } from './dom.js';

const WORDS = { connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', stopped: 'Not live: load the page again' };
const LONGEST = 30_000;

/**
 * @param {string} vault @param {number} since the last event that is on the page already
 * @param {(event: any) => void} onEvent gets file_updated, file_deleted and resync messages
 */
export function follow(vault, since, onEvent) {
  let source = null, wait = 1000, timer = 0, last = since, over = false;

  const receive = (message) => {
    const event = JSON.parse(message.data);
    if (typeof event.id === 'number') last = event.id;
    onEvent(event);
  };

  function open() {
    if (over) return;
    close();
    source = new EventSource(`/api/events?vault=${encodeURIComponent(vault)}&since=${last}`);
    source.onopen = () => { wait = 1000; show('live'); };
    source.onmessage = receive;
    for (const name of ['file_updated', 'file_deleted', 'resync']) source.addEventListener(name, receive);
    source.addEventListener('bye', goodbye);
    source.onerror = () => { show('reconnecting'); retry(); };
  }

  // The server says why it ends the stream: who may not read here any more, or is signed out, is not to come again.
  function goodbye(message) {
    const { code } = JSON.parse(message.data);
    if (code === 4003) { close(); over = true; show('stopped'); }
    if (code === 4001) retry();
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  // We reopen it ourselves: a browser gives up for good on an answer other than 200, such as 503 during an update.
  function retry() {
    close();
    timer = setTimeout(async () => {
      try {
        await staysTheSame();
        open();
      } catch (problem) {
        if (problem.status === 401 || problem.status === 403) show('stopped');
        else retry();
      }
    }, wait);
    wait = Math.min(wait * 2, LONGEST) * (0.85 + Math.random() * 0.3);
  }

  // A hidden page gives its connection back: browsers allow six to a server, and there may be many tabs.
  let hiding = 0;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(close, 20_000);
    else if (!source) open();
    else void staysTheSame().catch(() => {}); // what is wrong with the connection, the stream tells
  });
  addEventListener('online', () => { if (!source) open(); });
  addEventListener('pagehide', close);
  addEventListener('pageshow', (event) => { if (event.persisted && !source) open(); });
  open();
}

/** Somebody else may have signed in to this browser: a page is of whoever it says. One that ended leads to signing in. */
async function staysTheSame() {
  const { data } = await call('GET', '/auth/me');
  if (data.username !== $('#main').dataset.me) onceClosed(() => location.reload());
}

function show(state) {
  const place = document.getElementById('live');
  if (!place) return;
  place.hidden = false;
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  $('#live-text').textContent = WORDS[state];
}
