// The table of files: a folder's, or what a search found. Rows are kept as they are and written anew in place, so
// that focus, open menus and dialogs survive what others do.
import { call, page } from './api.js';
import { $, $$, calm, cloneOf } from './dom.js';
import { folderOf, keyOf, leafOf, writeTimes } from './format.js';
import { fill, showFolder } from './row.js';

const STATUS = { mine: 'checked_out_by_user', locked: 'locked' };

export class Listing {
  /** @param {{urls: ReturnType<import('./api.js').vaultUrls>, folder: string, vault: string}} about */
  constructor({ urls, folder, vault }) {
    Object.assign(this, { urls, folder, vault, query: '', show: 'all', loading: null });
    this.rows = $('#rows');
    this.moreLink = $('#load-more');
    this.next = this.moreLink.closest('p').hidden ? null : this.moreLink.getAttribute('href');
    /** Files that changed while a list was under way: that list may not know of it. */
    this.meanwhile = [];
    this.reloadSoon = calm(400, () => void this.load());
    this.moreLink.addEventListener('click', (event) => { event.preventDefault(); void this.more(); });
  }

  get searching() { return this.query !== '' || this.show !== 'all'; }

  /** @param {string} query @param {'all'|'mine'|'locked'} show */
  search(query, show) {
    Object.assign(this, { query, show });
    return this.load();
  }

  /** Loads the list again from the start. What is there stays until the new one has come. */
  load() {
    return this.fetch(this.searching ? this.searchUrl() : this.urls.folderPage(this.folder), (rows) => {
      const focus = this.focused();
      this.rows.replaceChildren(...rows);
      this.refocus(focus);
    });
  }

  more() {
    if (!this.next || this.loading) return Promise.resolve();
    return this.fetch(this.next, (rows) => {
      const first = rows[0];
      for (const row of rows) {
        this.find(row.dataset.file ?? '')?.remove();
        if (!row.dataset.folder || !this.findFolder(row.dataset.folder)) this.rows.append(row);
      }
      $('a.name', first ?? this.rows)?.focus();
    });
  }

  searchUrl() {
    const asked = new URLSearchParams({ limit: '100' });
    if (this.query) asked.set('q', this.query);
    if (STATUS[this.show]) asked.set('status', STATUS[this.show]);
    return `${this.urls.files}?${asked}`;
  }

  async fetch(url, place) {
    this.loading?.abort();
    const loading = this.loading = new AbortController();
    this.meanwhile = [];
    try {
      const { rows, next } = await (this.searching ? this.found(url, loading.signal) : this.listed(url, loading.signal));
      place(rows);
      this.next = next;
      writeTimes(this.rows);
      for (const replay of this.meanwhile.splice(0)) replay();
      this.complain(null);
    } catch (problem) {
      if (problem.name !== 'AbortError') this.complain(problem);
    } finally {
      if (this.loading === loading) this.loading = null;
    }
    this.settle();
  }

  async found(url, signal) {
    const { data, next } = await call('GET', url, { signal });
    return { rows: data.map((file) => this.row(file)), next };
  }

  async listed(url, signal) {
    const other = await page(url, signal);
    const link = other.getElementById('load-more');
    const next = link && !link.closest('p').hidden ? link.getAttribute('href') : null;
    return { rows: [...(other.getElementById('rows')?.children ?? [])].map((row) => document.adoptNode(row)), next };
  }

  row(file) {
    const row = cloneOf('row-template');
    fill(row, file, this.urls);
    showFolder(row, this.searching);
    return row;
  }

  find(filename) { return $$('tr[data-file]', this.rows).find((row) => row.dataset.file === filename); }
  findFolder(path) { return $$('tr[data-folder]', this.rows).find((row) => row.dataset.folder === path); }

  /** A file is now like this. @param {import('./api.js').File} file */
  put(file) {
    if (this.loading) this.meanwhile.push(() => this.put(file));
    const row = this.find(file.filename);
    if (!this.holds(file)) {
      if (row) this.remove(file.filename);
      if (!this.searching) this.putFolder(file.filename);
      return;
    }
    if (row) fill(row, file, this.urls);
    else this.insert(this.row(file), 'file', file.filename);
    this.settle();
  }

  holds(file) {
    if (!this.searching) return folderOf(file.filename) === this.folder;
    return (!STATUS[this.show] || file.status === STATUS[this.show]) && keyOf(file.filename).includes(keyOf(this.query));
  }

  /** The folder directly below this one that `filename` lies in gets a row, if it has none. */
  putFolder(filename) {
    const prefix = this.folder ? `${this.folder}/` : '';
    if (!filename.startsWith(prefix)) return;
    const path = prefix + filename.slice(prefix.length).split('/')[0];
    if (path === filename || this.findFolder(path)) return;
    const row = cloneOf('folder-template');
    row.dataset.folder = path;
    const link = $('a.name', row);
    link.textContent = leafOf(path);
    link.href = this.urls.folderPage(path);
    this.insert(row, 'folder', path);
    this.settle();
  }

  /** Folders first, then files, each by key. */
  insert(row, kind, name) {
    const key = keyOf(name);
    const after = $$('tr', this.rows).find((other) => {
      if (kind === 'folder' && other.dataset.file !== undefined) return true;
      if (kind === 'file' && other.dataset.folder !== undefined) return false;
      return keyOf(other.dataset[kind]) > key;
    });
    row.dataset.fresh = '';
    this.rows.insertBefore(row, after ?? null);
    writeTimes(row);
  }

  remove(filename) {
    if (this.loading) this.meanwhile.push(() => this.remove(filename));
    const row = this.find(filename);
    if (row) {
      const focused = row.contains(document.activeElement);
      const neighbour = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      if (focused) ($('a.name', neighbour ?? this.rows) ?? $('#search')).focus();
    } else if (!this.searching && filename.startsWith(this.folder && `${this.folder}/`)) {
      this.reloadSoon(); // a folder may be empty now, and gone
    }
    this.settle();
  }

  /** What stands around the rows: nothing here, nothing found, more to load. */
  settle() {
    const none = this.rows.children.length === 0;
    $('#empty').hidden = !none || this.searching;
    $('#no-match').hidden = !none || !this.searching;
    $('#no-match-title').textContent = this.query ? `No file is called “${this.query}”` : this.show === 'mine' ? 'You have nothing checked out' : 'Nobody else has anything checked out';
    $('#no-match-text').textContent = this.query ? `Every folder of ${this.vault} was searched for a name with this in it.` : 'Files appear here as soon as that changes.';
    this.moreLink.closest('p').hidden = !this.next;
    if (this.next) this.moreLink.href = this.next;
    const shown = $$('tr[data-file]', this.rows).length;
    $('#count').textContent = this.searching && !none ? `${shown}${this.next ? ' or more' : ''} found in ${this.vault}` : '';
  }

  complain(problem) {
    const line = $('#list-error');
    line.hidden = !problem;
    line.textContent = problem ? `${problem.message} ${problem.advice ?? ''}` : '';
  }

  focused() {
    const row = document.activeElement?.closest?.('#rows tr');
    return row && { file: row.dataset.file, folder: row.dataset.folder, action: document.activeElement.dataset.action };
  }

  refocus(focus) {
    if (!focus) return;
    const row = focus.file === undefined ? this.findFolder(focus.folder) : this.find(focus.file);
    ((row && focus.action && $(`[data-action="${focus.action}"]`, row)) || (row && $('a.name', row)) || $('#search')).focus();
  }
}
