// What the wheel of the mouse moves.

// The box that the wheel would move by this much at this point; nothing where all of them are at their end.
function moves(from, { x, y }) {
  const page = document.scrollingElement;
  for (let node = from; node; node = node.assignedSlot || node.parentNode || node.host) {
    if (!(node instanceof Element)) continue;
    const style = getComputedStyle(node);
    const scrolls = (overflow) => overflow === 'auto' || overflow === 'scroll' || (node === page && overflow !== 'hidden');
    const room = (by, at, whole, shown) => by !== 0 && whole > shown + 1 && (by > 0 ? Math.abs(at) + shown < whole - 1 : Math.abs(at) > 0.5);
    const down = scrolls(style.overflowY) && room(y, node.scrollTop, node.scrollHeight, node.clientHeight);
    const leftward = getComputedStyle(node).direction === 'rtl';
    const across = scrolls(style.overflowX) && room(leftward ? -x : x, node.scrollLeft, node.scrollWidth, node.clientWidth);
    if (down || across) return node;
  }
  return null;
}

// The turn of the wheel under way: how far what it moves had come.
let turn = null;
addEventListener('scrollend', () => { if (turn) turn.ended = true; }, { capture: true, passive: true });
addEventListener('wheel', (event) => { if (turn) turn.event = event; }, { capture: true, passive: true });

// A point to turn the wheel over; `in` is the box that is to be moved, otherwise it is the page.
CHECK.wheel = async ({ target, by, until }) => {
  let point = { x: innerWidth / 2, y: innerHeight / 2 };
  let shown = 'the page';
  let won;
  let element = receiver(point.x, point.y) ?? document.body;
  if (target) {
    const found = one(target);
    if (!found.ok) return found;
    ({ element, won } = found);
    shown = `\`${found.shown}\``;
    let spot = free(element);
    if (!spot.point) {
      toTheMiddle(element);
      await frame();
      spot = free(element);
    }
    if (!spot.point) return why(element, found.shown, spot);
    point = spot.point;
  }
  if (until) {
    const there = one(until);
    if (there.ok) {
      if (!free(there.element).point) toTheMiddle(there.element);
      return yes({ won: there.won, value: { there: true } });
    }
    if (there.why === 'ambiguous') return there;
  }
  const box = moves(receiver(point.x, point.y), by ?? { x: 0, y: 1 });
  if (!box || (target && !element.contains(box))) {
    return no('covered', until
      ? `${shown} was scrolled to its end and \`${until[0].shown}\` did not appear`
      : `${shown} cannot be scrolled any further that way`);
  }
  turn = { box, ended: false, event: null, left: box.scrollLeft, top: box.scrollTop };
  // Not more than what is shown at once, so that no row is passed over.
  return yes({ won, ...point, value: { by: by ?? { x: 0, y: Math.max(40, Math.floor(box.clientHeight * 0.9)) } } });
};

// The wheel has done what it does: what it moves has come to rest, or the page has made something else of it.
CHECK.turned = async ({ by }) => {
  if (!turn) return yes();
  const { box, left, top } = turn;
  await frame();
  const whole = Math.abs(Math.abs(box.scrollTop - top) - Math.abs(by.y)) < 1 && Math.abs(Math.abs(box.scrollLeft - left) - Math.abs(by.x)) < 1;
  if (whole || turn.ended || turn.event?.defaultPrevented || !box.isConnected) return yes();
  return no('moving', 'the page did not answer the wheel of the mouse');
};

// Brings an element into the window.
CHECK.reveal = async ({ target }) => {
  const found = one(target);
  if (!found.ok) return found;
  toTheMiddle(found.element);
  if (!(await still(found.element))) return no('moving', `\`${found.shown}\` does not stand still`);
  return yes({ won: found.won });
};

// Scrolls at once to a point of the page or of a box.
CHECK.scrolled = async ({ target, at }) => {
  if (!target) {
    scrollTo({ left: at.x, top: at.y, behavior: 'instant' });
    await frame();
    return yes();
  }
  const found = one(target);
  if (!found.ok) return found;
  found.element.scrollTo({ left: at.x, top: at.y, behavior: 'instant' });
  await frame();
  return yes({ won: found.won });
};
