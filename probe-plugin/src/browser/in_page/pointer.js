// Where the mouse goes: an element's point that is in the window, stands still and would receive the event.

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

function within(hit, element) {
  for (let node = hit; node; node = node.assignedSlot || node.parentNode || node.host) if (node === element) return true;
  return labelsOf(element).some((text) => text.contains(hit));
}

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const sameBox = (a, b) => a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;

let scrolled = -Infinity;
addEventListener('scroll', () => { scrolled = performance.now(); }, { capture: true, passive: true });

// Nothing is known to be on the move: no animation runs in any tree that the element stands in, nothing scrolled just
// now, all that the document names is there. What a script moves is not seen here; the guard sees where the event lands.
function atRest(element) {
  if (document.readyState !== 'complete' || document.fonts.status !== 'loaded') return false;
  if (performance.now() - scrolled < 100) return false;
  for (let root = element.getRootNode(); root; root = root.host?.getRootNode()) {
    if (root.getAnimations?.().some((animation) => animation.playState === 'running')) return false;
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

// The middle of the first part of the element that is in the window: a link over two lines has nothing in the middle.
function pointIn(element) {
  for (const box of element.getClientRects()) {
    const left = Math.max(0, box.left);
    const right = Math.min(innerWidth, box.right);
    const top = Math.max(0, box.top);
    const bottom = Math.min(innerHeight, box.bottom);
    if (right > left && bottom > top) return { x: (left + right) / 2, y: (top + bottom) / 2 };
  }
  return null;
}

function wholeInWindow(element) {
  const box = element.getBoundingClientRect();
  return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
}

const toTheMiddle = (element) => element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });

// What the mouse is about to press must be what it was told to press. Between the look and the event the page may have
// changed; an event that would reach anything else is withheld from the page. The listeners stand on the window before any
// of the page's own.
const guard = (() => {
  let armed = null;
  const check = (event) => {
    if (!armed || !event.isTrusted) return;
    if (armed.landed === null) {
      const hit = event.composedPath()[0];
      armed.landed = within(hit, armed.element);
      armed.hit = hit;
    }
    if (armed.landed === false) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
  for (const kind of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click', 'auxclick', 'dblclick', 'contextmenu']) {
    addEventListener(kind, check, { capture: true, passive: false });
  }
  // The last to hear of it: by then the page has done what it does at once.
  addEventListener('click', () => { if (armed) armed.handled = now(); });
  return {
    // What is pressed in a frame is not seen from here.
    arm(element) { armed = element.localName === 'iframe' ? null : { element, landed: null, hit: null, handled: null }; },
    // What became of it: `landed` is null where no event came at all; nothing where this document was not pressed.
    disarm() {
      const was = armed;
      armed = null;
      return was;
    },
  };
})();

// A point of the element for the mouse. `again` is asked after a miss: then nothing passes for being at rest.
CHECK.point = async (request) => {
  const found = one(request.target);
  if (!found.ok) return found;
  const { element, shown, won } = found;
  if (request.enabled && disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
  if (!wholeInWindow(element)) toTheMiddle(element);
  // To see whether it stands still takes the robot's time, not the user's.
  const ready = now();
  if ((request.again || !atRest(element)) && !(await still(element))) {
    return no('moving', `\`${shown}\` does not stand still`);
  }
  const point = pointIn(element);
  if (!point) return no('outside', `\`${shown}\` is outside the window and cannot be scrolled into it`);
  const hit = receiver(point.x, point.y);
  if (!within(hit, element)) {
    // A bar that stays where it is may lie over it.
    if (!request.centred) toTheMiddle(element);
    request.centred = true;
    return no('covered', () => `\`${shown}\` is covered by ${hit ? describe(hit) : 'nothing that can be named'}`);
  }
  if (request.enabled) guard.arm(element);
  attend();
  return yes({ won, ready, ...point });
};

// A point of a frame's content is another point of the window that the frame stands in.
function through(frameElement, { x, y }) {
  const box = frameElement.getBoundingClientRect();
  const style = getComputedStyle(frameElement);
  const scaleX = frameElement.offsetWidth ? box.width / frameElement.offsetWidth : 1;
  const scaleY = frameElement.offsetHeight ? box.height / frameElement.offsetHeight : 1;
  const outer = {
    x: box.left + (frameElement.clientLeft + parseFloat(style.paddingLeft) + x) * scaleX,
    y: box.top + (frameElement.clientTop + parseFloat(style.paddingTop) + y) * scaleY,
  };
  const hit = receiver(outer.x, outer.y);
  return hit === frameElement ? { ok: true, ...outer } : { ok: false, message: hit ? describe(hit) : 'the edge of the window' };
}
