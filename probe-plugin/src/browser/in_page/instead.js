// Says what is there instead of what was looked for.

const SHOWN_CANDIDATES = 5;
// Texts that are compared, at most.
const COMPARED = 2000;

// What identifies an element to whoever reads its page's source.
function tagged(element) {
  const id = element.id ? '#' + element.id : '';
  const classes = [...element.classList].slice(0, 2).map((word) => '.' + word).join('');
  return '`' + element.localName + id + classes + '`';
}

function describe(element) {
  const text = element.innerText === undefined ? squeeze(element.textContent) : shownText(element);
  return tagged(element) + (text ? ` \u201c${short(text)}\u201d` : '');
}

// How many letters have to be changed to make one of the other; more than `most` is not counted on.
function distance(a, b, most) {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) {
      line.push(Math.min(above[column] + 1, line[column - 1] + 1, above[column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1)));
    }
    if (Math.min(...line) > most) return Infinity;
    above = line;
  }
  return above[b.length];
}

const bare = (text) => text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').slice(0, 60);

// Those that are nearest to what was wanted; all of them in the order of the page where they are few.
function nearest(texts, wanted) {
  const known = [...new Set(texts.map(squeeze).filter(Boolean))];
  if (known.length <= SHOWN_CANDIDATES || !wanted) return known.slice(0, SHOWN_CANDIDATES);
  const sought = bare(wanted);
  const far = known.slice(0, COMPARED).map((text) => [bare(text).includes(sought) ? 0 : distance(bare(text), sought, Infinity), text]);
  return far.sort(([a], [b]) => a - b).slice(0, SHOWN_CANDIDATES).map(([, text]) => text);
}

// The texts of the page that could have been meant.
function insteadOfText(wanted, scope) {
  const sought = bare(wanted);
  const most = Math.max(2, Math.floor(sought.length / 2));
  const near = new Map();
  let compared = 0;
  for (const root of roots(scope)) {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node && compared < COMPARED; node = walk.nextNode()) {
      const text = squeeze(node.data);
      const parent = node.parentElement;
      if (!text || !parent || UNSEEN.has(parent.tagName) || parent.localName === 'textarea') continue;
      compared += 1;
      if (text.includes(squeeze(wanted)) && !visible(parent)) return `; ${quoted(text)} is on the page and not visible`;
      const far = near.has(text) ? Infinity : distance(bare(text), sought, most);
      if (far < Infinity && visible(parent)) near.set(text, far);
    }
  }
  const nearest = [...near].sort(([, a], [, b]) => a - b).slice(0, SHOWN_CANDIDATES).map(([text]) => quoted(text));
  return nearest.length ? `; the nearest texts are ${nearest.join(', ')}` : '';
}

