// What there is on the page, and what of it a user can see.

const now = () => performance.timeOrigin + performance.now();
const squeeze = (text) => (text || '').replace(/\s+/g, ' ').trim();
const short = (text) => (text.length > 40 ? text.slice(0, 39) + '…' : text);
const quoted = (text) => '`' + short(text) + '`';

// Every element, through open shadow roots.
function* elements(root) {
  for (const element of root.querySelectorAll('*')) {
    yield element;
    if (element.shadowRoot) yield* elements(element.shadowRoot);
  }
}

function* roots(root) {
  yield root;
  for (const element of root.querySelectorAll('*')) {
    if (element.shadowRoot) yield* roots(element.shadowRoot);
  }
}

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
