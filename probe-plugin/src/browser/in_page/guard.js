// Keeps a press of the mouse from reaching anything but what was announced.
//
// Between the look at the page and the event the page may have changed. Nothing but the robot presses here: a press that
// nobody announced to this document, or that reaches something else, is withheld from it, whole, from the pressing to the
// click. So a frame that slides under the mouse is as safe as a button that does. So is the rest of a press whose element
// has slipped away from under the mouse while the button was down: for a user, too, that was no click.
const guard = (() => {
  const KINDS = ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click', 'auxclick', 'dblclick', 'contextmenu'];
  const note = () => ({ pressed: 0, hovered: false, dragging: false, dropped: false, missed: null, handled: null });
  let awaited = null;
  let seen = note();
  // The press under way: the element that it reached, where that stood, and whether the page did something about it.
  const NOTHING = { allowed: false };
  let press = NOTHING;

  // What the selectors name now: the page may have put another element in the place of the one that was looked at.
  function named({ element, target, enabled, observer }) {
    if (!observer.takeRecords().length && !awaited.changed && element.isConnected) return element;
    awaited.changed = true;
    lookAnew();
    const found = one(target);
    return found.ok && !(enabled && disabled(found.element)) ? found.element : null;
  }

  function pressed(event) {
    const hit = event.composedPath()[0];
    const element = awaited && awaited.presses > 0 && named(awaited);
    if (!element || !within(hit, element)) {
      seen.missed = hit;
      return NOTHING;
    }
    awaited.presses -= 1;
    awaited.element = element;
    awaited.observer.takeRecords();
    awaited.changed = false;
    seen.pressed += 1;
    return { allowed: true, element, box: element.getBoundingClientRect(), answered: true };
  }

  // The last to hear of the pressing. What a page that answers it moves away is pressed nevertheless, and a release that
  // lands elsewhere is the user's, too; one that keeps the event to itself has answered it as well.
  function unanswered(event) {
    if (!event.isTrusted || !awaited || event.defaultPrevented) return;
    if (!awaited.changed && !awaited.observer.takeRecords().length) press.answered = false;
  }

  function released(event) {
    const hit = event.composedPath()[0];
    if (!awaited || !press.allowed || !slipped(hit)) return press;
    awaited.presses += 1;
    seen.pressed -= 1;
    seen.missed = hit;
    return NOTHING;
  }

  function slipped(hit) {
    const { element, box, answered } = press;
    if (awaited.lasts || answered || !element.isConnected || within(hit, element)) return false;
    return !sameBox(box, element.getBoundingClientRect());
  }

  function check(event) {
    // What a script or a key sets off is no press of the mouse.
    if (document !== home || !event.isTrusted || event.pointerType === '') return;
    if (event.type === 'pointerdown') press = pressed(event);
    if (event.type === 'pointerup') press = released(event);
    if (press.allowed) return;
    event.stopImmediatePropagation();
    // A `pointerdown` that is prevented keeps the `mousedown` back, and that alone would still move the focus.
    if (event.type !== 'pointerdown') event.preventDefault();
  }

  const moved = (event) => {
    if (awaited && within(event.composedPath()[0], awaited.element)) seen.hovered = true;
  };
  // A page that refuses to let it be dragged does so later in this event.
  const dragged = (event) => { setTimeout(() => { seen.dragging = !event.defaultPrevented; }); };
  const dropped = () => { seen.dropped = true; };
  // The last to hear of it: by then the page has done what it does at once.
  const handled = () => { seen.handled = now(); };

  // The listeners stand on the window before any of the page's own. A page that rewrites its document loses them.
  function stand() {
    for (const kind of KINDS) addEventListener(kind, check, { capture: true, passive: false });
    addEventListener('pointerover', moved, { capture: true, passive: true });
    addEventListener('dragstart', dragged, { capture: true, passive: true });
    addEventListener('drop', dropped, { capture: true, passive: true });
    addEventListener('mousedown', unanswered);
    addEventListener('click', handled);
  }
  stand();

  return {
    // Lets the mouse come to this element, and so many presses reach it. One that lasts may be let go anywhere.
    announce(element, { target, enabled, presses, lasts }) {
      this.end();
      stand();
      const observer = new MutationObserver(() => { if (awaited) awaited.changed = true; });
      observeAll(observer);
      awaited = { element, target, enabled, presses, lasts, observer, changed: false };
      seen = note();
    },
    // What has become of it until now.
    seen() {
      if (!awaited) return null;
      const { element, target } = awaited;
      const over = element.isConnected ? element : one(target).element;
      return { ...seen, hovered: seen.hovered || over?.matches(':hover') === true };
    },
    // Whether something was dropped in this document, once: it may have been taken in another.
    takeDropped() {
      const was = seen.dropped;
      seen.dropped = false;
      return was;
    },
    // Nothing is announced any more.
    end() {
      awaited?.observer.disconnect();
      awaited = null;
    },
  };
})();

// What the mouse has set off while its button is down.
CHECK.held = () => {
  const seen = guard.seen();
  return yes({ value: seen && { pressed: seen.pressed, dragging: seen.dragging, missed: missed(seen) } });
};

// Whether what was dragged natively was let go where it is taken.
CHECK.dropped = ({ shown }) => (guard.takeDropped() ? yes() : no('covered', `\`${shown}\` did not take what was dropped on it`));

const missed = ({ missed: hit }) => (hit ? `${describe(hit)} was there instead` : 'no event came to its document');