// Cuts a path of CSS or XPath where it goes from one element to the next, outside of brackets and quotes.
function steps(path, borders) {
  const parts = [''];
  let depth = 0;
  let quote = null;
  for (const letter of path) {
    const outside = depth === 0 && !quote;
    if (quote) quote = letter === quote ? null : quote;
    else if (letter === '"' || letter === '\'') quote = letter;
    else if (letter === '[' || letter === '(') depth += 1;
    else if (letter === ']' || letter === ')') depth -= 1;
    const before = parts.at(-1);
    if (outside && borders.includes(letter) && before && !borders.includes(before.at(-1))) parts.push(letter);
    else if (outside && before && borders.includes(before[0]) && borders.includes(letter) && [...before].every((each) => borders.includes(each))) parts[parts.length - 1] += letter;
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

// Which beginning of a path is there.
function beginning(path, borders, find) {
  const parts = steps(path, borders);
  for (let count = parts.length - 1; count > 0; count -= 1) {
    const start = parts.slice(0, count).join('').trim();
    try {
      if (find(start).length) return { start, rest: parts.slice(count).join('').trim() };
    } catch {
      // A piece that is no path by itself.
    }
  }
  return null;
}

function path({ by, value }, scope) {
  if (by === 'xpath') {
    const there = beginning(value, '/', (start) => byXPath(start, scope));
    return there ? `; ${quoted(there.start)} is there, ${quoted(there.rest)} in it is not` : '';
  }
  if (steps(value, ',').length > 1) return '';
  const there = beginning(value, ' >+~', (start) => query(start, scope));
  if (there) {
    const beside = /^[+~]/.test(there.rest);
    return `; ${quoted(there.start)} is there, ${quoted(there.rest.replace(/^[>+~]\s*/, ''))} ${beside ? 'beside' : 'inside'} it is not`;
  }
  const without = beginning(steps(value, ' >+~')[0], '.#[:', (start) => query(start, scope));
  if (without) return `; ${quoted(without.start)} is there, without ${quoted(without.rest)}`;
  const near = value.startsWith('#') ? query('[id]', scope).map(({ id }) => '#' + id).filter((id) => distance(bare(id), bare(value), 3) <= 3) : [];
  return near.length ? `; there are ${nearest(near, value).map(quoted).join(', ')}` : '';
}

function instead(selector, scope = document) {
  const { by, value } = selector;
  const list = (what, how, texts) => {
    const near = nearest(texts, selector.name?.value ?? value).map(quoted);
    return near.length ? `; there are ${what} ${how} ${near.join(', ')}` : `; there are no ${what}`;
  };
  const fields = () => query(FIELDS, scope).filter(visible);
  switch (by) {
    case 'chain': return insteadOfChain(selector, scope);
    case 'css': case 'xpath': return path(selector, scope);
    case 'label': return list('fields', 'labelled', fields().map(label));
    case 'named': return list('elements', 'named', query(nameable(), scope).filter(visible).map(name));
    case 'placeholder': return list('fields', 'with placeholder', fields().map((element) => element.placeholder || ''));
    case 'role': return insteadOfRole(selector, scope, list);
    case 'testid': return list('elements', 'with test id', query('[data-testid]', scope).map((element) => element.dataset?.testid || ''));
    case 'text': return insteadOfText(value, scope);
    default: return '';
  }
}

function insteadOfRole({ value, name: wanted, states = {} }, scope, list) {
  const seen = ofRole(value, scope).filter(visible);
  const so = wanted ? named(seen, wanted) : seen;
  const heard = so.filter((element) => !unheard(element));
  if (heard.length) {
    const other = Object.entries(states).filter(([state, word]) => STATES[state](heard[0]) !== word);
    return `; one named ${quoted(name(heard[0]))} is there, and not ${other.map(([state, word]) => quoted(`[${state}=${word}]`)).join(', ')}`;
  }
  if (so.length) return `; one named ${quoted(name(so[0]))} is there, and hidden from assistive technology`;
  return list(`elements of role ${quoted(value)}`, 'named', seen.filter((element) => !unheard(element)).map(name));
}

// The first part of a chain that finds nothing, and what is there instead within what the parts before it found.
function insteadOfChain({ parts }, scope) {
  let scopes = [scope];
  for (const [index, part] of parts.entries()) {
    const found = narrow(scopes, part);
    if (!found.length) {
      const before = parts.slice(0, index).map((each) => each.shown).join(' >> ');
      if (part.by === 'nth') return `; there are ${scopes.length} of \`${before}\``;
      const there = index ? `; \`${before}\` is there, \`${part.shown}\` within it is not` : `; \`${part.shown}\` is not there`;
      return there + instead(part, scopes[0]);
    }
    scopes = found;
  }
  return '';
}

// What stands around it and around none of the others.
function around(element, others) {
  let widest = null;
  for (let node = shownIn(element); node && !others.some((other) => other !== element && node.contains(other)); node = shownIn(node)) widest = node;
  return widest ? ` in ${describe(widest)}` : '';
}

function ambiguous(seen, { shown }) {
  return no('ambiguous', () => {
    const some = seen.slice(0, SHOWN_CANDIDATES);
    const words = some.map(describe);
    const told = some.map((element, index) => words[index] + (words.indexOf(words[index]) === words.lastIndexOf(words[index]) ? '' : around(element, seen)));
    const more = seen.length > some.length ? ', \u2026' : '';
    return `\`${shown}\` matched ${seen.length} elements: ${told.join(', ')}${more}; say which, \` >> nth=0\` is the first`;
  });
}

function none(found, selector) {
  return found.length
    ? no('hidden', `\`${selector.shown}\` is on the page and not visible`)
    : no('missing', () => `\`${selector.shown}\` matched nothing${instead(selector)}`);
}
