// The part of the robot that lives in the page, in a world of its own that the page cannot see or change.
//
// One call finds an element, waits until it can be used and answers where it is, so that an action costs one round trip.
// It waits by observers and animation frames; the only timer looks for what no observer reports (styles, shadow roots).
globalThis.vigia = (() => {
  'use strict';
  const LOOK_AGAIN_MS = 50;
  const SHOWN_CANDIDATES = 5;

  const now = () => performance.timeOrigin + performance.now();
  const squeeze = (text) => (text || '').replace(/\s+/g, ' ').trim();
  const short = (text) => (text.length > 40 ? text.slice(0, 39) + '…' : text);
  const quoted = (text) => '`' + short(text) + '`';

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

  // Every element, through open shadow roots.
  function* elements(root) {
    for (const element of root.querySelectorAll('*')) {
      yield element;
      if (element.shadowRoot) yield* elements(element.shadowRoot);
    }
  }

  function* roots(root) {
    yield root;
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) yield* roots(element.shadowRoot);
    }
  }

  function visible(element) {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 &&
      element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  }

  const ROLES = {
    a: (element) => (element.hasAttribute('href') ? 'link' : null),
    article: () => 'article', button: () => 'button', dialog: () => 'dialog', footer: () => 'contentinfo',
    form: () => 'form', header: () => 'banner', h1: () => 'heading', h2: () => 'heading', h3: () => 'heading',
    h4: () => 'heading', h5: () => 'heading', h6: () => 'heading', img: () => 'img', li: () => 'listitem',
    main: () => 'main', nav: () => 'navigation', ol: () => 'list', option: () => 'option', output: () => 'status',
    progress: () => 'progressbar', table: () => 'table', td: () => 'cell', textarea: () => 'textbox',
    th: () => 'columnheader', tr: () => 'row', ul: () => 'list',
    select: (element) => (element.multiple || element.size > 1 ? 'listbox' : 'combobox'),
    input: (element) => ({
      button: 'button', checkbox: 'checkbox', email: 'textbox', image: 'button', number: 'spinbutton',
      radio: 'radio', range: 'slider', reset: 'button', search: 'searchbox', submit: 'button', tel: 'textbox',
      text: 'textbox', url: 'textbox',
    })[element.type] || null,
  };

  function role(element) {
    const explicit = squeeze(element.getAttribute('role')).split(' ')[0];
    if (explicit) return explicit;
    const implicit = ROLES[element.localName];
    return implicit ? implicit(element) : null;
  }

  function name(element) {
    const by = squeeze(element.getAttribute('aria-labelledby'));
    if (by) {
      const texts = by.split(' ').map((id) => element.getRootNode().getElementById(id)).map((label) => label?.textContent);
      return squeeze(texts.join(' '));
    }
    const own = squeeze(element.getAttribute('aria-label'));
    if (own) return own;
    if (element.labels?.length) return squeeze([...element.labels].map((label) => label.textContent).join(' '));
    if (element.localName === 'input' && ['button', 'submit', 'reset'].includes(element.type)) {
      return squeeze(element.value) || { submit: 'Submit', reset: 'Reset' }[element.type] || '';
    }
    if (element.hasAttribute('alt')) return squeeze(element.getAttribute('alt'));
    return squeeze(element.textContent) || squeeze(element.getAttribute('title'));
  }

  const FIELDS = 'input:not([type=hidden]), textarea, select, [contenteditable], [role=textbox], [role=combobox]';
  const isField = (element) => element.matches(FIELDS);
  const label = (element) => {
    const text = name(element);
    // A star beside a label marks a required field and is not part of how people call it.
    return text.replace(/\s*[*:]$/, '');
  };

  // What the element itself shows: its own text nodes and what stands inside it.
  function shows(element, text) {
    const shown = element.localName === 'input' && ['button', 'submit'].includes(element.type)
      ? element.value : element.textContent;
    return squeeze(shown).includes(text);
  }

  function byText(text) {
    const wanted = squeeze(text);
    const found = [];
    const unseen = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD', 'TITLE']);
    for (const element of elements(document)) {
      if (unseen.has(element.tagName) || !shows(element, wanted)) continue;
      const inner = [...element.children].some((child) => !unseen.has(child.tagName) && shows(child, wanted));
      if (!inner && element !== document.documentElement) found.push(element);
    }
    return found;
  }

  function byXPath(expression) {
    const result = document.evaluate(expression, document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
    return Array.from({ length: result.snapshotLength }, (_, index) => result.snapshotItem(index))
      .filter((node) => node instanceof Element);
  }

  const all = (test) => [...elements(document)].filter(test);
  const FIND = {
    css: ({ value }) => [...roots(document)].flatMap((root) => [...root.querySelectorAll(value)]),
    label: ({ value }) => all((element) => isField(element) && label(element) === squeeze(value)),
    placeholder: ({ value }) => all((element) => squeeze(element.placeholder) === squeeze(value)),
    role: ({ value, name: wanted }) =>
      all((element) => role(element) === value && (wanted == null || name(element) === squeeze(wanted))),
    testid: ({ value }) => all((element) => element.dataset?.testid === value),
    text: ({ value }) => byText(value),
    xpath: ({ value }) => byXPath(value),
  };

  // What is there instead of what was looked for.
  function instead({ by, value }) {
    const list = (what, how, texts) => {
      const known = [...new Set(texts.filter(Boolean))].slice(0, SHOWN_CANDIDATES).map(quoted);
      return known.length ? `; there are ${what} ${how} ${known.join(', ')}` : `; there are no ${what}`;
    };
    const seen = (test) => all((element) => test(element) && visible(element));
    if (by === 'label') return list('fields', 'labelled', seen(isField).map(label));
    if (by === 'placeholder') return list('fields', 'with placeholder', seen(isField).map((element) => element.placeholder));
    if (by === 'role') return list(`elements of role ${quoted(value)}`, 'named', seen((element) => role(element) === value).map(name));
    return '';
  }

  function describe(element) {
    const id = element.id ? '#' + element.id : '';
    const classes = [...element.classList].slice(0, 2).map((word) => '.' + word).join('');
    const text = squeeze(element.textContent);
    return '`' + element.localName + id + classes + '`' + (text ? ` “${short(text)}”` : '');
  }

  const no = (why, message) => ({ ok: false, why, message });
  const yes = (more) => ({ ok: true, at: now(), ...more });

  function one(selector, shown) {
    const found = FIND[selector.by](selector);
    const seen = found.filter(visible);
    if (seen.length === 1) return yes({ element: seen[0] });
    if (seen.length > 1) {
      const some = seen.slice(0, SHOWN_CANDIDATES).map(describe).join(', ');
      return no('ambiguous', `\`${shown}\` matched ${seen.length} elements: ${some}`);
    }
    if (found.length) return no('hidden', `\`${shown}\` is on the page and not visible`);
    return no('missing', `\`${shown}\` matched nothing${instead(selector)}`);
  }

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
    for (let node = hit; node; node = node.parentNode || node.host) if (node === element) return true;
    return element.labels ? [...element.labels].some((text) => text.contains(hit)) : false;
  }

  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const sameBox = (a, b) => a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;

  // Two frames with the same box: nothing moves it, be it CSS, a script or a late layout.
  async function still(element) {
    await frame();
    const first = element.getBoundingClientRect();
    await frame();
    return element.isConnected && sameBox(first, element.getBoundingClientRect());
  }

  const CHECK = {
    async click({ selector, shown }) {
      const found = one(selector, shown);
      if (!found.ok) return found;
      const { element } = found;
      if (disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
      element.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
      if (!(await still(element))) return no('moving', `\`${shown}\` does not stand still`);
      const box = element.getBoundingClientRect();
      const x = box.x + box.width / 2;
      const y = box.y + box.height / 2;
      const hit = receiver(x, y);
      if (!hit) return no('outside', `\`${shown}\` is outside the window and cannot be scrolled into it`);
      if (!within(hit, element)) return no('covered', `\`${shown}\` is covered by ${describe(hit)}`);
      return yes({ x, y });
    },
    fill({ selector, shown }) {
      const found = one(selector, shown);
      if (!found.ok) return found;
      const { element } = found;
      if (disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
      if (element.readOnly) return no('disabled', `\`${shown}\` is read-only`);
      if (!isField(element) || element.localName === 'select') return no('disabled', `\`${shown}\` is no text field but ${describe(element)}`);
      element.focus();
      const at = now();
      if (element.select) element.select();
      else getSelection().selectAllChildren(element);
      return { ok: true, at };
    },
    visible: ({ selector, shown }) => {
      const found = FIND[selector.by](selector);
      if (found.some(visible)) return yes();
      return found.length
        ? no('hidden', `\`${shown}\` is on the page and not visible`)
        : no('missing', `\`${shown}\` matched nothing${instead(selector)}`);
    },
    hidden: ({ selector, shown }) =>
      FIND[selector.by](selector).some(visible) ? no('unmet', `\`${shown}\` is still visible`) : yes(),
    text: ({ text }) => {
      if (byText(text).some(visible)) return yes();
      const title = squeeze(document.title);
      return no('unmet', `the page${title ? ' ' + quoted(title) : ''} does not show ${quoted(text)}`);
    },
    now: () => yes(),
  };

  // Asks until the answer is yes or the time is over, and then says why not.
  async function perform(request) {
    const began = now();
    const end = performance.now() + request.timeout_ms;
    for (;;) {
      const answer = await CHECK[request.what](request);
      if (answer.ok || performance.now() >= end) {
        return { ok: answer.ok, why: answer.why, message: answer.message, began, at: answer.at ?? now(), x: answer.x, y: answer.y, page: vitals() };
      }
      await changed(Math.min(LOOK_AGAIN_MS, Math.max(0, end - performance.now())));
    }
  }

  function changed(atMostMs) {
    return new Promise((resolve) => {
      const observer = new MutationObserver(done);
      const timer = setTimeout(done, atMostMs);
      observer.observe(document, { attributes: true, characterData: true, childList: true, subtree: true });
      function done() {
        observer.disconnect();
        clearTimeout(timer);
        resolve();
      }
    });
  }

  // After an input: lets what it set off begin, so that a navigation it starts is known.
  const settle = () => new Promise((resolve) => {
    const timer = setTimeout(resolve, 100);
    scheduler.postTask(() => { clearTimeout(timer); resolve(); }, { priority: 'background' });
  }).then(() => yes());

  // When the document was asked for and when its load was complete, by the browser's own clock.
  function loaded() {
    const [entry] = performance.getEntriesByType('navigation');
    const end = entry && entry.loadEventEnd > 0 ? performance.timeOrigin + entry.loadEventEnd : now();
    return { ok: true, at: end, began: performance.timeOrigin, page: vitals() };
  }

  return { perform, settle, loaded };
})();
