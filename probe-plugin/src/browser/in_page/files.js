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
