// What an element holds: its text, its value, an attribute, whether it is ticked or can be used.

// Fields that a secret was typed into. What they hold is told to nobody, no more than what a field for passwords holds.
const secretly = new WeakSet();
const hides = (element) => element.type === 'password' || secretly.has(element);

// The one element that is meant, seen or not: pages draw boxes of their own over ticks that they hide.
function present(target) {
  const refusals = [];
  for (const [won, selector] of target.entries()) {
    const found = FIND[selector.by](selector);
    const seen = found.filter(visible);
    const meant = seen.length ? seen : found;
    if (meant.length === 1) return yes({ element: meant[0], won, shown: selector.shown });
    refusals.push(meant.length ? ambiguous(meant, selector) : none(found, selector));
  }
  return refusals.find(({ why }) => why !== 'missing') || refusals[0];
}

function pattern(text) {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    error.told = `\`${text}\` is no regular expression: ${error.message}`;
    throw error;
  }
}

function fits(text, { how, text: wanted }) {
  if (how === 'is') return text === wanted;
  return how === 'contains' ? text.includes(wanted) : pattern(wanted).test(text);
}

const unlike = ({ how, text }) => (how === 'is' ? `not ${quoted(text)}` :
  `which does not ${how === 'contains' ? 'contain' : 'match'} ${quoted(text)}`);

// One of these texts fits; a no says what is there: "`#state` shows `Rejected`, not `Approved`".
function compare(said, texts, wanted, more) {
  if (texts.some((text) => fits(text, wanted))) return yes(more);
  const held = texts[0] === '' ? 'nothing' : quoted(texts[0]);
  return no('unmet', () => `${said} ${held}, ${unlike(wanted)}`);
}

// The text that an element shows. Capitals that only the style makes are taken for what is written.
function textsOf(element) {
  const shown = squeeze(element.innerText ?? element.textContent);
  const written = squeeze(element.textContent);
  return shown !== written && shown.toLowerCase() === written.toLowerCase() ? [shown, written] : [shown];
}

// What a field holds; of a list the text of what is chosen, and its value. Nothing where it is no field.
function valuesOf(element) {
  if (element.localName === 'select') {
    const chosen = [...element.selectedOptions];
    return [chosen.map((option) => squeeze(option.label)).join(', '), chosen.map((option) => option.value).join(', ')];
  }
  if (element.isContentEditable) return [squeeze(element.innerText)];
  return ['input', 'select', 'textarea'].includes(element.localName) ? [element.value] : null;
}

CHECK.shows = ({ target, wanted }) => {
  const found = one(target);
  if (!found.ok) return found;
  const spaceless = wanted.how === 'matches' ? wanted : { ...wanted, text: squeeze(wanted.text) };
  return compare(`\`${found.shown}\` shows`, textsOf(found.element), spaceless, { won: found.won });
};

CHECK.value = ({ target, wanted }) => {
  const found = present(target);
  if (!found.ok) return found;
  const { element, shown, won } = found;
  const values = valuesOf(element);
  if (!values) return no('unmet', () => `\`${shown}\` is no field: it is ${describe(element)}`);
  const answer = compare(`\`${shown}\` holds`, values, wanted, { won });
  return answer.ok || !hides(element) ? answer : no('unmet', `\`${shown}\` holds something else; what a field with a secret holds is not shown`);
};

CHECK.attribute = ({ target, name, wanted }) => {
  const found = present(target);
  if (!found.ok) return found;
  const { element, shown, won } = found;
  const value = element.getAttribute(name);
  if (value === null) return no('unmet', `\`${shown}\` has no attribute \`${name}\``);
  const answer = compare(`the attribute \`${name}\` of \`${shown}\` is`, [value], wanted, { won });
  return answer.ok || !hides(element) ? answer : no('unmet', `the attribute \`${name}\` of \`${shown}\` is another; what a field with a secret holds is not shown`);
};

// Ticked, not ticked, or nothing that can be ticked.
function isTicked(element) {
  const control = element.localName === 'label' && element.control ? element.control : element;
  if (control.localName === 'input' && ['checkbox', 'radio'].includes(control.type)) return control.indeterminate ? 'mixed' : String(control.checked);
  return control.getAttribute('aria-checked') ?? control.getAttribute('aria-pressed') ?? control.getAttribute('aria-selected');
}

function tick(target, wanted, word) {
  const found = present(target);
  if (!found.ok) return found;
  const state = isTicked(found.element);
  if (state === null) return no('unmet', () => `\`${found.shown}\` is nothing that can be checked: it is ${describe(found.element)}`);
  return state === wanted ? yes({ won: found.won }) : no('unmet', `\`${found.shown}\` is ${state === 'mixed' ? 'neither checked nor unchecked' : word}`);
}

