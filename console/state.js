/*
 * States of a place that has nothing to show (yet): it loads, it is empty, the key may not see it.
 */
import { element, show } from './element.js';
import { problemNote } from './problem.js';

export function loading(what) {
  return element('p', { class: 'loading', role: 'status' }, `Loading ${what} …`);
}

export function empty(title, ...text) {
  return element('div', { class: 'empty' }, element('strong', {}, title), text.map((each) => element('p', {}, each)));
}

/** What is missing, and which key would do. */
export function forbidden(scope) {
  const which = scope === 'operator' ? 'CHECKOUT_OPERATOR_KEY' : 'CHECKOUT_API_KEY';
  return empty(`This needs a key with the scope ${scope}`,
               ['Sign out, and come back with another key. ', element('code', {}, './checkout env'), ` prints one as ${which}.`]);
}

/**
 * Shows in `place` what `load` resolves to; meanwhile that it loads, and if it fails the problem, with
 * a way to try again. Nothing is shown any more once `signal` is aborted.
 */
export async function fill(place, what, signal, load) {
  if (place.childElementCount === 0) show(place, loading(what));
  try {
    const content = await load();
    if (!signal.aborted) show(place, content);
  } catch (error) {
    if (!signal.aborted) {
      show(place, problemNote(error, () => {
        show(place);
        return fill(place, what, signal, load);
      }));
    }
  }
}
