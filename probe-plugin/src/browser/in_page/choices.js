// What is chosen and ticked.

const BY = {
  label: (option, wanted) => squeeze(option.label) === squeeze(wanted),
  value: (option, wanted) => option.value === wanted,
  index: (option, wanted) => option.index === wanted,
};
const OPTIONS_TOLD = 12;

// The list, and those of its options that are wanted; or why not.
function choiceIn({ target, by, wanted }) {
  const found = one(target);
  if (!found.ok) return found;
  const { element: list, shown } = found;
  if (list.localName !== 'select') {
    return no('disabled', () => `\`${shown}\` is no list of the browser's own: it is ${kind(list)}; a list that the page builds itself is used by clicks`);
  }
  if (disabled(list)) return no('disabled', `\`${shown}\` is disabled`);
  if (wanted.length > 1 && !list.multiple) return no('value', `\`${shown}\` takes one option, not ${wanted.length}`);
  const chosen = [];
  for (const one of wanted) {
    const named = by === 'index' ? `the option ${one}` : `the option ${quoted(one)}`;
    const options = [...list.options].filter((option) => BY[by](option, one));
    if (!options.length) {
      return no('missing', () => {
        const there = [...list.options].slice(0, OPTIONS_TOLD);
        const told = there.map((option) => quoted(by === 'value' ? option.value : squeeze(option.label))).join(', ');
        const more = list.options.length > there.length ? ` and ${list.options.length - there.length} more` : '';
        const counted = by === 'index' ? `${list.options.length} options, the first is 0: ` : '';
        return `\`${shown}\` does not have ${named}; ${told ? `it has ${counted}${told}${more}` : 'it has no options'}`;
      });
    }
    if (options.length > 1) return no('ambiguous', `\`${shown}\` has ${named} ${options.length} times; tell them apart by \`value\` or \`index\``);
    if (disabled(options[0])) return no('disabled', `${named} of \`${shown}\` is disabled`);
    chosen.push(options[0]);
  }
  return { ...found, chosen };
}

// The list is there, and has what is wanted.
CHECK.choice = (request) => {
  const { ok, why, message, won } = choiceIn(request);
  return ok ? yes({ won }) : no(why, message);
};

const isChosen = ({ element, chosen }) => [...element.options].every((option) => option.selected === chosen.includes(option));

CHECK.select = async (request) => {
  await again(request);
  const choice = choiceIn(request);
  if (!choice.ok) return choice;
  const { element, chosen, won } = choice;
  const input = now();
  if (isChosen(choice)) return yes({ won, input });
  element.focus();
  // A page that fills its list on the focus has other options now.
  lookAnew();
  const fresh = choiceIn(request);
  if (!fresh.ok || fresh.element !== element || fresh.chosen.some((option, index) => option !== chosen[index])) {
    return fresh.ok ? no('disabled', `\`${fresh.shown}\` changes its options`) : fresh;
  }
  for (const option of element.options) option.selected = chosen.includes(option);
  told(element);
  return yes({ won, input });
};

// After what the page made of it. A list that is there no more has led elsewhere.
CHECK.selected = (request) => {
  const choice = choiceIn(request);
  if (choice.why === 'missing') return yes();
  if (!choice.ok) return choice;
  return isChosen(choice) ? yes() : no('disabled', `\`${choice.shown}\` did not keep what was chosen`);
};

const BOX_ROLES = new Set(['checkbox', 'switch', 'radio', 'menuitemcheckbox', 'menuitemradio']);
const isNativeBox = (element) => element.localName === 'input' && (element.type === 'checkbox' || element.type === 'radio');
const isBox = (element) => isNativeBox(element) || BOX_ROLES.has(role(element));
const isRadio = (element) => element.type === 'radio' || /radio$/.test(role(element) || '');
const ticked = (box) => (isNativeBox(box) ? box.checked && !box.indeterminate : box.getAttribute('aria-checked') === 'true');

// What a user clicks to tick it: the box, or its label where a styled one stands in for a box that cannot be seen.
function surface(box) {
  if (visible(box)) return box;
  return [...(box.labels || [])].find(visible) || null;
}

// The box that an element is or is the label of.
const boxOf = (element) => (isBox(element) ? element : [element.control].find((control) => control && isNativeBox(control)) || null);

// The one box that is meant and can be clicked.
function oneBox(target) {
  const refusals = [];
  for (const [won, selector] of target.entries()) {
    const found = FIND[selector.by](selector);
    const boxes = [...new Set(found.map(boxOf).filter(Boolean))];
    const usable = boxes.filter(surface);
    if (usable.length === 1) return yes({ box: usable[0], won, shown: selector.shown });
    if (usable.length) refusals.push(ambiguous(usable, selector));
    else if (boxes.length || !found.some(visible)) refusals.push(none(found, selector));
    else refusals.push(no('disabled', () => `\`${selector.shown}\` is no box that is ticked: it is ${kind(found.find(visible))}`));
  }
  return refusals.find(({ why }) => why !== 'missing') || refusals[0];
}

const TICK = { true: 'ticked', false: 'unticked' };

// What `CHECK.point` is told to point at.
let pointed = null;
FIND.pointed = () => [pointed].filter((element) => element?.isConnected);
const pointAt = (element, shown, request) => {
  pointed = element;
  return CHECK.point({ ...request, enabled: true, target: [{ by: 'pointed', shown }] });
};

// The box is as it should be (`value.done`), or a point to click that makes it so.
CHECK.tick = async (request) => {
  const found = oneBox(request.target);
  if (!found.ok) return found;
  const { box, won, shown } = found;
  if (ticked(box) === request.ticked) return yes({ won, value: { done: true } });
  if (!request.ticked && isRadio(box)) return no('value', `\`${shown}\` is a radio button, which is unticked by ticking another one`);
  if (disabled(box)) return no('disabled', `\`${shown}\` is disabled`);
  const click = surface(box);
  const point = await pointAt(click, shown, request);
  if (!point.ok || click === box) return { ...point, won };
  const free = freePoint(click);
  return free ? { ...point, ...free, won } : no('covered', `the label of \`${shown}\` is full of links`);
};

// A point of a label that is not one of the links and buttons in it: those do something of their own.
const OF_ITS_OWN = 'a[href], button, input, select, textarea';
function freePoint(surface) {
  const parts = [0.5, 0.25, 0.75, 0.1, 0.9, 0.02, 0.98];
  for (const { left, top, width, height } of surface.getClientRects()) {
    for (const part of parts) {
      const point = { x: left + width * part, y: top + height / 2 };
      const hit = receiver(point.x, point.y);
      if (hit && surface.contains(hit) && !surface.contains(hit.closest(OF_ITS_OWN))) return point;
    }
  }
  return null;
}

// After the click. A box that is there no more has led elsewhere.
CHECK.ticked = (request) => {
  const found = oneBox(request.target);
  if (found.why === 'missing') return yes();
  if (!found.ok) return found;
  return ticked(found.box) === request.ticked ? yes() : no('disabled', `\`${found.shown}\` did not become ${TICK[request.ticked]}`);
};
