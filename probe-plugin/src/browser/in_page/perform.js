// What the robot calls: each is one round trip, and waits here for what it is asked for.

const LOOK_AGAIN_MS = 50;
const REST_MS = 4;
const FRAME_MS = 16;

// Those that nobody waits for any more: another frame had the answer.
const cancelled = new Set();
const cancel = (id) => { cancelled.add(id); };

const EVERYTHING = { attributes: true, characterData: true, childList: true, subtree: true };

function observeAll(observer) {
  for (const root of roots(document)) observer.observe(root, EVERYTHING);
}

// From an input to the next look, how the document changes: what is there at that look came with the last change.
let attention = null;
function attend() {
  attention?.observer.disconnect();
  const own = { last: now(), observer: new MutationObserver(() => { own.last = now(); }) };
  observeAll(own.observer);
  attention = own;
}

function lastChange() {
  if (!attention) return null;
  const { observer, last } = attention;
  observer.disconnect();
  attention = null;
  return last;
}

CHECK.now = () => yes();

// Before a key: what it does to the document is the user's time.
CHECK.input = () => {
  attend();
  return yes();
};

// Asks until the answer is yes or the time is over, and then says why not. Looking again costs the page at most a third
// of its time. It waits by observers; the only timer looks for what no observer reports (styles, shadow roots), and `often`
// for what changes by script alone (values, ticks, addresses).
async function perform(request) {
  const watch = watcher();
  try {
    return await untilYes(request, watch);
  } finally {
    watch.end();
  }
}

async function untilYes(request, watch) {
  const began = now();
  const end = began + request.timeout_ms;
  for (let first = true; ; first = false) {
    const looked = now();
    const change = EXPECTATIONS.has(request.what) ? lastChange() : null;
    lookAnew();
    watch.look();
    let answer;
    try {
      answer = await CHECK[request.what](request);
    } catch (error) {
      if (error.name !== 'SyntaxError') throw error;
      const told = error.message.replace(/^Failed to execute .*?: /, '');
      answer = no('selector', error.told ?? `\`${request.target?.[0].shown}\` is no selector: ${told}`);
    }
    const looking = now();
    // What can never be is not waited for.
    const never = ['selector', 'value'].includes(answer.why);
    if (answer.ok || never || looking >= end || cancelled.delete(request.id)) {
      const { ok, why, won, x, y, input, value } = answer;
      const message = typeof answer.message === 'function' ? answer.message() : answer.message;
      const at = answer.at ?? now();
      const came = first ? change : looked;
      const ready = first ? null : answer.ready ?? came;
      return { ok, why, message, began, at, came, ready, won, x, y, input, value, page: vitals(), answered: now() };
    }
    const pause = Math.max(REST_MS, 2 * (looking - looked));
    await watch.change(Math.max(pause, Math.min(request.often ? FRAME_MS : LOOK_AGAIN_MS, end - looking)));
    const rest = pause - (now() - looking);
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
}

// What shows or hides something without a change of the document: styles that arrive, move and end.
const SHOWING = ['animationend', 'animationstart', 'load', 'toggle', 'transitionend', 'transitionstart'];

// Waits for what the page does, from the first wait on. What it did since the last look began ends a wait at once.
function watcher() {
  const watched = new Set();
  let changed = false;
  let wake = () => {};
  const notice = () => { changed = true; wake(); };
  const observer = new MutationObserver(notice);
  return {
    look() { changed = false; },
    change(atMostMs) {
      if (!watched.size) for (const type of SHOWING) document.addEventListener(type, notice, true);
      for (const root of roots(document)) {
        if (!watched.has(root)) observer.observe(root, EVERYTHING);
        watched.add(root);
      }
      return changed ? null : new Promise((resolve) => {
        const timer = setTimeout(resolve, atMostMs);
        wake = () => { clearTimeout(timer); resolve(); };
      });
    },
    end() {
      observer.disconnect();
      for (const type of SHOWING) document.removeEventListener(type, notice, true);
    },
  };
}

// After an input: lets what it set off begin, so that a navigation it starts is known, and says where the input landed.
// The page has handled the input, and what it set off has changed the document: the waiting since is the robot's.
async function settle() {
  const began = now();
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, 100);
    scheduler.postTask(() => { clearTimeout(timer); resolve(); }, { priority: 'background' });
  });
  const seen = guard.seen();
  guard.end();
  const handled = seen?.handled ?? began;
  const landing = seen && { message: missed(seen), value: { pressed: seen.pressed, hovered: seen.hovered } };
  return { ok: true, began, at: Math.max(handled, attention?.last ?? handled), page: vitals(), answered: now(), ...landing };
}
