// What the robot calls: each is one round trip, and waits here for what it is asked for.

const LOOK_AGAIN_MS = 50;
const FRAME_MS = 16;

// Those that nobody waits for any more: another frame had the answer.
const cancelled = new Set();
const cancel = (id) => { cancelled.add(id); };

// Asks until the answer is yes or the time is over, and then says why not. Looking again costs the page at most a third
// of its time. It waits by observers; the only timer looks for what no observer reports (styles, shadow roots).
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
  const end = performance.now() + request.timeout_ms;
  for (let first = true; ; first = false) {
    const looked = performance.now();
    lookAnew();
    watch.look();
    let answer;
    try {
      answer = await CHECK[request.what](request);
    } catch (error) {
      if (error.name !== 'SyntaxError') throw error;
      const told = error.message.replace(/^Failed to execute .*?: /, '');
      return { ok: false, why: 'selector', message: `\`${request.target?.[0].shown}\` is no selector: ${told}`, at: now() };
    }
    const looking = performance.now();
    if (answer.ok || looking >= end || cancelled.delete(request.id)) {
      const { ok, why, won, x, y, value } = answer;
      const message = typeof answer.message === 'function' ? answer.message() : answer.message;
      const at = answer.at ?? now();
      return { ok, why, message, began, at, waited: !first, won, x, y, value, page: vitals() };
    }
    const pause = Math.max(FRAME_MS, 2 * (looking - looked));
    await watch.change(Math.max(pause, Math.min(LOOK_AGAIN_MS, end - looking)));
    const rest = pause - (performance.now() - looking);
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
}

// Waits for what the page does, from the first wait on. What it did since the last look began ends a wait at once.
function watcher() {
  const watched = new Set();
  let changed = false;
  let wake = () => {};
  const observer = new MutationObserver(() => { changed = true; wake(); });
  return {
    look() { changed = false; },
    change(atMostMs) {
      for (const root of roots(document)) {
        if (!watched.has(root)) observer.observe(root, { attributes: true, characterData: true, childList: true, subtree: true });
        watched.add(root);
      }
      return changed ? null : new Promise((resolve) => {
        const timer = setTimeout(resolve, atMostMs);
        wake = () => { clearTimeout(timer); resolve(); };
      });
    },
    end() { observer.disconnect(); },
  };
}

// After an input: lets what it set off begin, so that a navigation it starts is known, and says where the input landed.
const settle = () => new Promise((resolve) => {
  const timer = setTimeout(resolve, 100);
  scheduler.postTask(() => { clearTimeout(timer); resolve(); }, { priority: 'background' });
}).then(() => {
  const was = guard.disarm();
  return yes(was && { landed: was.landed === true, began: was.began, message: was.hit ? describe(was.hit) : 'nothing' });
});

// When the document was asked for and when its load was complete, by the browser's own clock.
function loaded() {
  const [entry] = performance.getEntriesByType('navigation');
  const end = entry && entry.loadEventEnd > 0 ? performance.timeOrigin + entry.loadEventEnd : now();
  return { ok: true, at: end, began: performance.timeOrigin, page: vitals() };
}
