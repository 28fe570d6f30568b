// Where the mouse goes: a point of an element that is in the window, stands still and would receive the event.

const disabled = (element) => element.matches(':disabled') || element.closest('[aria-disabled=true]') !== null;

// The element that would receive a click at this point, through open shadow roots.
function receiver(x, y) {
  let hit = document.elementFromPoint(x, y);
  while (hit?.shadowRoot) {
    const inner = hit.shadowRoot.elementFromPoint(x, y);
    if (!inner || inner === hit) break;
    hit = inner;
  }
  return hit;
}

const letsThrough = (element) => getComputedStyle(element).pointerEvents === 'none';

// Whether an event that hits this is one for the element. A text that lets the mouse through is pressed on the button or
// link that it stands in.
function within(hit, element) {
  for (let node = hit; node; node = node.assignedSlot || node.parentNode || node.host) if (node === element) return true;
  if (labelsOf(element).some((text) => text.contains(hit))) return true;
  const button = letsThrough(element) && element.closest('button, a, [role=button], [role=link]');
  return Boolean(button && hit && button.contains(hit) && hit.contains(element));
}

// The next frame; a document that nobody sees is given none.
const FRAME_LIMIT_MS = 250;
const frame = () => new Promise((resolve) => {
  const timer = setTimeout(resolve, FRAME_LIMIT_MS);
  requestAnimationFrame(() => { clearTimeout(timer); resolve(); });
});
const sameBox = (a, b) => a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;

let scrolled = -Infinity;
addEventListener('scroll', () => { scrolled = performance.now(); }, { capture: true, passive: true });

// Nothing is known to be on the move: no animation runs in any tree of the page, nothing scrolled just now, all that the
// document names is there. What a script moves is not seen here; the guard sees where the event lands.
function atRest() {
  if (document.readyState !== 'complete' || document.fonts.status !== 'loaded') return false;
  if (performance.now() - scrolled < 100) return false;
  for (const root of roots(document)) {
    if (root.getAnimations().some((animation) => animation.playState === 'running')) return false;
  }
  return true;
}

// Two frames with the same box: nothing moves it, be it CSS, a script or a late layout.
async function still(element) {
  await frame();
  const first = element.getBoundingClientRect();
  await frame();
  return element.isConnected && sameBox(first, element.getBoundingClientRect());
}

// The parts of an element, for example the lines of a link. One without boxes of its own has those of its content.
function parts(element) {
  const boxes = element.getClientRects();
  if (boxes.length) return [...boxes].slice(0, 20);
  const range = document.createRange();
  range.selectNodeContents(element);
  return [...range.getClientRects()].slice(0, 20);
}

// What of a box is in the window.
function inWindow(box) {
  const left = Math.max(0, box.left);
  const top = Math.max(0, box.top);
  const width = Math.min(innerWidth, box.right) - left;
  const height = Math.min(innerHeight, box.bottom) - top;
  return width > 0 && height > 0 ? { left, top, width, height } : null;
}

// In the order in which a hand would try: the middle of each part, then around it.
const TRIED = [
  [[0.5, 0.5]],
  [[0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75], [0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75],
    [0.06, 0.5], [0.94, 0.5], [0.5, 0.1], [0.5, 0.9]],
];

function* pointsOf(element, offset) {
  if (offset) {
    const box = element.getBoundingClientRect();
    const point = { x: box.left + offset.x, y: box.top + offset.y };
    if (point.x >= 0 && point.y >= 0 && point.x < innerWidth && point.y < innerHeight) yield point;
    return;
  }
  const boxes = parts(element).map(inWindow).filter(Boolean);
  for (const fractions of TRIED) {
    for (const { left, top, width, height } of boxes) {
      for (const [across, down] of fractions) yield { x: left + across * width, y: top + down * height };
    }
  }
}

// The first point that would receive the event; without one, what lies over the element.
function free(element, offset) {
  let cover = null;
  let any = false;
  for (const point of pointsOf(element, offset)) {
    const hit = receiver(point.x, point.y);
    if (within(hit, element)) return { point };
    if (!any) cover = hit;
    any = true;
  }
  return { cover, any };
}

const toTheMiddle = (element) => element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });

function outsideOf(element, offset, shown) {
  const { width, height } = element.getBoundingClientRect();
  if (!offset || (offset.x < width && offset.y < height)) return null;
  return `the offset is not inside \`${shown}\`, which is ${Math.round(width)} wide and ${Math.round(height)} high`;
}

function why(element, shown, { cover, any }) {
  if (!any) return no('outside', `\`${shown}\` is outside the window and cannot be scrolled into it`);
  if (element.closest('[inert]')) return no('disabled', `\`${shown}\` is inert: it takes no input`);
  if (letsThrough(element)) {
    return no('disabled', `\`${shown}\` lets the mouse pass through it (\`pointer-events: none\`)`);
  }
  return no('covered', () => `\`${shown}\` is covered by ${cover ? describe(cover) : 'nothing that can be named'}`);
}

// A point of the element for the mouse. `again` is asked after a miss: then nothing passes for being at rest.
CHECK.point = async (request) => {
  const found = one(request.target);
  if (!found.ok) return found;
  const { element, shown, won } = found;
  if (request.enabled && disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
  if (element.localName === 'iframe' || element.localName === 'frame') {
    return no('frame', `\`${shown}\` is a frame, not a part of a page: name what stands in it`);
  }
  const outside = outsideOf(element, request.offset, shown);
  if (outside) return no('outside', outside);
  if (request.again) toTheMiddle(element);
  // To see whether it stands still takes the robot's time, not the user's.
  const ready = now();
  if ((request.again || !atRest()) && !(await still(element))) return no('moving', `\`${shown}\` does not stand still`);
  let spot = free(element, request.offset);
  if (!spot.point) {
    // A bar that stays where it is may lie over it, or a box that scrolls may hide it.
    toTheMiddle(element);
    if (!(await still(element))) return no('moving', `\`${shown}\` does not stand still`);
    spot = free(element, request.offset);
  }
  if (!spot.point) return why(element, shown, spot);
  if (request.presses !== undefined) guard.announce(element, request);
  attend();
  return yes({ won, ready, ...spot.point });
};

// A point of a frame's content is another point of the window that the frame stands in.
function outer(frameElement, { x, y }) {
  const box = frameElement.getBoundingClientRect();
  const style = getComputedStyle(frameElement);
  const scaleX = frameElement.offsetWidth ? box.width / frameElement.offsetWidth : 1;
  const scaleY = frameElement.offsetHeight ? box.height / frameElement.offsetHeight : 1;
  return {
    x: box.left + (frameElement.clientLeft + parseFloat(style.paddingLeft) + x) * scaleX,
    y: box.top + (frameElement.clientTop + parseFloat(style.paddingTop) + y) * scaleY,
  };
}

async function through(frameElement, point) {
  const isFree = ({ x, y }) => receiver(x, y) === frameElement;
  if (!atRest() && !(await still(frameElement))) return { ok: false, message: 'its frame does not stand still' };
  let at = outer(frameElement, point);
  if (!isFree(at)) {
    toTheMiddle(frameElement);
    if (!(await still(frameElement))) return { ok: false, message: 'its frame does not stand still' };
    at = outer(frameElement, point);
  }
  if (isFree(at)) return { ok: true, ...at };
  const hit = receiver(at.x, at.y);
  return { ok: false, message: `its frame is covered by ${hit ? describe(hit) : 'the edge of the window'}` };
}
