// Finds what shows a text.

// A select shows what is chosen in it, not all that could be.
const CHOICES = 'select:not([multiple]):not([size]), select[size="1"]:not([multiple])';

function shownText(element) {
  if (element.localName === 'textarea') return '';
  if (element.matches(CHOICES)) return squeeze(element.selectedOptions[0]?.label);
  let text = squeeze(element.innerText);
  for (const select of element.querySelectorAll(CHOICES)) text = text.replace(squeeze(select.innerText), shownText(select));
  return text;
}

const matches = (text, wanted, whole) => (whole ? text === wanted : text.includes(wanted));

// Whether the text is among what the element shows, or is all of it. Capitals that only the style makes are as good as
// those that are written.
function shows(element, wanted, whole) {
  if (!element.firstElementChild && matches(squeeze(element.textContent), wanted, whole)) return element.localName !== 'textarea';
  const text = shownText(element);
  if (matches(text, wanted, whole)) return true;
  return matches(text.toLowerCase(), wanted.toLowerCase(), whole) && matches(squeeze(element.textContent), wanted, whole);
}

const PUSH = 'input[type=submit], input[type=button], input[type=reset]';

// The innermost elements that show the text. Only parts of the page that hold its words are looked into: a whole page's
// text is read in a millisecond, what of it is shown takes a hundred times as long.
function byText(text, { scope = document, whole = false } = {}) {
  const wanted = squeeze(text);
  const words = wanted.toLowerCase().split(' ');
  const found = [];
  const search = (root) => {
    for (let child = root.firstElementChild; child; child = child.nextElementSibling) {
      if (UNSEEN.has(child.tagName)) continue;
      const written = child.textContent.toLowerCase();
      if (!words.every((word) => written.includes(word))) continue;
      const before = found.length;
      if (!child.matches(CHOICES)) search(child);
      if (found.length === before && visible(child) && shows(child, wanted, whole)) found.push(child);
    }
  };
  for (const root of roots(scope)) search(root);
  for (const slot of scope === document ? [] : query('slot', scope)) {
    for (const element of slot.assignedElements({ flatten: true })) search({ firstElementChild: element });
  }
  found.push(...query(PUSH, scope).filter((button) => matches(squeeze(button.value), wanted, whole) && visible(button)));
  return [...new Set(found)];
}
