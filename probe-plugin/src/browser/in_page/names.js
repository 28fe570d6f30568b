// What an element is to a user: its role, and what it is called.

const ROLES = {
  a: (element) => (element.hasAttribute('href') ? 'link' : null),
  article: () => 'article', button: () => 'button', dialog: () => 'dialog', footer: () => 'contentinfo',
  form: () => 'form', header: () => 'banner', h1: () => 'heading', h2: () => 'heading', h3: () => 'heading',
  h4: () => 'heading', h5: () => 'heading', h6: () => 'heading', img: () => 'img', li: () => 'listitem',
  main: () => 'main', nav: () => 'navigation', ol: () => 'list', option: () => 'option', output: () => 'status',
  progress: () => 'progressbar', table: () => 'table', td: () => 'cell', textarea: () => 'textbox',
  th: () => 'columnheader', tr: () => 'row', ul: () => 'list',
  select: (element) => (element.multiple || element.size > 1 ? 'listbox' : 'combobox'),
  input: (element) => ({
    button: 'button', checkbox: 'checkbox', email: 'textbox', image: 'button', number: 'spinbutton',
    radio: 'radio', range: 'slider', reset: 'button', search: 'searchbox', submit: 'button', tel: 'textbox',
    text: 'textbox', url: 'textbox',
  })[element.type] || null,
};

function role(element) {
  const explicit = squeeze(element.getAttribute('role')).split(' ')[0];
  if (explicit) return explicit;
  const implicit = ROLES[element.localName];
  return implicit ? implicit(element) : null;
}

const CONTROLS = new Set(['INPUT', 'SELECT', 'TEXTAREA']);
const UNSEEN = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD', 'TITLE']);

// What an element is called by what stands in it: texts and pictures' texts, without what is hidden and without fields.
function nameFromContent(element) {
  const parts = [];
  const slotted = element.localName === 'slot' ? element.assignedNodes({ flatten: true }) : [];
  for (const node of slotted.length ? slotted : element.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) parts.push(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || UNSEEN.has(node.tagName) || CONTROLS.has(node.tagName)) continue;
    if (node.getAttribute('aria-hidden') === 'true' || getComputedStyle(node).display === 'none') continue;
    const own = node.getAttribute('aria-label') ?? (node.localName === 'img' ? node.alt : nameFromContent(node));
    parts.push(getComputedStyle(node).display.startsWith('inline') && node.localName !== 'br' ? own : ` ${own} `);
  }
  return parts.join('');
}

// The labels of each field, gathered once for a look: `element.labels` walks the whole document for every element.
let labels = null;
const lookAfresh = () => { labels = null; };

function labelsOf(element) {
  if (!labels) {
    labels = new Map();
    for (const root of roots(document)) {
      for (const label of root.querySelectorAll('label')) {
        if (label.control) labels.set(label.control, [...(labels.get(label.control) || []), label]);
      }
    }
  }
  return labels.get(element) || [];
}

function name(element) {
  const by = squeeze(element.getAttribute('aria-labelledby'));
  if (by) {
    const labels = by.split(' ').map((id) => element.getRootNode().getElementById(id)).filter(Boolean);
    return squeeze(labels.map(nameFromContent).join(' '));
  }
  const own = squeeze(element.getAttribute('aria-label'));
  if (own) return own;
  if (labelsOf(element).length) return squeeze(labelsOf(element).map(nameFromContent).join(' '));
  if (element.localName === 'input' && ['button', 'submit', 'reset'].includes(element.type)) {
    return squeeze(element.value) || { submit: 'Submit', reset: 'Reset' }[element.type] || '';
  }
  if (element.hasAttribute('alt')) return squeeze(element.getAttribute('alt'));
  return squeeze(nameFromContent(element)) || squeeze(element.getAttribute('title'));
}

const FIELDS = 'input:not([type=hidden]), textarea, select, [contenteditable], [role=textbox], [role=combobox]';
const isField = (element) => element.matches(FIELDS);
// A star or a colon beside a label is not part of how people call the field.
const bareLabel = (text) => squeeze(text).replace(/\s*[*:]$/, '');
const label = (element) => bareLabel(name(element));
