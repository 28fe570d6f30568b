// What an element is to somebody who cannot see it: its ARIA role and states. As Chromium's own accessibility tree has it.

const AREAS = new Set(['article', 'aside', 'nav', 'section', 'complementary', 'navigation', 'region']);
const LISTED = new Set(['text', 'search', 'email', 'tel', 'url']);
const TYPES = {
  button: 'button', checkbox: 'checkbox', email: 'textbox', file: 'button', image: 'button', number: 'spinbutton',
  password: 'textbox', radio: 'radio', range: 'slider', reset: 'button', search: 'searchbox', submit: 'button',
  tel: 'textbox', text: 'textbox', url: 'textbox',
};

// Whether it stands in a part of the page that is a whole by itself.
function inArea(element, { main }) {
  for (let node = shownIn(element); node; node = shownIn(node)) {
    const told = explicitRole(node) ?? node.localName;
    if (AREAS.has(told) || (main && told === 'main')) return true;
  }
  return false;
}

const hasName = (element) => name(element) !== '';
const tableOf = (element) => element.closest('table');

// Cells, rows and groups of rows are such only in a table that is one.
function inTable(element, own) {
  const table = tableOf(element);
  if (!table) return null;
  const told = explicitRole(table);
  if (told === 'none' || told === 'presentation') return null;
  return own(told === 'grid' || told === 'treegrid');
}

// Without a `scope`, a row of nothing but headers heads columns.
function header(element) {
  const scope = (element.getAttribute('scope') || '').toLowerCase();
  if (scope) return scope.startsWith('row') ? 'rowheader' : 'columnheader';
  const cells = [...(element.parentElement?.children || [])];
  const heads = cells.every((cell) => cell.localName === 'th') && (cells.length > 1 || element.parentElement.rowIndex === 0);
  return heads || element.closest('thead') ? 'columnheader' : 'rowheader';
}

const always = (role) => () => role;
const roles = lazily(() => {
  const own = {
    a: (element) => (element.hasAttribute('href') ? 'link' : null),
    area: (element) => (element.hasAttribute('href') ? 'link' : null),
    aside: (element) => (inArea(element, { main: false }) && !hasName(element) ? null : 'complementary'),
    footer: (element) => (inArea(element, { main: true }) ? null : 'contentinfo'),
    header: (element) => (inArea(element, { main: true }) ? null : 'banner'),
    img: (element) => (element.getAttribute('alt') === '' && !element.title && !element.hasAttribute('aria-label') && !element.hasAttribute('aria-labelledby') ? null : 'img'),
    input: (element) => {
      return element.list && LISTED.has(element.type) ? 'combobox' : TYPES[element.type] || null;
    },
    li: (element) => {
      const list = shownIn(element);
      if (!list || !['ul', 'ol', 'menu'].includes(list.localName)) return list && explicitRole(list) === 'list' ? 'listitem' : null;
      const told = explicitRole(list);
      return !told || told === 'list' ? 'listitem' : null;
    },
    section: (element) => (hasName(element) ? 'region' : null),
    select: (element) => (element.multiple || element.size > 1 ? 'listbox' : 'combobox'),
    summary: (element) => (element.parentElement?.localName === 'details' ? 'button' : null),
    svg: always('img'),
    tbody: (element) => inTable(element, always('rowgroup')),
    td: (element) => inTable(element, (grid) => (grid ? 'gridcell' : 'cell')),
    tfoot: (element) => inTable(element, always('rowgroup')),
    th: (element) => inTable(element, () => header(element)),
    thead: (element) => inTable(element, always('rowgroup')),
    tr: (element) => inTable(element, always('row')),
  };
  for (const [role, names] of Object.entries({
    article: 'article', blockquote: 'blockquote', button: 'button', caption: 'caption', code: 'code', definition: 'dd',
    deletion: 'del s', dialog: 'dialog', document: 'html', emphasis: 'em', figure: 'figure', form: 'form',
    group: 'address details fieldset hgroup optgroup', heading: 'h1 h2 h3 h4 h5 h6', insertion: 'ins',
    list: 'ul ol menu', listbox: 'datalist', main: 'main', mark: 'mark', math: 'math', meter: 'meter', navigation: 'nav',
    option: 'option', paragraph: 'p', progressbar: 'progress', search: 'search', separator: 'hr', status: 'output',
    strong: 'strong', subscript: 'sub', superscript: 'sup', table: 'table', term: 'dt dfn', textbox: 'textarea', time: 'time',
  })) for (const each of names.split(' ')) own[each] = always(role);
  return own;
});

