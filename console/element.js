/*
 * Elements: the one way in which the console makes them. What it shows is text, never markup.
 */

/**
 * element('a', { class: 'quiet', href: '#/flow', onclick: open }, 'Flow'): attributes whose value is
 * false or null are left out, functions are listeners; children are elements, texts or lists of them.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value === true ? '' : value);
    }
  }
  made.append(...shown(children));
  return made;
}

/** Replaces what a place shows. */
export function show(place, ...children) {
  place.replaceChildren(...shown(children));
}

function shown(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** A button that is busy while what it does goes on, so that it is not done twice. */
export function button(label, act, attributes = {}) {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', async () => {
    if (made.getAttribute('aria-disabled') === 'true') return;
    made.setAttribute('aria-disabled', 'true');
    try {
      await act(made);
    } finally {
      made.removeAttribute('aria-disabled');
    }
  });
  return made;
}

/** A labeled control. */
export function field(label, control, hint) {
  return element('label', { class: 'field' }, element('span', {}, label), control,
                 hint && element('small', {}, hint));
}
