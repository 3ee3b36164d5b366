// On every page: menus that close, and times in the reader's terms.
import { $, $$ } from './dom.js';
import { writeTimes } from './format.js';

const menus = () => $$('details.menu[open]');

document.addEventListener('click', (event) => {
  for (const menu of menus()) {
    const inside = menu.contains(event.target);
    if (!inside || event.target.closest('.sheet a, .sheet button')) menu.open = false;
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    for (const menu of menus()) {
      const back = menu.contains(document.activeElement);
      menu.open = false;
      if (back) $('summary', menu).focus();
    }
  }
  const menu = event.target.closest?.('details.menu[open]');
  if (menu && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) step(menu, event);
});
document.addEventListener('focusout', (event) => {
  const menu = event.target.closest?.('details.menu[open]');
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
// `toggle` doesn't bubble, so it is caught on its way down.
document.addEventListener('toggle', (event) => {
  const menu = event.target;
  if (!menu.matches?.('details.menu')) return;
  const sheet = $('.sheet', menu);
  sheet.classList.remove('up');
  if (menu.open && sheet.getBoundingClientRect().bottom > innerHeight) sheet.classList.add('up');
}, true);

function step(menu, event) {
  const items = $$('.sheet a, .sheet button', menu).filter((item) => item.getClientRects().length > 0);
  const at = items.indexOf(document.activeElement);
  const to = event.key === 'ArrowDown' ? at + 1 : at < 0 ? items.length - 1 : at - 1;
  items[(to + items.length) % items.length]?.focus();
  event.preventDefault();
}

// Addresses to hand on, as one reaches this server oneself.
for (const place of $$('[data-address]')) place.textContent = location.origin + place.dataset.address;

// On a phone the row of pages is wider than the screen: the one that is open is in view.
$('.tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

writeTimes();
setInterval(writeTimes, 30_000, document);
