// Short messages at the foot of the page, read out by screen readers (role=status).
import { $, cloneOf } from './dom.js';

/**
 * The newest message replaces the one before; it stays until dismissed or replaced, since it may carry a link.
 * @param {string} text @param {{kind?: 'done'|'warning'|'error', link?: {text: string, href: string, download?: boolean}}} [more]
 */
export function notice(text, { kind = 'done', link } = {}) {
  const element = cloneOf('notice-template');
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
  $('[data-dismiss]', element).addEventListener('click', () => element.remove());
  const place = document.getElementById('notices');
  // What somebody did to us must not vanish under what we did ourselves.
  for (const old of place.children) if (old.dataset.kind !== 'warning' || kind === 'warning') old.remove();
  place.append(element);
  if (kind === 'done' && !link) setTimeout(() => element.remove(), 8000);
}

/** A refusal that belongs to no dialog. */
export function complain(problem, hint = '') {
  notice([problem.message, hint || problem.advice].filter(Boolean).join(' '), { kind: 'error' });
}