CHECK.checked = ({ target }) => tick(target, 'true', 'not checked');
CHECK.unchecked = ({ target }) => tick(target, 'false', 'checked');

CHECK.enabled = ({ target }) => {
  const found = one(target);
  if (!found.ok) return found;
  return disabled(found.element) ? no('unmet', `\`${found.shown}\` is disabled`) : yes({ won: found.won });
};

CHECK.disabled = ({ target }) => {
  const found = one(target);
  if (!found.ok) return found;
  return disabled(found.element) ? yes({ won: found.won }) : no('unmet', `\`${found.shown}\` is enabled`);
};

// How many of them a user can see, here and in the other frames.
CHECK.count = ({ target, others, at_least: least, at_most: most }) => {
  const counts = target.map((selector) => FIND[selector.by](selector).filter(visible).length);
  const won = Math.max(0, counts.findIndex((count) => count > 0));
  const value = counts[won];
  const seen = value + others;
  if (seen >= least && (most === null || seen <= most)) return yes({ won, value });
  const wanted = least === most ? String(most) : most === null ? `at least ${least}` : least === 0 ? `at most ${most}` : `${least} to ${most}`;
  return { ...no('unmet', () => `\`${target[0].shown}\` matched ${seen} visible element${seen === 1 ? '' : 's'}, not ${wanted}`), value };
};

// Of a list or an object, what is named must be so; anything else must be the same.
function hasAll(value, wanted) {
  if (wanted === null || typeof wanted !== 'object') return value === wanted;
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(wanted).every(([key, inner]) => hasAll(value[key], inner));
}

// So many elements, seen or not, that all have these attributes and properties.
function unlikeWanted({ target, at_least: least, at_most: most, attributes, properties }) {
  const all = target.map((selector) => FIND[selector.by](selector));
  const won = Math.max(0, all.findIndex((found) => found.length > 0));
  const { shown } = target[won];
  const seen = all[won].length;
  if (seen < least || (most !== null && seen > most)) {
    const wanted = least === most ? String(most) : most === null ? `at least ${least}` : `${least} to ${most}`;
    return { won, shown, message: `\`${shown}\` matched ${seen} element${seen === 1 ? '' : 's'}, not ${wanted}` };
  }
  for (const element of all[won]) {
    const told = (value) => (value === null ? 'not there' : hides(element) ? 'another' : quoted(value));
    for (const [name, wanted] of Object.entries(attributes)) {
      const value = element.getAttribute(name);
      if (value !== wanted) return { won, shown, message: `the attribute \`${name}\` of \`${shown}\` is ${told(value)}, not ${quoted(wanted)}` };
    }
    for (const [name, wanted] of Object.entries(properties)) {
      if (!hasAll(element[name], wanted)) return { won, shown, message: `the property \`${name}\` of \`${shown}\` is not \`${JSON.stringify(wanted)}\`` };
    }
  }
  return { won, shown };
}

CHECK.present = (request) => {
  const { won, message } = unlikeWanted(request);
  return message ? no('unmet', message) : yes({ won });
};

CHECK.absent = (request) => {
  const { won, shown, message } = unlikeWanted(request);
  return message ? yes({ won }) : no('unmet', `\`${shown}\` is there as it should not be`);
};

CHECK.url = ({ wanted }) => compare('the address is', [location.href], wanted);
CHECK.title = ({ wanted }) => compare('the title is', [squeeze(document.title)], wanted);

// What is kept of an element for later; it is waited for until there is something to keep.
CHECK.read = ({ target, attribute, matches }) => {
  const found = attribute === null ? one(target) : present(target);
  if (!found.ok) return found;
  const { element, shown, won } = found;
  if (hides(element)) return no('unmet', `\`${shown}\` holds a secret, and secrets are not stored`);
  const text = attribute === null ? (valuesOf(element) ?? textsOf(element))[0] : element.getAttribute(attribute);
  if (text === null) return no('unmet', `\`${shown}\` has no attribute \`${attribute}\``);
  if (matches === null) return text === '' ? no('unmet', `\`${shown}\` is empty`) : yes({ won, value: text });
  const match = pattern(matches).exec(text);
  const value = match && (match[1] ?? match[0]);
  return value ? yes({ won, value }) : no('unmet', () => `\`${shown}\` shows ${text === '' ? 'nothing' : quoted(text)}, which does not match ${quoted(matches)}`);
};
