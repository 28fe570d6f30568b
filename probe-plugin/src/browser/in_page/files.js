// Where files go.

const isFileField = (element) => element?.localName === 'input' && element.type === 'file';

// The file field that was found last; `Function::FileField` hands it out.
let fileField = null;

// The file field that an element is, labels or wraps; hidden ones count, since pages hide them behind buttons of their own.
function fileFieldOf(element) {
  if (isFileField(element)) return element;
  if (isFileField(element.control)) return element.control;
  const inside = [...element.querySelectorAll('input[type=file]')];
  return inside.length === 1 ? inside[0] : null;
}

// A file field for so many files; or, where there is none, a point of what a user clicks to be asked for files.
CHECK.upload = async (request) => {
  const refusals = [];
  for (const [won, selector] of request.target.entries()) {
    const found = FIND[selector.by](selector);
    const fields = [...new Set(found.map(fileFieldOf).filter(Boolean))];
    const { shown } = selector;
    if (fields.length > 1) refusals.push(ambiguous(fields, selector));
    else if (fields.length) {
      const [field] = fields;
      if (disabled(field)) refusals.push(no('disabled', `\`${shown}\` is disabled`));
      else if (request.count > 1 && !field.multiple) return no('value', `\`${shown}\` takes one file, not ${request.count}`);
      else {
        fileField = field;
        return yes({ won, value: { input: now() } });
      }
    } else {
      const point = await CHECK.point({ ...request, enabled: true, target: [selector] });
      if (point.ok) return { ...point, won };
      refusals.push(point);
    }
  }
  return refusals.find(({ why }) => why !== 'missing') || refusals[0];
};

// What is dragged over a place: the page has to say there that it takes it, or the browser opens the files itself.
let dragged = null;
addEventListener('dragover', (event) => { if (dragged && event.isTrusted) dragged.over = event; }, { capture: true, passive: true });

// A point to drop files at.
CHECK.drop = async (request) => {
  const found = one(request.target);
  if (!found.ok) return found;
  if (disabled(found.element)) return no('disabled', `\`${found.shown}\` is disabled`);
  dragged = { element: found.element, over: null };
  return CHECK.point(request);
};

// With the files over the place.
CHECK.drops = ({ shown }) => {
  const { element, over } = dragged || {};
  const hit = over && receiver(over.clientX, over.clientY);
  if (hit && !within(hit, element)) return no('disabled', () => `\`${shown}\` is covered by ${describe(hit)}`);
  return over?.defaultPrevented ? yes() : no('disabled', `\`${shown}\` takes no dropped files`);
};
