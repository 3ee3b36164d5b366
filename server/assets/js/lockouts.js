// The page of sign-in blocks: lists and lifts them.
import { call, fetchPage } from './api.js';
import { $ } from './dom.js';
import { writeTimes } from './format.js';
import { errorLine, notice } from './notice.js';

const list = $('#lockouts');

const showError = errorLine('#lockouts-error');

/** Replaces the list with the server's rendering: lifting one block of an account lifts all of them. */
async function redraw() {
  const fresh = await fetchPage(location.pathname);
  list.replaceChildren(...$('#lockouts', fresh).children);
  $('#no-blocks').hidden = list.children.length > 0;
  writeTimes();
}

list.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-action=lift]');
  if (!button) return;
  const { lift, who } = button.closest('[data-lift]').dataset;
  showError(null);
  button.disabled = true;
  try {
    await call('DELETE', lift);
    await redraw();
    notice(`${who} can sign in again.`);
    $('#main').focus();
  } catch (problem) {
    button.disabled = false;
    showError(problem);
  }
});
