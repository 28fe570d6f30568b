// What the browser itself measured of this document, from its beginning on.

// What Google's web-vitals looks at by default; the first interaction of all is told in any case.
const INTERACTION_FROM_MS = 40;

const vitals = (() => {
  // A document, and then each change of its route that the browser took for one, has its own figures.
  const chapters = [{ start: 0, lcp: null }];
  const shifts = [];
  const interactions = new Map();
  const paints = [];
  const chapterAt = (time) => chapters.findLast(({ start }) => start < time) ?? chapters[0];
  const interaction = ({ interactionId: id, startTime, duration }) => {
    if (!id) return;
    const known = interactions.get(id) ?? { startTime, duration: 0 };
    interactions.set(id, { startTime: Math.min(known.startTime, startTime), duration: Math.max(known.duration, duration) });
  };
  const takes = {
    // One that belongs to a route is reported by the route's own entries.
    'largest-contentful-paint': (entry) => { if (chapters.length === 1) chapters[0].lcp = entry.startTime; },
    'layout-shift': (entry) => { if (!entry.hadRecentInput) shifts.push(entry); },
    'first-input': interaction,
    event: interaction,
    'soft-navigation': ({ name, startTime, navigationId, presentationTime }) => {
      chapters.push({ url: name, start: startTime, id: navigationId, fcp: presentationTime, lcp: null });
    },
    'interaction-contentful-paint': ({ navigationId, startTime, largestContentfulPaint: paint, presentationTime }) => {
      const painted = paint?.startTime || presentationTime;
      paints.push({ id: navigationId, startTime, painted });
    },
  };
  const take = (entry) => takes[entry.entryType](entry);
  // One for all: each costs every document the same again.
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
  const known = PerformanceObserver.supportedEntryTypes;
  for (const type of Object.keys(takes)) {
    if (known.includes(type)) observer.observe({ type, buffered: true, durationThreshold: INTERACTION_FROM_MS });
  }

  // Layout shifts that follow each other within 1 s, for at most 5 s, are one; the worst of them counts.
  function worstShift(chapter) {
    let worst = 0;
    let session = { value: 0, first: 0, last: 0 };
    for (const { startTime, value } of shifts) {
      if (chapterAt(startTime) !== chapter) continue;
      const same = startTime - session.last < 1000 && startTime - session.first < 5000;
      if (!same) session = { value: 0, first: startTime };
      session.value += value;
      session.last = startTime;
      worst = Math.max(worst, session.value);
    }
    return worst;
  }

  // The worst of few interactions; of many, one in fifty may be an accident.
  function slowInteraction(chapter) {
    const durations = [...interactions.values()]
      .filter(({ startTime }) => chapterAt(startTime) === chapter)
      .map(({ duration }) => duration)
      .sort((a, b) => b - a);
    const count = chapters.length === 1 ? performance.interactionCount ?? 0 : durations.length;
    return durations[Math.min(durations.length - 1, Math.floor(count / 50))] ?? null;
  }

  function route(chapter) {
    const { url, start, id, fcp } = chapter;
    const lcp = paints.findLast((paint) => paint.id === id && paint.startTime >= start)?.painted;
    const since = (time) => (time > 0 ? time - start : null);
    const timings = { fcp_ms: since(fcp), lcp_ms: since(lcp), cls: worstShift(chapter), inp_ms: slowInteraction(chapter) };
    return { url, timings };
  }

  return () => {
    observer.takeRecords().forEach(take);
    const [entry] = performance.getEntriesByType('navigation');
    if (!entry) return null;
    const done = (ms) => (ms > 0 ? ms : null);
    const secure = entry.secureConnectionStart > 0;
    const connected = secure ? entry.secureConnectionStart : entry.connectEnd;
    const [document, ...routes] = chapters;
    const timings = {
      ttfb_ms: done(entry.responseStart),
      fcp_ms: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null,
      lcp_ms: document.lcp,
      cls: worstShift(document),
      inp_ms: slowInteraction(document),
      dom_content_loaded_ms: done(entry.domContentLoadedEventEnd),
      load_ms: done(entry.loadEventEnd),
      dns_ms: entry.domainLookupEnd - entry.domainLookupStart,
      connect_ms: connected - entry.connectStart,
      tls_ms: secure ? entry.connectEnd - entry.secureConnectionStart : null,
    };
    return { timings, routes: routes.map(route) };
  };
})();

// What was measured is told as the document is left. A page of another site takes the session over before the last of
// the two events; the first is early: the document is still seen until the next one answers.
let lastTold = '';
for (const type of ['beforeunload', 'pagehide']) {
  addEventListener(type, () => {
    const measured = JSON.stringify(vitals());
    if (measured !== lastTold && measured !== 'null') globalThis.vigiaTell?.(measured);
    lastTold = measured;
  });
}