// Where the first word is none that ARIA knows, the next one counts.
const knownRoles = lazily(() => new Set(('alert alertdialog application article banner blockquote button caption cell checkbox code ' +
  'columnheader combobox complementary contentinfo definition deletion dialog directory document emphasis feed figure form ' +
  'generic grid gridcell group heading img insertion link list listbox listitem log main mark marquee math menu menubar ' +
  'menuitem menuitemcheckbox menuitemradio meter navigation none note option paragraph presentation progressbar radio ' +
  'radiogroup region row rowgroup rowheader scrollbar search searchbox separator slider spinbutton status strong subscript ' +
  'suggestion superscript switch tab table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem').split(' ')));

function explicitRole(element) {
  const words = element.getAttribute('role');
  if (!words) return null;
  for (const word of words.toLowerCase().split(/\s+/)) {
    if (word === 'image') return 'img';
    if (knownRoles().has(word)) return word;
  }
  return null;
}

// Of what the keyboard reaches nobody can be kept from hearing.
const saysMore = (element) => element.tabIndex >= 0 || element.hasAttribute('aria-label') || element.hasAttribute('aria-labelledby');

function toldRole(element) {
  const told = explicitRole(element);
  return (told === 'none' || told === 'presentation') && saysMore(element) ? null : told;
}

const NO_ROLE = new Set(['generic', 'none', 'presentation']);
const ownRole = (element) => (Object.hasOwn(roles(), element.localName) ? roles()[element.localName](element) : null);

function role(element) {
  const told = toldRole(element);
  if (told === 'region' && !hasName(element)) return null;
  return NO_ROLE.has(told) ? null : told ?? ownRole(element);
}

// The same of an element whose name is being looked for: a role that hangs on a name says nothing about it.
const NEEDS_NAME = new Set(['aside', 'section']);
const roleUnnamed = (element) => toldRole(element) ?? (NEEDS_NAME.has(element.localName) ? null : ownRole(element));

// Where elements of a role can be: all that HTML makes of the names above, and what says so itself.
const candidates = lazily(() => {
  const possible = {
    a: ['link'], area: ['link'], aside: ['complementary'], footer: ['contentinfo'], header: ['banner'], img: ['img'],
    input: ['combobox', ...new Set(Object.values(TYPES))], li: ['listitem'], section: ['region'], select: ['listbox', 'combobox'],
    summary: ['button'], td: ['cell', 'gridcell'], th: ['cell', 'gridcell', 'columnheader', 'rowheader'], tr: ['row'],
    tbody: ['rowgroup'], tfoot: ['rowgroup'], thead: ['rowgroup'],
  };
  const found = {};
  for (const [each, own] of Object.entries(roles())) {
    for (const role of possible[each] || [own()]) (found[role] ??= []).push(each);
  }
  return found;
});
const ofRole = (wanted, scope) => query([`[role~="${wanted === 'img' ? 'image" i], [role~="img' : wanted}" i]`, ...(candidates()[wanted] || [])].join(), scope)
  .filter((element) => role(element) === wanted);

// Nobody hears of it: it is not shown, or it says itself that it is not meant for that.
function unheard(element) {
  const shown = element.localName === 'option' || element.localName === 'optgroup' ? element.closest('select') || element : element;
  if (!shown.checkVisibility({ visibilityProperty: true }) && getComputedStyle(shown).display !== 'contents') return true;
  for (let node = element; node; node = shownIn(node)) {
    if (node.getAttribute('aria-hidden') === 'true' || node.inert) return true;
  }
  return false;
}

const aria = (element, attribute) => element.getAttribute('aria-' + attribute);
// Each answers with the word that stands in the selector.
const STATES = {
  checked: (element) => (element.indeterminate ? 'mixed' : String(element.checked ?? aria(element, 'checked') ?? false)),
  disabled: (element) => String(disabled(element)),
  expanded: (element) => (element.localName === 'summary' ? String(element.parentElement.open) : aria(element, 'expanded')),
  level: (element) => aria(element, 'level') ?? (/^h[1-6]$/.test(element.localName) ? element.localName[1] : null),
  pressed: (element) => aria(element, 'pressed') ?? 'false',
  selected: (element) => (element.localName === 'option' ? String(element.selected) : aria(element, 'selected') ?? 'false'),
};
