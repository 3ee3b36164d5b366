// Files and folders from drag and drop, and from file inputs.
import { $$ } from './dom.js';

/** @typedef {{file: globalThis.File, path: string}} PickedFile `path` is relative to the dropped or chosen item */

const IGNORED_FILES = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/** @param {DataTransfer} transfer @returns {Promise<PickedFile[]>} including the contents of dropped folders */
export async function filesFromTransfer(transfer) {
  // Entries must be read before the first await, because the transfer is emptied after the event.
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const files = await Promise.all(entries.filter(Boolean).map(readEntry));
  return files.flat().filter(({ file }) => !IGNORED_FILES.has(file.name));
}

/** @returns {PickedFile[]} of a file input; files of a chosen folder have paths */
export const filesFromInput = (input) => [...input.files]
  .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
  .filter(({ file }) => !IGNORED_FILES.has(file.name));

async function readEntry(entry) {
  if (entry instanceof File) return [{ file: entry, path: entry.name }];
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path }];
  const reader = entry.createReader(), files = [];
  for (;;) { // a reader returns at most 100 entries at a time
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return files;
    for (const child of batch) files.push(...await readEntry(child));
  }
}

/**
 * Handles every drop on the page. A file that misses its target must not make the browser leave the page.
 * @param {{overlay: ?HTMLElement, accepts: () => boolean, onDrop: (files: PickedFile[]) => void}} target `accepts`
 *   tells whether the page currently takes files
 */
export function handleDrops({ overlay, accepts, onDrop }) {
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  const highlight = (over) => {
    const dialog = document.querySelector('dialog[open]');
    if (overlay) overlay.hidden = !over || Boolean(dialog);
    for (const zone of $$('[data-drop]', dialog ?? document)) zone.toggleAttribute('data-over', over);
  };
  addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth += 1;
    if (accepts()) highlight(true);
  });
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = accepts() ? 'copy' : 'none';
  });
  addEventListener('dragleave', (event) => {
    if (hasFiles(event) && --depth <= 0) { depth = 0; highlight(false); }
  });
  addEventListener('drop', async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    highlight(false);
    if (accepts()) onDrop(await filesFromTransfer(event.dataTransfer));
  });
}
