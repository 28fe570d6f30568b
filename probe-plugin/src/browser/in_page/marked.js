// What a picture of a failure marks: the element that failed, or what stands where it was expected.

const boxed = (elements) => elements.find((element) => element instanceof Element && element !== document.body &&
  element !== document.documentElement && visible(element)) || null;

// The box that a hidden element would be in.
function surrounding(element) {
  for (let outer = shownIn(element); outer; outer = shownIn(outer)) {
    if (boxed([outer])) return outer;
  }
  return null;
}

// The one whose own words are the nearest to what was sought, if any are near; the only one of its kind, whatever it says.
function likest(elements, words, wanted, ofKind = true) {
  const sought = bare(wanted);
  const most = Math.max(2, Math.floor(sought.length / 2));
  const seen = elements.filter(visible);
  let best = null;
  for (const element of seen.slice(0, COMPARED)) {
    const said = bare(squeeze(words(element)));
    const far = said && said.includes(sought) ? 0 : distance(said, sought, most);
    if (far < Infinity && (!best || far < best.far)) best = { element, far };
  }
  return best?.element || (ofKind && seen.length === 1 ? seen[0] : null);
}

// How far a path goes.
function alongPath(value, borders, find) {
  const there = beginning(value, borders, find);
  return there && boxed(find(there.start));
}

const EXPECTED = {
  chain({ parts }) {
    let scopes = [document];
    let last = null;
    for (const part of parts) {
      scopes = narrow(scopes, part);
      const box = boxed(scopes);
      if (!box) return last || (scopes.length ? surrounding(scopes[0]) : null);
      last = box;
    }
    return last;
  },
  css: ({ value }) => alongPath(value, ' >+~', (start) => query(start)),
  xpath: ({ value }) => alongPath(value, '/', (start) => byXPath(start, document)),
  label: ({ value }) => likest(query(FIELDS), label, value),
  placeholder: ({ value }) => likest(query('[placeholder]'), (element) => element.placeholder || '', value),
  named: ({ value }) => likest(query(nameable()), name, value, false),
  role: ({ value, name: wanted }) => (wanted ? likest(ofRole(value, document), name, wanted.value) : boxed(ofRole(value, document))),
  text: ({ value }) => likest(query('*').filter((element) => !element.childElementCount), (element) => element.textContent, value, false),
};

function marked({ target, near }) {
  lookAnew();
  for (const selector of target) {
    try {
      const found = FIND[selector.by](selector);
      const box = boxed(found);
      if (box && !near) return box;
      const expected = near && (found.length ? box || surrounding(found[0]) : EXPECTED[selector.by]?.(selector));
      if (expected) return expected;
    } catch {
      // A selector that is none marks nothing.
    }
  }
  return null;
}
