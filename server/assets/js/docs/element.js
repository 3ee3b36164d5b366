// Makes elements. Text is set as text, never as markup.

/** @param {string} name @param {object} properties @param {...(Node|string)} children @returns {any} */
export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** The text with its `code` as elements. @param {string} [text] @returns {(Node|string)[]} */
export function prose(text = '') {
  return text.split('`').map((part, n) => (n % 2 ? element('code', {}, part) : part));
}

/** A box that scrolls sideways, also by keyboard. @param {string} label @param {string} text */
export function codeBlock(label, text) {
  const block = element('pre', { className: 'code-block', tabIndex: 0 }, text);
  block.setAttribute('role', 'region');
  block.ariaLabel = label;
  return block;
}
