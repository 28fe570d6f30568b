// Finds what a selector means.

const no = (why, message) => ({ ok: false, why, message });
const yes = (more) => ({ ok: true, at: now(), ...more });

// What each check of `perform` looks for; the files that follow fill it.
const CHECK = {};

function byXPath(expression, scope) {
  // Within an element a path begins there, and not at the document.
  const path = scope !== document && expression.startsWith('/') ? '.' + expression : expression;
  let result;
  try {
    result = document.evaluate(path, scope, null, XPathResult.ORDERED_NODE_ITERATOR_TYPE, null);
  } catch (error) {
    throw error.name === 'SyntaxError' ? error : new SyntaxError('it names no elements, it computes a value');
  }
  const found = [];
  for (let node = result.iterateNext(); node; node = result.iterateNext()) {
    if (!(node instanceof Element)) throw new SyntaxError(`it names ${node.nodeType === Node.ATTRIBUTE_NODE ? 'an attribute' : 'a text'}, and no element`);
    found.push(node);
  }
  return found;
}

// To name thousands of elements takes seconds. Where there are more than these, only those are named whose texts and
// attributes have the words that are sought: what a style alone adds is not looked for then.
const FEW = 200;
const SPEAKING = '[aria-label], [aria-labelledby], [alt], [title], [placeholder], input, select, textarea, svg, slot';

function mayBeNamed(element, words) {
  const written = element.textContent.toLowerCase();
  return words.every((word) => written.includes(word)) || element.matches(SPEAKING) || element.shadowRoot !== null ||
    element.querySelector(SPEAKING) !== null;
}

// Those that are called so: all of the name or a part of it, with or without regard to capitals.
function named(elements, { value, part, any_case: anyCase }) {
  const wanted = squeeze(value);
  const sought = anyCase ? wanted.toLowerCase() : wanted;
  const words = wanted.toLowerCase().split(' ');
  const likely = elements.length > FEW && roots(document).length === 1 ? elements.filter((element) => mayBeNamed(element, words)) : elements;
  return likely.filter((element) => {
    const own = anyCase ? name(element).toLowerCase() : name(element);
    return part ? own.includes(sought) : own === sought;
  });
}

// What can have a name: whatever has a role, and what is given a name as such.
const nameable = lazily(() => `[role], [aria-label], [aria-labelledby], [title], ${Object.keys(roles()).join()}`);

const isSo = (element, states = {}) => Object.entries(states).every(([state, wanted]) => STATES[state](element) === wanted);

// Each takes a part of a selector and finds its elements, hidden ones too, in a scope: the document or an element.
const FIND = {
  chain: ({ parts }, scope = document) => parts.reduce(narrow, [scope]),
  css: ({ value }, scope) => query(value, scope),
  label: ({ value }, scope) => query(FIELDS, scope).filter((element) => labels(element).includes(bareLabel(value))),
  named: ({ value }, scope) => named(query(nameable(), scope), { value }).filter((element) => !unheard(element)),
  placeholder: ({ value }, scope) => query('[placeholder]', scope).filter((element) => squeeze(element.placeholder ?? element.getAttribute('placeholder')) === squeeze(value)),
  role: ({ value, name: wanted, states }, scope) => {
    const found = ofRole(value, scope);
    return (wanted ? named(found, wanted) : found).filter((element) => isSo(element, states) && !unheard(element));
  },
  testid: ({ value }, scope) => query(`[data-testid="${CSS.escape(value)}"]`, scope),
  text: ({ value, whole }, scope) => byText(value, { scope, whole }),
  xpath: ({ value }, scope = document) => byXPath(value, scope),
};

// What the next part of a chain finds in what the parts before it found.
const narrow = (scopes, part) => (part.by === 'nth'
  ? pick(scopes, part.index)
  : [...new Set(scopes.flatMap((scope) => FIND[part.by](part, scope)))]);

// The one at this place, from 0, or from the end: among those that a user can see, where there are any.
function pick(found, index) {
  const seen = found.filter((element) => element instanceof Element && visible(element));
  const one = (seen.length ? seen : found).at(index);
  return one ? [one] : [];
}

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
