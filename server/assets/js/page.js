// Runs on every page: menus, local times, and step-up authentication for API calls.
import { setStepUp } from './api.js';
import { $, $$ } from './dom.js';
import { writeTimes } from './format.js';
import './overrides.js';

// Loaded on demand: most pages never need a recent sign-in.
setStepUp(async () => (await import('./step-up.js')).stepUp());

const openMenus = () => $$('details.menu[open]');

document.addEventListener('click', (event) => {
  for (const menu of openMenus()) {
    const inside = menu.contains(event.target);
    if (!inside || event.target.closest('.sheet a, .sheet button')) menu.open = false;
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    for (const menu of openMenus()) {
      const hadFocus = menu.contains(document.activeElement);
      menu.open = false;
      if (hadFocus) $('summary', menu).focus();
    }
  }
  const menu = event.target.closest?.('details.menu[open]');
  if (menu && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) moveInMenu(menu, event);
});
document.addEventListener('focusout', (event) => {
  const menu = event.target.closest?.('details.menu[open]');
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
// `toggle` does not bubble, so this listens in the capture phase.
document.addEventListener('toggle', (event) => {
  const menu = event.target;
  if (!menu.matches?.('details.menu')) return;
  const sheet = $('.sheet', menu);
  sheet.classList.remove('up');
  if (menu.open && sheet.getBoundingClientRect().bottom > innerHeight) sheet.classList.add('up');
}, true);

/** Arrow keys move the focus between the items of an open menu. */
function moveInMenu(menu, event) {
  const items = $$('.sheet a, .sheet button', menu).filter((item) => item.getClientRects().length > 0);
  const index = items.indexOf(document.activeElement);
  const next = event.key === 'ArrowDown' ? index + 1 : index < 0 ? items.length - 1 : index - 1;
  items[(next + items.length) % items.length]?.focus();
  event.preventDefault();
}

// Paths that are shown as full URLs, with the origin in this browser's address bar.
for (const element of $$('[data-address]')) element.textContent = location.origin + element.dataset.address;

// The tab row can be wider than a phone screen, so the current tab is scrolled into view.
$('.tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

writeTimes();
setInterval(writeTimes, 30_000, document);
