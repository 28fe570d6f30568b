// What the browser itself measured of this document, from its beginning on.
const vitals = (() => {
  const seen = { lcp: null, cls: 0, interactions: new Map() };
  let session = { value: 0, first: 0, last: 0 };
  const observers = [
    ['largest-contentful-paint', (entry) => { seen.lcp = entry.startTime; }],
    // Layout shifts that follow each other within 1 s, for at most 5 s, are one; the worst of them counts.
    ['layout-shift', (entry) => {
      if (entry.hadRecentInput) return;
      const same = entry.startTime - session.last < 1000 && entry.startTime - session.first < 5000;
      if (!same) session = { value: 0, first: entry.startTime, last: 0 };
      session.value += entry.value;
      session.last = entry.startTime;
      seen.cls = Math.max(seen.cls, session.value);
    }],
    ['event', (entry) => {
      if (!entry.interactionId) return;
      seen.interactions.set(entry.interactionId, Math.max(entry.duration, seen.interactions.get(entry.interactionId) || 0));
    }],
  ].map(([type, take]) => {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
    observer.observe({ type, buffered: true, durationThreshold: 16 });
    return () => observer.takeRecords().forEach(take);
  });
  return () => {
    observers.forEach((flush) => flush());
    const [entry] = performance.getEntriesByType('navigation');
    if (!entry) return null;
    const done = (ms) => (ms > 0 ? ms : null);
    const secure = entry.secureConnectionStart > 0;
    const connected = secure ? entry.secureConnectionStart : entry.connectEnd;
    // The worst of few interactions; of many, one in fifty may be an accident.
    const longest = [...seen.interactions.values()].sort((a, b) => b - a);
    const inp = longest[Math.min(longest.length - 1, Math.floor((performance.interactionCount || 0) / 50))];
    return {
      ttfb_ms: done(entry.responseStart),
      fcp_ms: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null,
      lcp_ms: seen.lcp,
      cls: seen.cls,
      inp_ms: inp ?? null,
      dom_content_loaded_ms: done(entry.domContentLoadedEventEnd),
      load_ms: done(entry.loadEventEnd),
      dns_ms: entry.domainLookupEnd - entry.domainLookupStart,
      connect_ms: connected - entry.connectStart,
      tls_ms: secure ? entry.connectEnd - entry.secureConnectionStart : null,
    };
  };
})();
