// Keeps a press of the mouse from reaching anything but what was announced.
//
// Between the look at the page and the event the page may have changed. Nothing but the robot presses here: a press that
// nobody announced to this document, or that reaches something else, is withheld from it, whole, from the pressing to the
// click. So a frame that slides under the mouse is as safe as a button that does.
const guard = (() => {
  const KINDS = ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click', 'auxclick', 'dblclick', 'contextmenu'];
  const note = () => ({ pressed: 0, hovered: false, dragging: false, dropped: false, missed: null, handled: null });
  let awaited = null;
  let seen = note();
  // The press under way reaches what was announced.
  let allowed = false;

  // What the selectors name now: the page may have put another element in the place of the one that was looked at.
  function named({ element, target, enabled, observer }) {
    if (!observer.takeRecords().length && !awaited.changed && element.isConnected) return element;
    awaited.changed = true;
    lookAnew();
    const found = one(target);
    return found.ok && !(enabled && disabled(found.element)) ? found.element : null;
  }

  function presses(event) {
    const hit = event.composedPath()[0];
    const element = awaited && awaited.presses > 0 && named(awaited);
    if (!element || !within(hit, element)) {
      seen.missed = hit;
      return false;
    }
    awaited.presses -= 1;
    seen.pressed += 1;
    return true;
  }

  function check(event) {
    // What a script or a key sets off is no press of the mouse.
    if (document !== home || !event.isTrusted || event.pointerType === '') return;
    if (event.type === 'pointerdown') allowed = presses(event);
    if (allowed) return;
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
    addEventListener('click', handled);
  }
  stand();

  return {
    // Lets the mouse come to this element, and so many presses reach it.
    announce(element, { target, enabled, presses }) {
      this.end();
      stand();
      const observer = new MutationObserver(() => { if (awaited) awaited.changed = true; });
      observeAll(observer);
      awaited = { element, target, enabled, presses, observer, changed: false };
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
