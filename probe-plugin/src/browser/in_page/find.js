// Finds what a selector means, and says what is there instead.

// Whether the text is among what the element shows. Capitals that only the style makes are taken for what is written.
function shows(element, wanted) {
  const shown = squeeze(element.innerText);
  if (shown.includes(wanted)) return true;
  return shown.toLowerCase().includes(wanted.toLowerCase()) && squeeze(element.textContent).includes(wanted);
}

// The innermost elements that show the text. Only parts of the page that hold its letters are looked into.
function byText(text) {
  const wanted = squeeze(text);
  const letters = wanted.replace(/\s/g, '');
  const found = [];
  const search = (root) => {
    for (const child of root.children) {
      if (UNSEEN.has(child.tagName) || !child.textContent.replace(/\s/g, '').includes(letters)) continue;
      const before = found.length;
      search(child);
      if (found.length === before && visible(child) && shows(child, wanted)) found.push(child);
    }
  };
  for (const root of roots(document)) {
    search(root);
    const buttons = root.querySelectorAll('input[type=submit], input[type=button], input[type=reset]');
    found.push(...[...buttons].filter((button) => squeeze(button.value).includes(wanted)));
  }
  return found;
}

function byXPath(expression) {
  const result = document.evaluate(expression, document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
  return Array.from({ length: result.snapshotLength }, (_, index) => result.snapshotItem(index))
    .filter((node) => node instanceof Element);
}

const SHOWN_CANDIDATES = 5;
const all = (test) => [...elements(document)].filter(test);
const FIND = {
  css: ({ value }) => [...roots(document)].flatMap((root) => [...root.querySelectorAll(value)]),
  label: ({ value }) => all((element) => isField(element) && label(element) === bareLabel(value)),
  placeholder: ({ value }) => all((element) => squeeze(element.placeholder) === squeeze(value)),
  role: ({ value, name: wanted }) =>
    all((element) => role(element) === value && (wanted == null || name(element) === squeeze(wanted))),
  testid: ({ value }) => all((element) => element.dataset?.testid === value),
  text: ({ value }) => byText(value),
  xpath: ({ value }) => byXPath(value),
};

// What is there instead of what was looked for.
function instead({ by, value }) {
  const list = (what, how, texts) => {
    const known = [...new Set(texts.filter(Boolean))].slice(0, SHOWN_CANDIDATES).map(quoted);
    return known.length ? `; there are ${what} ${how} ${known.join(', ')}` : `; there are no ${what}`;
  };
  const seen = (test) => all((element) => test(element) && visible(element));
  if (by === 'label') return list('fields', 'labelled', seen(isField).map(label));
  if (by === 'placeholder') return list('fields', 'with placeholder', seen(isField).map((element) => element.placeholder));
  if (by === 'role') return list(`elements of role ${quoted(value)}`, 'named', seen((element) => role(element) === value).map(name));
  return '';
}

function describe(element) {
  const id = element.id ? '#' + element.id : '';
  const classes = [...element.classList].slice(0, 2).map((word) => '.' + word).join('');
  const text = squeeze(element.textContent);
  return '`' + element.localName + id + classes + '`' + (text ? ` “${short(text)}”` : '');
}

const no = (why, message) => ({ ok: false, why, message });
const yes = (more) => ({ ok: true, at: now(), ...more });

// What each check of `perform` looks for; the files that follow fill it.
const CHECK = {};

// The one visible element that is meant. Several selectors are tried together; `won` says which one found it.
function one(target) {
  const refusals = [];
  for (const [won, selector] of target.entries()) {
    const found = FIND[selector.by](selector);
    const seen = found.filter(visible);
    if (seen.length === 1) return yes({ element: seen[0], won, shown: selector.shown });
    refusals.push(seen.length ? ambiguous(seen, selector) : none(found, selector));
  }
  return refusals.find(({ why }) => why !== 'missing') || refusals[0];
}

function ambiguous(seen, { shown }) {
  return no('ambiguous', () => {
    const some = seen.slice(0, SHOWN_CANDIDATES).map(describe).join(', ');
    return `\`${shown}\` matched ${seen.length} elements: ${some}`;
  });
}

function none(found, selector) {
  return found.length
    ? no('hidden', `\`${selector.shown}\` is on the page and not visible`)
    : no('missing', () => `\`${selector.shown}\` matched nothing${instead(selector)}`);
}
