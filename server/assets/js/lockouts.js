// Who was wrong too often: let them try again.
import { call, page } from './api.js';
import { $ } from './dom.js';
import { writeTimes } from './format.js';
import { notice } from './notice.js';

const list = $('#lockouts');

/** @param {?Error & {advice?: string}} problem */
function complain(problem) {
  const line = $('#lockouts-error');
  line.hidden = !problem;
  line.textContent = problem ? `${problem.message} ${problem.advice ?? ''}` : '';
  if (problem) line.scrollIntoView({ block: 'nearest' });
}

/** The list as the server draws it: lifting an account takes all of its lines away. */
async function redraw() {
  const fresh = await page(location.pathname);
  list.replaceChildren(...$('#lockouts', fresh).children);
  $('#nobody').hidden = list.children.length > 0;
  writeTimes();
}

list.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-action=lift]');
  if (!button) return;
  const { lift, who } = button.closest('[data-lift]').dataset;
  complain(null);
  button.disabled = true;
  try {
    await call('DELETE', lift);
    await redraw();
    notice(`${who} may try again.`);
    $('#main').focus();
  } catch (problem) {
    button.disabled = false;
    complain(problem);
  }
});
