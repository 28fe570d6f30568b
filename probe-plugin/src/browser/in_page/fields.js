// What is put into fields.

// Fields that take typed text, and those whose values are picked: what such a value looks like, and an example of it.
const TYPED = new Set(['text', 'email', 'number', 'password', 'search', 'tel', 'url']);
const NUMBER = [/^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i, 'a number', '12.5'];
const PICKED = {
  color: [/^#[0-9a-f]{6}$/i, 'a colour', '#1a73e8'],
  date: [/^\d{4,}-\d\d-\d\d$/, 'a date', '2026-05-31'],
  'datetime-local': [/^\d{4,}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/, 'a date with its time', '2026-05-31T14:30'],
  month: [/^\d{4,}-\d\d$/, 'a month', '2026-05'],
  range: NUMBER,
  time: [/^\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/, 'a time', '14:30'],
  week: [/^\d{4,}-W\d\d$/, 'a week', '2026-W22'],
};
const edits = (element) => element.isContentEditable || document.designMode === 'on';
const isInput = (element, types) => element.localName === 'input' && types.has(element.type);
const isPicked = (element) => element.localName === 'input' && Object.hasOwn(PICKED, element.type);
const takesText = (element) => element.localName === 'textarea' || isInput(element, TYPED) || edits(element);
const kind = (element) => `${describe(element)}${element.localName === 'input' ? ` of type \`${element.type}\`` : ''}`;

// How fields that take no text are used instead.
function other(element) {
  if (element.localName === 'select') return '; use `select`';
  if (element.localName !== 'input') return '';
  return { checkbox: '; use `check`', file: '; use `upload`', radio: '; use `check`' }[element.type] || '';
}

function focused() {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element;
}

// After what the page has set itself to do by now, its timers too; a page that never comes to an end of it is not waited for.
const task = () => new Promise((resolve) => {
  const timer = setTimeout(resolve, 100);
  scheduler.postTask(() => { clearTimeout(timer); setTimeout(resolve); }, { priority: 'background' });
});
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// An input that did not last is made again, but a page that throws it away is not stormed with it.
const AGAIN_MS = 50;
const AGAIN_MOST_MS = 800;
async function again(request) {
  request.tries = (request.tries || 0) + 1;
  if (request.tries > 1) await rest(Math.min(AGAIN_MOST_MS, AGAIN_MS * 2 ** (request.tries - 2)));
}

// The field, with the focus. It is looked at after that: some can be written to only while they have the focus.
function fieldOf({ target }) {
  const found = one(target);
  if (!found.ok) return found;
  const { element, shown } = found;
  if (disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
  if (!takesText(element) && !isPicked(element)) {
    return no('disabled', () => `\`${shown}\` takes no typed text: it is ${kind(element)}${other(element)}`);
  }
  const input = now();
  element.focus();
  if (element.readOnly) return no('disabled', `\`${shown}\` is read-only`);
  if (focused() !== element) return no('disabled', `\`${shown}\` does not take the focus`);
  return { ...found, input };
}

// The field is there and can be written to.
CHECK.field = (request) => {
  const { ok, why, message, won } = fieldOf(request);
  return ok ? yes({ won }) : no(why, message);
};

// `given` is the text as it stands in the journey: the text itself may be a secret, and is never told.
const misfit = (shown, [, what, example], given) =>
  no('value', `\`${shown}\` takes ${what} such as \`${example}\`, and \`${given}\` is none`);

const holds = (element) => (element.value ?? element.textContent) !== '';

// Puts the text into the field and says whether it is there. What only a real input method can do is left to the browser:
// `value.insert` asks for it.
CHECK.fill = async (request) => {
  await again(request);
  const { text, given, target } = request;
  const field = fieldOf(request);
  if (!field.ok) return field;
  const { element, shown, won, input } = field;
  if (isPicked(element)) return pickValue(element, field, request);
  if (element.type === 'number' && text !== '' && !NUMBER[0].test(text)) return misfit(shown, NUMBER, given);
  if (request.secret) secretly.add(element);
  selectAll(element);
  written = element;
  if (edits(element)) return yes({ won, input, value: { insert: holds(element) || text !== '' } });
  insert(element, text);
  await task();
  return lasted(target, element, shown, text === '') || yes({ won, input });
};

