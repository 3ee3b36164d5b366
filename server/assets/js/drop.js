// Files and folders that are dropped on the page.
import { $$ } from './dom.js';

/** @typedef {{file: globalThis.File, path: string}} Found `path` is relative to what was dropped */

const LITTER = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/** @param {DataTransfer} transfer @returns {Promise<Found[]>} with everything in dropped folders */
export async function filesOf(transfer) {
  // Entries must be taken before the first await: the transfer is emptied after the event.
  const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = await Promise.all(entries.filter(Boolean).map(walk));
  return found.flat().filter(({ file }) => !LITTER.has(file.name));
}

/** @returns {Found[]} of a file input; a chosen folder brings paths */
export const filesChosen = (input) =>
  [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(({ file }) => !LITTER.has(file.name));

async function walk(entry) {
  if (entry instanceof File) return [{ file: entry, path: entry.name }];
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path }];
  const reader = entry.createReader(), below = [];
  for (;;) { // a reader hands out a hundred at a time
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return below;
    for (const child of some) below.push(...await walk(child));
  }
}

/**
 * Catches every drop on the page, so that the browser never leaves it for a file that missed its target.
 * @param {{veil: ?HTMLElement, wanted: () => boolean, take: (files: Found[]) => void}} target `wanted` says whether
 *   the page takes files now
 */
export function catchDrops({ veil, wanted, take }) {
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
  const mark = (over) => {
    const dialog = document.querySelector('dialog[open]');
    if (veil) veil.hidden = !over || Boolean(dialog);
    for (const zone of $$('[data-drop]', dialog ?? document)) zone.toggleAttribute('data-over', over);
  };
  addEventListener('dragenter', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    if (wanted()) mark(true);
  });
  addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = wanted() ? 'copy' : 'none';
  });
  addEventListener('dragleave', (event) => {
    if (carriesFiles(event) && --depth <= 0) { depth = 0; mark(false); }
  });
  addEventListener('drop', async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark(false);
    if (wanted()) take(await filesOf(event.dataTransfer));
  });
}
