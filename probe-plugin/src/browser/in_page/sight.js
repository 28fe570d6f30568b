// What there is on the page, and what of it a user can see.

// The first document of a window that a page opens takes over the blank one's window, and with it this world and its
// listeners. The script is put there anew then; this one has nothing to say any more.
const home = document;

// What is made the first time that it is wanted: whatever stands here is made again for each document.
const lazily = (make) => {
  let made;
  return () => (made ??= make());
};

const now = () => performance.timeOrigin + performance.now();
const squeeze = (text) => (text || '').replace(/\s+/g, ' ').trim();
const short = (text) => (text.length > 40 ? text.slice(0, 39) + '\u2026' : text);
const quoted = (text) => '`' + short(text) + '`';

// The scope itself, and every open shadow root in it. A walker, because lists of all elements cost ten times as much.
function rootsIn(scope, found = []) {
  found.push(scope);
  if (scope.shadowRoot) rootsIn(scope.shadowRoot, found);
  const walker = document.createTreeWalker(scope, NodeFilter.SHOW_ELEMENT);
  for (let element = walker.nextNode(); element; element = walker.nextNode()) {
    if (element.shadowRoot) rootsIn(element.shadowRoot, found);
  }
  return found;
}

// The document's roots as of this look. Nothing tells when a shadow root is attached: each look walks the page once.
let knownRoots = null;
let knownLabels = null;
const lookAnew = () => {
  knownRoots = null;
  knownLabels = null;
};

function roots(scope) {
  if (scope !== document) return rootsIn(scope);
  knownRoots ??= rootsIn(document);
  return knownRoots;
}

// The elements of a CSS selector in a scope, through open shadow roots, and through the slots of a scope that is a part of one.
function query(css, scope = document) {
  const all = roots(scope);
  if (all.length === 1 && (scope === document || scope.getRootNode() === document)) return [...scope.querySelectorAll(css)];
  const found = new Set();
  for (const root of all) {
    for (const element of root.querySelectorAll(css)) found.add(element);
    if (scope === document) continue;
    for (const slot of root.querySelectorAll('slot')) {
      for (const element of slot.assignedElements({ flatten: true })) {
        if (element.matches(css)) found.add(element);
        for (const inner of query(css, element)) found.add(inner);
      }
    }
  }
  return [...found];
}

// The element that it is shown in: that of the slot it is put into, or the host of its shadow root.
const shownIn = (node) => node.assignedSlot || node.parentElement || node.getRootNode().host || null;

// Whether a user can see it. An element without a box of its own is seen through what stands in it.
function visible(element) {
  if (!element.checkVisibility({ visibilityProperty: true })) {
    if (getComputedStyle(element).display !== 'contents') return false;
  }
  const box = element.getBoundingClientRect();
  if (box.width > 0 && box.height > 0) return true;
  const range = document.createRange();
  range.selectNodeContents(element);
  return [...range.getClientRects()].some((rect) => rect.width > 0 && rect.height > 0);
}