function selectAll(element) {
  if (element.select) element.select();
  else getSelection().selectAllChildren(element);
}

// As `Input.insertText` does, without the two messages that it costs. `beforeinput` and `textInput` do not come with an
// editing command, and masks listen to them; the `input` that follows is the browser's own.
function insert(element, text) {
  if (text === '' && element.value === '') return;
  const inputType = text === '' ? 'deleteContentBackward' : 'insertText';
  const about = { bubbles: true, cancelable: true, composed: true, inputType, data: text === '' ? null : text };
  if (!element.dispatchEvent(new InputEvent('beforeinput', about))) return;
  if (text === '') {
    document.execCommand('delete');
    return;
  }
  const typed = document.createEvent('TextEvent');
  typed.initTextEvent('textInput', true, true, window, text);
  if (element.dispatchEvent(typed)) document.execCommand('insertText', false, text);
}

// The field that is being written to by the browser.
let written = null;

// Nothing where the field holds what it should; a framework may have put another one in its place. A mask may have
// changed how a text is written. A field that is there no more has led elsewhere.
function lasted(target, element, shown, empty) {
  if (!element.isConnected) {
    lookAnew();
    const found = one(target);
    if (!found.ok) return null;
    element = found.element;
  }
  return holds(element) !== empty ? null : no('disabled', `\`${shown}\` did not keep the text that was typed`);
}

// After the browser has put the text in.
CHECK.filled = async ({ target, shown, empty }) => {
  await task();
  return lasted(target, written, shown, empty) || yes();
};

// A value that users pick is set, and told to the page as the browser tells it.
function pickValue(element, { shown, won, input }, { text, given }) {
  const form = PICKED[element.type];
  if (text === element.value) return yes({ won, input });
  if (text !== '' && !form[0].test(text)) return misfit(shown, form, given);
  const before = element.value;
  element.value = text;
  const number = element.type === 'range';
  const taken = number ? Number(element.value) === Number(text) : (element.value === '') === (text === '');
  if (!taken) {
    element.value = before;
    if (!number) return misfit(shown, form, given);
    return no('disabled', `\`${shown}\` goes from ${element.min || 0} to ${element.max || 100} in steps of ${element.step || 1}, and \`${given}\` is not among them`);
  }
  told(element);
  return yes({ won, input });
}

function told(element) {
  element.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
  element.dispatchEvent(new Event('change', { bubbles: true }));
}

// What kind of control it is: what is done to give it a new value.
const TICKED = new Set(['checkbox', 'radio', 'switch']);
CHECK.control = ({ target }) => {
  const found = one(target);
  if (!found.ok) return found;
  const { element, won } = found;
  const ticks = (element.localName === 'input' && TICKED.has(element.type)) || TICKED.has(role(element));
  const kind = element.localName === 'select' ? 'list' : ticks ? 'box' : takesText(element) ? 'text' : 'value';
  return yes({ won, value: kind });
};

// What is typed key by key comes behind what the field holds, or in place of `all` of it.
CHECK.focus = async ({ target, end, all }) => {
  const found = one(target);
  if (!found.ok) return found;
  const { element, shown, won } = found;
  if (disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
  if (end && !takesText(element) && !isPicked(element)) {
    return no('disabled', () => `\`${shown}\` takes no typed text: it is ${kind(element)}${other(element)}`);
  }
  const input = now();
  const had = focused() === element;
  if (!had) element.focus();
  // What the page does about the focus may put another element in its place.
  if (!had) await task();
  if (end && element.readOnly) return no('disabled', `\`${shown}\` is read-only`);
  if (focused() !== element) return no('disabled', `\`${shown}\` does not take the focus`);
  if (all) selectAll(element);
  else if (end) caretToEnd(element);
  written = element;
  return yes({ won, input });
};

function caretToEnd(element) {
  if (!edits(element)) {
    // Numbers and the like have no caret that a script could move; theirs is at the end.
    if (element.selectionStart !== null && element.setSelectionRange) element.setSelectionRange(element.value.length, element.value.length);
    return;
  }
  getSelection().selectAllChildren(element);
  getSelection().collapseToEnd();
}
