// What the robot calls: each is one round trip, and waits here for what it is asked for.

const LOOK_AGAIN_MS = 50;
const FRAME_MS = 16;

// Those that nobody waits for any more: another frame had the answer.
const cancelled = new Set();
const cancel = (id) => { cancelled.add(id); };

// Asks until the answer is yes or the time is over, and then says why not. Looking again costs the page at most a third
// of its time. It waits by observers; the only timer looks for what no observer reports (styles, shadow roots), and `often`
// for what changes by script alone (values, ticks, addresses).
async function perform(request) {
  const began = now();
  const end = performance.now() + request.timeout_ms;
  for (let first = true; ; first = false) {
    const looked = performance.now();
    let answer;
    try {
      answer = await CHECK[request.what](request);
    } catch (error) {
      if (error.name !== 'SyntaxError') throw error;
      const message = error.told ?? `\`${request.target?.[0].shown}\` is no selector: ${error.message}`;
      return { ok: false, why: 'selector', message, at: now() };
    }
    const looking = performance.now();
    if (answer.ok || looking >= end || cancelled.delete(request.id)) {
      const { ok, why, won, x, y, value } = answer;
      const message = typeof answer.message === 'function' ? answer.message() : answer.message;
      const at = answer.at ?? now();
      return { ok, why, message, began, at, waited: !first, won, x, y, value, page: vitals() };
    }
    const pause = Math.max(FRAME_MS, 2 * (looking - looked));
    await changed(Math.max(pause, Math.min(request.often ? FRAME_MS : LOOK_AGAIN_MS, end - looking)));
    const rest = pause - (performance.now() - looking);
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
}

function changed(atMostMs) {
  return new Promise((resolve) => {
    const observer = new MutationObserver(done);
    const timer = setTimeout(done, atMostMs);
    for (const root of roots(document)) {
      observer.observe(root, { attributes: true, characterData: true, childList: true, subtree: true });
    }
    function done() {
      observer.disconnect();
      clearTimeout(timer);
      resolve();
    }
  });
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
