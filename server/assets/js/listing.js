// The table of files: the contents of a folder, or search results. Rows are updated in place, so that focus, open menus
// and dialogs survive changes by other users.
import { call, fetchPage } from './api.js';
import { $, $$, cloneTemplate, debounce } from './dom.js';
import { baseName, folderOf, writeTimes } from './format.js';
import { errorLine } from './notice.js';
import { fillRow, showFolder } from './row.js';
import { compareNames, matches, writeMarked } from './search.js';

const STATUS = { mine: 'checked_out_by_user', locked: 'locked' };

export class Listing {
  /** @param {{urls: ReturnType<import('./api.js').vaultUrls>, folder: string, vault: string, sort: string,
   *   order: string}} options */
  constructor({ urls, folder, vault, sort, order }) {
    Object.assign(this, { urls, folder, vault, sort, order, query: '', show: 'all', loading: null });
    this.rows = $('#rows');
    this.moreLink = $('#load-more');
    this.next = this.moreLink.closest('p').hidden ? null : this.moreLink.getAttribute('href');
    /** Updates that arrived while a list was loading. They are applied again to the new list. */
    this.pendingUpdates = [];
    this.showError = errorLine('#list-error');
    this.reloadSoon = debounce(400, () => void this.load());
    this.moreLink.addEventListener('click', (event) => { event.preventDefault(); void this.loadMore(); });
  }

  get isSearch() { return this.query !== '' || this.show !== 'all'; }

  /** @param {string} query @param {'all'|'mine'|'locked'} show */
  search(query, show) {
    Object.assign(this, { query, show });
    return this.load();
  }

  /** Loads the list again from the start. The old rows stay until the new ones have arrived. */
  load() {
    return this.fetch(this.isSearch ? this.searchUrl() : this.folderUrl(), (rows) => {
      const focus = this.currentFocus();
      this.rows.replaceChildren(...rows);
      this.restoreFocus(focus);
    });
  }

