// What the page must come to show.

CHECK.visible = ({ target }) => {
  const refusals = [];
  for (const [won, selector] of target.entries()) {
    const found = FIND[selector.by](selector);
    if (found.some(visible)) return yes({ won });
    refusals.push(none(found, selector));
  }
  return refusals.find(({ why }) => why !== 'missing') || refusals[0];
};

CHECK.hidden = ({ target }) => {
  const still = target.find((selector) => FIND[selector.by](selector).some(visible));
  return still ? no('unmet', `\`${still.shown}\` is still visible`) : yes();
};

CHECK.text = ({ text }) => {
  if (byText(text).length) return yes();
  const title = squeeze(document.title);
  return no('unmet', `the page${title ? ' ' + quoted(title) : ''} does not show ${quoted(text)}`);
};

// What nobody waits for where it is there already.
const EXPECTATIONS = new Set(['hidden', 'text', 'visible']);
