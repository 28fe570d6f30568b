// The part of the robot that lives in the page, in a world of its own that the page cannot see or change.
//
// One call finds an element, waits until it can be used and answers where it is, so that an action costs one round trip.
// It waits by observers and animation frames; the only timer looks for what no observer reports (styles, shadow roots).
globalThis.vigia = (() => {
  'use strict';
  const LOOK_AGAIN_MS = 50;
  const REST_MS = 4;
  const SHOWN_CANDIDATES = 5;

  const now = () => performance.timeOrigin + performance.now();
  const squeeze = (text) => (text || '').replace(/\s+/g, ' ').trim();
  const short = (text) => (text.length > 40 ? text.slice(0, 39) + '…' : text);
  const quoted = (text) => '`' + short(text) + '`';

  // What the browser itself measured of this document, from its beginning on.
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
    const observers = [
      // One that belongs to a route is reported by the route's own entries.
      ['largest-contentful-paint', (entry) => { if (chapters.length === 1) chapters[0].lcp = entry.startTime; }],
      ['layout-shift', (entry) => { if (!entry.hadRecentInput) shifts.push(entry); }],
      ['first-input', interaction],
      ['event', interaction],
      ['soft-navigation', ({ name, startTime, navigationId, presentationTime }) => {
        chapters.push({ url: name, start: startTime, id: navigationId, fcp: presentationTime, lcp: null });
      }],
      ['interaction-contentful-paint', ({ navigationId, startTime, largestContentfulPaint: paint, presentationTime }) => {
        const painted = paint?.startTime || presentationTime;
        paints.push({ id: navigationId, startTime, painted });
      }],
    ];
    const flushes = observers.filter(([type]) => PerformanceObserver.supportedEntryTypes.includes(type)).map(([type, take]) => {
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
      observer.observe({ type, buffered: true, durationThreshold: 16 });
      return () => observer.takeRecords().forEach(take);
    });

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
      flushes.forEach((flush) => flush());
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
  for (const type of ['beforeunload', 'pagehide']) {
    addEventListener(type, () => {
      const measured = vitals();
      if (measured) globalThis.vigiaTell?.(JSON.stringify(measured));
    });
  }

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

  // Whether a user can see it. An element without a box of its own is seen through what stands in it.
  function visible(element) {
    if (!element.checkVisibility({ visibilityProperty: true })) {
      if (getComputedStyle(element).display !== 'contents') return false;
    }
    const box = element.getBoundingClientRect();
    if (box.width > 0 && box.height > 0) return true;
    const range = document.createRange();
    range.selectNodeContents(element);
    return [...range.getClientRects()].some((rect) => rect.width > 0 && rect.height > 0);
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

  const CONTROLS = new Set(['INPUT', 'SELECT', 'TEXTAREA']);
  const UNSEEN = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD', 'TITLE']);

  // What an element is called by what stands in it: texts and pictures' texts, without what is hidden and without fields.
  function nameFromContent(element) {
    const parts = [];
    const slotted = element.localName === 'slot' ? element.assignedNodes({ flatten: true }) : [];
    for (const node of slotted.length ? slotted : element.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) parts.push(node.data);
      if (node.nodeType !== Node.ELEMENT_NODE || UNSEEN.has(node.tagName) || CONTROLS.has(node.tagName)) continue;
      if (node.getAttribute('aria-hidden') === 'true' || getComputedStyle(node).display === 'none') continue;
      const own = node.getAttribute('aria-label') ?? (node.localName === 'img' ? node.alt : nameFromContent(node));
      parts.push(getComputedStyle(node).display.startsWith('inline') && node.localName !== 'br' ? own : ` ${own} `);
    }
    return parts.join('');
  }

  function name(element) {
    const by = squeeze(element.getAttribute('aria-labelledby'));
    if (by) {
      const labels = by.split(' ').map((id) => element.getRootNode().getElementById(id)).filter(Boolean);
      return squeeze(labels.map(nameFromContent).join(' '));
    }
    const own = squeeze(element.getAttribute('aria-label'));
    if (own) return own;
    if (element.labels?.length) return squeeze([...element.labels].map(nameFromContent).join(' '));
    if (element.localName === 'input' && ['button', 'submit', 'reset'].includes(element.type)) {
      return squeeze(element.value) || { submit: 'Submit', reset: 'Reset' }[element.type] || '';
    }
    if (element.hasAttribute('alt')) return squeeze(element.getAttribute('alt'));
    return squeeze(nameFromContent(element)) || squeeze(element.getAttribute('title'));
  }

  const FIELDS = 'input:not([type=hidden]), textarea, select, [contenteditable], [role=textbox], [role=combobox]';
  const isField = (element) => element.matches(FIELDS);
  // A star or a colon beside a label is not part of how people call the field.
  const bareLabel = (text) => squeeze(text).replace(/\s*[*:]$/, '');
  const label = (element) => bareLabel(name(element));

  // Whether the text is among what the element shows. Capitals that only the style makes are taken for what is written.
  function shows(element, wanted) {
    const shown = squeeze(element.innerText);
    if (shown.includes(wanted)) return true;
    return shown.toLowerCase().includes(wanted.toLowerCase()) && squeeze(element.textContent).includes(wanted);
  }

  // The innermost elements that show the text. Only parts of the page that hold its letters are looked into.
  function byText(text) {
    const wanted = squeeze(text);
    const letters = wanted.replace(/\s/g, '');
    const found = [];
    const search = (root) => {
      for (const child of root.children) {
        if (UNSEEN.has(child.tagName) || !child.textContent.replace(/\s/g, '').includes(letters)) continue;
        const before = found.length;
        search(child);
        if (found.length === before && visible(child) && shows(child, wanted)) found.push(child);
      }
    };
    for (const root of roots(document)) {
      search(root);
      const buttons = root.querySelectorAll('input[type=submit], input[type=button], input[type=reset]');
      found.push(...[...buttons].filter((button) => squeeze(button.value).includes(wanted)));
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
    label: ({ value }) => all((element) => isField(element) && label(element) === bareLabel(value)),
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
      return no('ambiguous', () => {
        const some = seen.slice(0, SHOWN_CANDIDATES).map(describe).join(', ');
        return `\`${shown}\` matched ${seen.length} elements: ${some}`;
      });
    }
    return none(found, selector, shown);
  }

  function none(found, selector, shown) {
    return found.length
      ? no('hidden', `\`${shown}\` is on the page and not visible`)
      : no('missing', () => `\`${shown}\` matched nothing${instead(selector)}`);
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
    for (let node = hit; node; node = node.assignedSlot || node.parentNode || node.host) if (node === element) return true;
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

  // Fields that take typed text. A date, a file, a tick are set in other ways.
  const TYPED = new Set(['text', 'email', 'number', 'password', 'search', 'tel', 'url']);
  const takesText = (element) => element.localName === 'textarea' || element.isContentEditable ||
    (element.localName === 'input' && TYPED.has(element.type));

  function focused() {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element;
  }

  // The field that was last made ready for a text.
  let field = null;

  const CHECK = {
    async click(request) {
      const { selector, shown } = request;
      const found = one(selector, shown);
      if (!found.ok) return found;
      const { element } = found;
      if (disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
      if (!wholeInWindow(element)) toTheMiddle(element);
      // To see whether it stands still takes the robot's time, not the user's.
      const ready = now();
      if (!(await still(element))) return no('moving', `\`${shown}\` does not stand still`);
      const point = pointIn(element);
      if (!point) return no('outside', `\`${shown}\` is outside the window and cannot be scrolled into it`);
      const hit = receiver(point.x, point.y);
      if (!within(hit, element)) {
        // A bar that stays where it is may lie over it.
        if (!request.centred) toTheMiddle(element);
        request.centred = true;
        return no('covered', () => `\`${shown}\` is covered by ${hit ? describe(hit) : 'nothing that can be named'}`);
      }
      attend();
      return yes({ ...point, ready });
    },
    fill({ selector, shown }) {
      const found = one(selector, shown);
      if (!found.ok) return found;
      const { element } = found;
      if (disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
      if (element.readOnly) return no('disabled', `\`${shown}\` is read-only`);
      if (!takesText(element)) return no('disabled', () => `\`${shown}\` takes no typed text: it is ${describe(element)}${element.type ? ` of type \`${element.type}\`` : ''}`);
      element.focus();
      const at = now();
      if (element.select) element.select();
      else getSelection().selectAllChildren(element);
      if (focused() !== element) return no('disabled', `\`${shown}\` does not take the focus`);
      field = element;
      return { ok: true, at };
    },
    // After the text was typed: it is where it should be. A mask may have changed how it is written.
    filled({ shown, empty }) {
      const text = field?.value ?? field?.textContent ?? '';
      return (text === '') === empty ? yes() : no('disabled', `\`${shown}\` did not keep the text that was typed`);
    },
    visible: ({ selector, shown }) => {
      const found = FIND[selector.by](selector);
      return found.some(visible) ? yes() : none(found, selector, shown);
    },
    hidden: ({ selector, shown }) =>
      FIND[selector.by](selector).some(visible) ? no('unmet', `\`${shown}\` is still visible`) : yes(),
    text: ({ text }) => {
      if (byText(text).length) return yes();
      const title = squeeze(document.title);
      return no('unmet', `the page${title ? ' ' + quoted(title) : ''} does not show ${quoted(text)}`);
    },
    now: () => yes(),
    input: () => {
      attend();
      return yes();
    },
  };

  const EXPECTATIONS = new Set(['hidden', 'text', 'visible']);

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

  function observeAll(observer) {
    for (const root of roots(document)) {
      observer.observe(root, { attributes: true, characterData: true, childList: true, subtree: true });
    }
  }

  // Asks until the answer is yes or the time is over, and then says why not. Looking again costs the page at most a third
  // of its time.
  async function perform(request) {
    const began = now();
    const end = began + request.timeout_ms;
    for (let first = true; ; first = false) {
      const looked = now();
      const change = EXPECTATIONS.has(request.what) ? lastChange() : null;
      let answer;
      try {
        answer = await CHECK[request.what](request);
      } catch (error) {
        if (error.name !== 'SyntaxError') throw error;
        const message = `\`${request.shown}\` is no selector: ${error.message}`;
        return { ok: false, why: 'selector', message, began, at: now(), answered: now() };
      }
      const looking = now();
      if (answer.ok || looking >= end) {
        const { ok, why, x, y } = answer;
        const message = typeof answer.message === 'function' ? answer.message() : answer.message;
        const at = answer.at ?? now();
        const came = first ? change : looked;
        const ready = first ? null : answer.ready ?? came;
        return { ok, why, message, began, at, came, ready, x, y, page: vitals(), answered: now() };
      }
      const pause = Math.max(REST_MS, 2 * (looking - looked));
      await changed(Math.max(pause, Math.min(LOOK_AGAIN_MS, end - looking)));
      const rest = pause - (now() - looking);
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    }
  }

  // What shows or hides something without a change of the document: styles that arrive, move and end.
  const SHOWING = ['animationend', 'animationstart', 'load', 'toggle', 'transitionend', 'transitionstart'];

  function changed(atMostMs) {
    return new Promise((resolve) => {
      const observer = new MutationObserver(done);
      const timer = setTimeout(done, atMostMs);
      observeAll(observer);
      for (const type of SHOWING) document.addEventListener(type, done, true);
      function done() {
        observer.disconnect();
        for (const type of SHOWING) document.removeEventListener(type, done, true);
        clearTimeout(timer);
        resolve();
      }
    });
  }

  // After an input: lets what it set off begin, so that a navigation it starts is known.
  const settle = async () => {
    const began = now();
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 100);
      scheduler.postTask(() => { clearTimeout(timer); resolve(); }, { priority: 'background' });
    });
    // The page has handled the input, and what it set off has changed the document: the waiting since is the robot's.
    return { ok: true, began, at: Math.max(began, attention?.last ?? began), answered: now() };
  };

  // When the document's load was complete, by the browser's own clock.
  function loaded() {
    const began = now();
    const [entry] = performance.getEntriesByType('navigation');
    const end = entry && entry.loadEventEnd > 0 ? performance.timeOrigin + entry.loadEventEnd : now();
    return { ok: true, at: end, began, page: vitals(), answered: now() };
  }

  return { perform, settle, loaded };
})();
