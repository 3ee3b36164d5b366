// Receives the events of a vault (server-sent events), shows the connection state, and resumes without a gap.
import { ACCOUNT_CHANGED, call, pageAccount } from './api.js';
import { afterDialogsClose } from './dialog.js';
import { $ } from './dom.js';

const STATE_TEXT = {
  connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', stopped: 'Not live: reload the page',
};
const MIN_DELAY = 1000;
const MAX_DELAY = 30_000;

let opened = false;
let announce = () => {};

/** Whether the page has a stream. */
export const hasStream = () => opened;

/** @param {() => void} action runs when the user may have a new notice */
export function onNotice(action) {
  announce = action;
}

/**
 * @param {string} vault @param {number} since id of the last event that the page already shows
 * @param {(event: any) => void} onEvent gets file_updated, file_deleted and resync messages
 */
export function subscribe(vault, since, onEvent) {
  opened = true;
  let source = null, wasOpen = false, delay = MIN_DELAY, timer = 0, last = since, stopped = false;

  const receive = (message) => {
    const event = JSON.parse(message.data);
    if (typeof event.id === 'number') last = event.id;
    onEvent(event);
  };

  function open() {
    if (stopped) return;
    close();
    const query = new URLSearchParams({ vault, since: String(last), account: pageAccount ?? '' });
    source = new EventSource(`/api/events?${query}`);
    source.onopen = () => {
      delay = MIN_DELAY;
      showState('live');
      if (wasOpen) announce(); // a notice may have come in between
      wasOpen = true;
    };
    source.onmessage = receive;
    for (const name of ['file_updated', 'file_deleted', 'resync']) source.addEventListener(name, receive);
    source.addEventListener('notice', () => announce());
    source.addEventListener('bye', onBye);
    source.onerror = () => { showState('reconnecting'); reconnect(); };
  }

  // The server sends a close code: 4003 means no read access any more, 4001 that the session has ended.
  function onBye(message) {
    const { code } = JSON.parse(message.data);
    if (code === 4003) { close(); stopped = true; showState('stopped'); }
    if (code === 4001) reconnect();
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  // EventSource itself gives up on any status other than 200, such as 503 during an update.
  function reconnect() {
    close();
    timer = setTimeout(async () => {
      try {
        await checkUser();
        open();
      } catch (problem) {
        if ([401, 403].includes(problem.status) || problem.type === ACCOUNT_CHANGED) showState('stopped');
        else reconnect();
      }
    }, delay);
    delay = Math.min(delay * 2, MAX_DELAY) * (0.85 + Math.random() * 0.3);
  }

  // A hidden page closes its connection: browsers allow six per server, shared by all tabs.
  let hiddenTimer = 0;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) hiddenTimer = setTimeout(close, 20_000);
    else if (!source) open();
    else void checkUser().catch(() => {}); // the stream itself reports connection errors
  });
  addEventListener('online', () => { if (!source) open(); });
  addEventListener('pagehide', close);
  addEventListener('pageshow', (event) => { if (event.persisted && !source) open(); });
  open();
}

/** Reloads the page if another user has signed in to this browser. An ended session leads to the sign-in page. */
async function checkUser() {
  try {
    await call('GET', '/auth/me');
  } catch (problem) {
    if (problem.type === ACCOUNT_CHANGED) afterDialogsClose(() => location.reload());
    throw problem;
  }
}

function showState(state) {
  const indicator = document.getElementById('live');
  if (!indicator) return;
  indicator.hidden = false;
  if (indicator.dataset.state === state) return;
  indicator.dataset.state = state;
  $('#live-text').textContent = STATE_TEXT[state];
}
