// Search and order as on the server (vault/src/search.rs): words in any order, without case and accents.

const PLAIN = { ø: 'o', ł: 'l', đ: 'd', ð: 'd', ħ: 'h', ŧ: 't', ı: 'i', æ: 'ae', œ: 'oe', þ: 'th', ß: 'ss', ς: 'σ' };

/** @param {string} text @returns {string} */
export function fold(text) {
  const plain = text.normalize('NFKD').replace(/[\u0300-\u036f]/gu, '').toLowerCase();
  return plain.replace(/[øłđðħŧıæœþßς]/gu, (letter) => PLAIN[letter]).normalize('NFD').replace(/[\u0300-\u036f]/gu, '').normalize('NFC');
}

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** Each word as a test of a folded name and text. @param {string} query */
function tests(query) {
  return fold(query).split(/\s+/u).filter(Boolean).map((word) => {
    if (!/[*?]/.test(word)) return (_, text) => text.includes(word);
    const pattern = escaped(word).replaceAll('\\*', '.*').replaceAll('\\?', '.');
    const expression = new RegExp(`(^|/)${pattern}$`, 'su');
    return (name) => expression.test(name);
  });
}

/** @param {{filename: string, description?: ?string}} file @param {string} query */
export function matches(file, query) {
  const name = fold(file.filename), text = `/${name}\n${fold(file.description ?? '')}`;
  return tests(query).every((test) => test(name, text));
}

/** The parts of the words that can be marked: patterns without their wildcards. */
const parts = (query) => fold(query).split(/[\s*?]+/u).filter(Boolean);

/** Where `query` occurs in `text`: sorted, without overlaps. @returns {[number, number][]} */
export function occurrences(text, query) {
  // Folding changes lengths, so each folded character remembers where it came from.
  let folded = '';
  const origins = [];
  let at = 0;
  for (const character of text) {
    const plain = fold(character);
    for (let n = 0; n < plain.length; n += 1) origins.push(at);
    folded += plain;
    at += character.length;
  }
  origins.push(text.length);
  const found = [];
  for (const part of parts(query)) {
    for (let start = folded.indexOf(part); start >= 0; start = folded.indexOf(part, start + part.length)) {
      const end = start + part.length;
      found.push([origins[start], end < folded.length ? Math.max(origins[end], origins[start] + 1) : text.length]);
    }
  }
  found.sort((one, other) => one[0] - other[0]);
  return found.reduce((merged, [start, end]) => {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
    return merged;
  }, []);
}

const CONTEXT = 30;

/** Writes `text` into `element` with the occurrences of `query` as marks. A long text starts near the first one. */
export function writeMarked(element, text, query, { shorten = false } = {}) {
  const found = occurrences(text, query);
  const from = shorten && found.length > 0 && found[0][0] > CONTEXT ? found[0][0] - CONTEXT : 0;
  let at = from;
  element.textContent = from > 0 ? '…' : '';
  for (const [start, end] of found) {
    const mark = document.createElement('mark');
    mark.textContent = text.slice(start, end);
    element.append(text.slice(at, start), mark);
    at = end;
  }
  element.append(text.slice(at));
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Natural order: `part2` before `part10`. */
export const compareNames = (one, other) => collator.compare(one, other) || (one < other ? -1 : Number(one > other));
