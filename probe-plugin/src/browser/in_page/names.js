// What an element is called: the accessible name, computed as accname 1.2 and HTML-AAM say and as Chromium does.

const UNSEEN = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD', 'TITLE']);
const NAMED_BY_CONTENT = new Set(['button', 'cell', 'checkbox', 'columnheader', 'gridcell', 'heading', 'link', 'menuitem',
  'menuitemcheckbox', 'menuitemradio', 'option', 'radio', 'row', 'rowheader', 'switch', 'tab', 'term', 'tooltip', 'treeitem']);
const PUSHED = { submit: 'Submit', reset: 'Reset', image: 'Submit' };

// What a style puts before or behind. A text behind a slash is there to be read in place of a picture.
function generated(element, where) {
  const { content, display } = getComputedStyle(element, where);
  if (!content.includes('"') || display === 'none') return '';
  const strings = (text) => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part]) => part.replace(/\\(.)/g, '$1')).join('');
  const [drawn, read] = content.split(/ \/ (?=")/);
  const text = strings(read ?? drawn);
  return display === 'inline' && read === undefined ? text : ` ${text} `;
}

// What a control that stands in a text adds to it: what it is set to. Never a password.
function setTo(element) {
  const as = roleUnnamed(element);
  if (as === 'textbox' || as === 'searchbox') return element.type === 'password' ? '' : element.value ?? element.textContent;
  if (as === 'combobox' || as === 'listbox') {
    if (element.selectedOptions) return [...element.selectedOptions].map((option) => option.label).join(' ');
    if (element.value !== undefined) return element.value;
    return [...element.querySelectorAll('[role=option][aria-selected=true]')].map((option) => option.textContent).join(' ');
  }
  if (as === 'slider' || as === 'spinbutton' || as === 'progressbar' || as === 'meter') {
    return aria(element, 'valuetext') ?? aria(element, 'valuenow') ?? String(element.value ?? '');
  }
  return null;
}

// `way` is what is known on the way down: who was asked (`seen`), whether inside a text that names something (`inside`),
// whether ids were followed (`referred`), whether what is hidden counts because whoever refers to it means it (`hidden`).
function content(element, way) {
  const style = getComputedStyle(element);
  const shows = way.hidden || style.visibility === 'visible';
  const slotted = element.localName === 'slot' ? element.assignedNodes({ flatten: true }) : [];
  const nodes = slotted.length ? slotted : (element.shadowRoot || element).childNodes;
  const parts = [generated(element, '::before')];
  for (const node of nodes) {
    if (node.nodeType === Node.TEXT_NODE && shows) parts.push(cased(node.data, style.textTransform));
    if (node.nodeType !== Node.ELEMENT_NODE || UNSEEN.has(node.tagName)) continue;
    const part = called(node, { ...way, inside: true });
    const runsOn = getComputedStyle(node).display === 'inline' && node.localName !== 'br' && node.localName !== 'img';
    parts.push(runsOn ? part : ` ${part} `);
  }
  parts.push(generated(element, '::after'));
  return parts.join('');
}

const cased = (text, transform) => (transform === 'uppercase' ? text.toUpperCase() : transform === 'lowercase' ? text.toLowerCase() : text);

const hiddenHere = (element) => element.getAttribute('aria-hidden') === 'true' ||
  (!element.checkVisibility() && getComputedStyle(element).display !== 'contents' && element.localName !== 'option');

const referredTo = (element) => element.ariaLabelledByElements || [];
const allCalled = (elements, way) => elements.map((each) => called(each, { ...way, inside: true, hidden: unheard(each) })).join(' ');

// The labels of each field, gathered once for a look: `element.labels` walks the whole document for every element.
function labelsOf(element) {
  if (!knownLabels) {
    knownLabels = new Map();
    for (const root of roots(document)) {
      for (const label of root.querySelectorAll('label')) {
        if (label.control) knownLabels.set(label.control, [...(knownLabels.get(label.control) || []), label]);
      }
    }
  }
  return knownLabels.get(element) || [];
}

// What HTML itself names it by, before its content.
function native(element, way) {
  const child = (localName) => [...element.children].find((each) => each.localName === localName);
  const part = (localName) => (child(localName) ? content(child(localName), way) : null);
  const heard = labelsOf(element).filter((label) => !unheard(label));
  if (heard.length) return allCalled(heard, way);
  switch (element.localName) {
    case 'input':
      if (element.type === 'image') return element.alt || element.title || element.value || PUSHED.image;
      if (['button', 'submit', 'reset'].includes(element.type)) return element.hasAttribute('value') ? element.value : PUSHED[element.type] ?? null;
      return null;
    case 'area': case 'img': return element.getAttribute('alt');
    case 'fieldset': return part('legend');
    case 'figure': return part('figcaption');
    case 'optgroup': case 'option': return element.getAttribute('label');
    case 'svg': return child('title')?.textContent ?? null;
    case 'table': return part('caption');
    default: return null;
  }
}

function called(element, way) {
  if (way.seen.has(element)) return '';
  if (way.inside && !way.hidden && hiddenHere(element)) return '';
  const seen = new Set(way.seen).add(element);
  const on = { ...way, seen };
  if (!way.referred && referredTo(element).length) {
    // What refers to itself means its own other name.
    const by = referredTo(element).map((each) => called(each, { seen: each === element ? way.seen : seen, inside: true, referred: true, hidden: unheard(each) }));
    const text = squeeze(by.join(' '));
    if (text) return text;
  }
  const setting = way.inside ? setTo(element) : null;
  if (setting !== null && !(way.referred && squeeze(aria(element, 'label')))) return setting;
  const label = squeeze(aria(element, 'label'));
  if (label) return label;
  const own = native(element, on);
  if (own !== null && squeeze(own)) return own;
  if (way.inside || NAMED_BY_CONTENT.has(roleUnnamed(element))) {
    const text = content(element, on);
    if (squeeze(text)) return text;
  }
  return element.getAttribute('title') || element.getAttribute('placeholder') || element.getAttribute('aria-placeholder') || '';
}

const name = (element) => squeeze(called(element, { seen: new Set(), inside: false, referred: false, hidden: false }));

const FIELDS = 'input:not([type=hidden]), textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox], ' +
  '[role=searchbox], [role=combobox], [role=listbox], [role=checkbox], [role=radio], [role=switch], [role=slider], [role=spinbutton]';
// A star or a colon beside a label is not part of how people call the field.
const bareLabel = (text) => squeeze(text).replace(/^\*\s*/, '').replace(/\s*(?:\*|\(\*\)|:)+$/, '');

// All that a field is labelled with: together, and each by itself.
function labels(element) {
  const way = { seen: new Set([element]), referred: true };
  const each = [...referredTo(element), ...(element.labels || [])].map((label) => allCalled([label], way));
  const together = referredTo(element).length || labelsOf(element).length ? each.join(' ') : '';
  return [together, aria(element, 'label') || '', ...each].map(bareLabel).filter(Boolean);
}
const label = (element) => labels(element)[0] || '';
