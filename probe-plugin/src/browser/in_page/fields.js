// What is put into fields.

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

CHECK.fill = ({ target }) => {
  const found = one(target);
  if (!found.ok) return found;
  const { element, shown, won } = found;
  if (disabled(element)) return no('disabled', `\`${shown}\` is disabled`);
  if (element.readOnly) return no('disabled', `\`${shown}\` is read-only`);
  if (!takesText(element)) return no('disabled', () => `\`${shown}\` takes no typed text: it is ${describe(element)}${element.type ? ` of type \`${element.type}\`` : ''}`);
  element.focus();
  const at = now();
  if (element.select) element.select();
  else getSelection().selectAllChildren(element);
  if (focused() !== element) return no('disabled', `\`${shown}\` does not take the focus`);
  field = element;
  return yes({ won, at });
};

// After the text was typed: it is where it should be. A mask may have changed how it is written.
CHECK.filled = ({ shown, empty, secret }) => {
  if (secret && field) secretly.add(field);
  const text = field?.value ?? field?.textContent ?? '';
  return (text === '') === empty ? yes() : no('disabled', `\`${shown}\` did not keep the text that was typed`);
};
