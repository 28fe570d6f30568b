// What the pages of the recordings write down of all that is done to them.
const above = opener ?? (parent === window ? null : parent);
const kept = () => JSON.parse(sessionStorage.events ?? '[]');
const note = (line) => {
  if (above) above.postMessage(line, '*');
  else sessionStorage.events = JSON.stringify([...kept(), line]);
};
addEventListener('message', ({ data }) => note(data));

const BUTTONS = ['mousedown', 'mouseup', 'click', 'dblclick', 'contextmenu', 'auxclick'];
const held = (event) => ['ctrlKey', 'shiftKey', 'altKey', 'metaKey'].filter((key) => event[key]).join();
const told = (event) => {
  if (BUTTONS.includes(event.type)) return [event.button, event.detail, held(event), Math.round(event.offsetX), Math.round(event.offsetY)];
  if (event.type.startsWith('key')) return [event.key, event.code, held(event)];
  return [event.target.value ?? event.target.textContent];
};
for (const type of [...BUTTONS, 'keydown', 'keyup', 'input', 'change', 'submit']) {
  addEventListener(type, (event) => {
    const [element] = event.composedPath();
    note([location.pathname, type, element.id || element.localName || 'page', ...told(event)].join(' '));
    if (type === 'contextmenu') event.preventDefault();
  }, true);
}

// Where everything stands at the end.
function report(recording) {
  const fields = [...document.querySelectorAll('input, select, textarea')];
  const state = {
    path: location.pathname + location.search,
    title: document.title,
    fields: Object.fromEntries(fields.map((field) => [field.id, ['checkbox', 'radio'].includes(field.type) ? field.checked : field.value])),
    text: document.body.innerText.replace(/\s+/g, ' ').trim(),
    scrolled: [Math.round(scrollX), Math.round(scrollY), ...[...document.querySelectorAll('.box')].map((box) => Math.round(box.scrollTop))],
    window: [innerWidth, innerHeight],
  };
  const body = JSON.stringify({ recording, state, events: kept() });
  return fetch('/report', { method: 'POST', body }).then(() => true);
}