  loadMore() {
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

  get isByName() { return this.sort === 'name' && this.order === 'asc'; }

  folderUrl() {
    const page = this.urls.folderPage(this.folder);
    return this.isByName ? page : `${page}?${new URLSearchParams({ sort: this.sort, order: this.order })}`;
  }

  searchUrl() {
    const params = new URLSearchParams({ limit: '100', sort: this.sort, order: this.order });
    if (this.query) params.set('q', this.query);
    if (STATUS[this.show]) params.set('status', STATUS[this.show]);
    return `${this.urls.files}?${params}`;
  }

  async fetch(url, show) {
    this.loading?.abort();
    const loading = this.loading = new AbortController();
    this.pendingUpdates = [];
    try {
      const load = this.isSearch ? this.fetchSearch : this.fetchFolder;
      const { rows, next } = await load.call(this, url, loading.signal);
      show(rows);
      this.next = next;
      writeTimes(this.rows);
      for (const replay of this.pendingUpdates.splice(0)) replay();
      this.showError(null);
    } catch (problem) {
      if (problem.name !== 'AbortError') this.showError(problem);
    } finally {
      if (this.loading === loading) this.loading = null;
    }
    this.updateState();
  }

  async fetchSearch(url, signal) {
    const { data, next } = await call('GET', url, { signal });
    return { rows: data.map((file) => this.row(file)), next };
  }

  async fetchFolder(url, signal) {
    const fresh = await fetchPage(url, signal);
    const link = fresh.getElementById('load-more');
    const next = link && !link.closest('p').hidden ? link.getAttribute('href') : null;
    const rows = [...(fresh.getElementById('rows')?.children ?? [])];
    return { rows: rows.map((row) => document.adoptNode(row)), next };
  }

  row(file) {
    const row = cloneTemplate('row-template');
    this.fill(row, file);
    return row;
  }

  /** In a search, marks why the file was found. */
  fill(row, file) {
    fillRow(row, file, this.urls);
    showFolder(row, this.isSearch);
    if (!this.query) return;
    for (const field of $$('[data-field=name], [data-field=folder], [data-field=description]', row)) {
      const text = field.dataset.field === 'description' ? file.description ?? '' : field.textContent;
      writeMarked(field, text, this.query, { shorten: field.dataset.field === 'description' });
    }
  }

  find(filename) { return $$('tr[data-file]', this.rows).find((row) => row.dataset.file === filename); }
  findFolder(path) { return $$('tr[data-folder]', this.rows).find((row) => row.dataset.folder === path); }

  /** Shows the new state of a file. @param {import('./api.js').File} file */
  update(file) {
    if (this.loading) this.pendingUpdates.push(() => this.update(file));
    const row = this.find(file.filename);
    if (!this.matches(file)) {
      if (row) this.remove(file.filename);
      if (!this.isSearch) this.addFolder(file.filename);
      return;
    }
    if (row) this.fill(row, file);
    else this.insert(this.row(file), 'file', file.filename);
    this.updateState();
  }

  matches(file) {
    if (!this.isSearch) return folderOf(file.filename) === this.folder;
    const hasStatus = !STATUS[this.show] || file.status === STATUS[this.show];
    return hasStatus && matches(file, this.query);
  }

  /** Adds a row for the direct subfolder that contains `filename`, if it has none. */
  addFolder(filename) {
    const prefix = this.folder ? `${this.folder}/` : '';
    if (!filename.startsWith(prefix)) return;
    const path = prefix + filename.slice(prefix.length).split('/')[0];
    if (path === filename || this.findFolder(path)) return;
    const row = cloneTemplate('folder-template');
    row.dataset.folder = path;
    const link = $('a.name', row);
    link.textContent = baseName(path);
    link.href = this.urls.folderPage(path);
    this.insert(row, 'folder', path);
    this.updateState();
  }

  /** Inserts a row in order: folders first, then files. The server knows the other orders. */
  insert(row, kind, name) {
    if (!this.isByName) { this.reloadSoon(); return; }
    const after = $$('tr', this.rows).find((other) => {
      if (kind === 'folder' && other.dataset.file !== undefined) return true;
      if (kind === 'file' && other.dataset.folder !== undefined) return false;
      return compareNames(other.dataset[kind], name) > 0;
    });
    row.dataset.fresh = '';
    this.rows.insertBefore(row, after ?? null);
    writeTimes(row);
  }

  remove(filename) {
    if (this.loading) this.pendingUpdates.push(() => this.remove(filename));
    const row = this.find(filename);
    if (row) {
      const focused = row.contains(document.activeElement);
      const neighbour = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      if (focused) ($('a.name', neighbour ?? this.rows) ?? $('#search')).focus();
    } else if (!this.isSearch && filename.startsWith(this.folder && `${this.folder}/`)) {
      this.reloadSoon(); // the subfolder may be empty and gone now
    }
    this.updateState();
  }

  /** Updates everything around the rows: empty states, the count and the link to more rows. */
  updateState() {
    const none = this.rows.children.length === 0;
    $('#empty').hidden = !none || this.isSearch;
    $('#no-match').hidden = !none || !this.isSearch;
    $('#no-match-title').textContent = this.noMatchTitle();
    $('#no-match-text').textContent = this.query
      ? `The search covers the names and descriptions of all files in ${this.vault}.`
      : 'This list updates live.';
    this.moreLink.closest('p').hidden = !this.next;
    if (this.next) this.moreLink.href = this.next;
    const shown = $$('tr[data-file]', this.rows).length;
    const count = `${shown}${this.next ? ' or more' : ''} found in ${this.vault}`;
    $('#count').textContent = this.isSearch && !none ? count : '';
  }

  noMatchTitle() {
    if (this.query) return `No file matches “${this.query}”`;
    return this.show === 'mine' ? 'You have no files checked out' : 'No files are locked by others';
  }

  currentFocus() {
    const row = document.activeElement?.closest?.('#rows tr');
    return row && { file: row.dataset.file, folder: row.dataset.folder, action: document.activeElement.dataset.action };
  }

  restoreFocus(focus) {
    if (!focus) return;
    const row = focus.file === undefined ? this.findFolder(focus.folder) : this.find(focus.file);
    const button = row && focus.action && $(`[data-action="${focus.action}"]`, row);
    (button || (row && $('a.name', row)) || $('#search')).focus();
  }
}
