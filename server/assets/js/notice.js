// Short messages: notices at the foot of the page (role=status), and the error line of a page.
import { $, cloneTemplate } from './dom.js';

/**
 * Shows a notice. It replaces older ones, except that only a warning replaces a warning. It stays until it is
 * dismissed or replaced, because it may carry a link; a plain `done` notice disappears after 8 seconds.
 * @param {string} text
 * @param {{kind?: 'done'|'warning'|'error', link?: {text: string, href: string, download?: boolean},
 *   undo?: () => Promise<void>}} [options] `undo` reverts what the notice reports
 */
export function notice(text, { kind = 'done', link, undo } = {}) {
  const element = cloneTemplate('notice-template');
  element.dataset.kind = kind;
  $('p', element).textContent = text;
  if (kind !== 'done') $('use', element).setAttribute('href', '#i-alert');
  if (link) {
    const anchor = $('a', element);
    anchor.hidden = false;
    anchor.textContent = link.text;
    anchor.href = link.href;
    if (link.download) anchor.download = '';
  }
  if (undo) {
    const button = $('[data-undo]', element);
    button.hidden = false;
    button.addEventListener('click', async () => {
      element.remove();
      try {
        await undo();
      } catch (problem) {
        showErrorNotice(problem);
      }
    });
  }
  $('[data-dismiss]', element).addEventListener('click', () => element.remove());
  const container = document.getElementById('notices');
  // A warning reports what another user did, so the viewer's own actions do not remove it.
  for (const old of container.children) if (old.dataset.kind !== 'warning' || kind === 'warning') old.remove();
  container.append(element);
  if (kind === 'done' && !link && !undo) setTimeout(() => element.remove(), 8000);
}

/** Shows an error that belongs to no dialog. */
export function showErrorNotice(problem, hint = '') {
  notice([problem.message, hint || problem.advice].filter(Boolean).join(' '), { kind: 'error' });
}

/**
 * The error line of a page.
 * @param {string} selector @returns {(problem: ?Error & {advice?: string}) => void} null hides the line
 */
export function errorLine(selector) {
  return (problem) => {
    const line = $(selector);
    line.hidden = !problem;
    line.textContent = problem ? [problem.message, problem.advice].filter(Boolean).join(' ') : '';
    if (problem) line.scrollIntoView({ block: 'nearest' });
  };
}

/** Runs `action` and shows its error with `showError`. @param {ReturnType<errorLine>} showError */
export async function withErrorLine(showError, action) {
  showError(null);
  try {
    await action();
  } catch (problem) {
    showError(problem);
  }
}
