/*
 * A question before something is done that can not be undone.
 */
import { element } from './element.js';

/** Resolves to true when it was answered with `verb`. */
export function confirmed(title, text, verb) {
  const dialog = element('dialog', { 'aria-labelledby': 'question' },
                         element('h2', { id: 'question' }, title), element('p', {}, text),
                         element('div', { class: 'actions' },
                                 element('button', { type: 'button', onclick: () => dialog.close('no'), autofocus: true }, 'Leave it'),
                                 element('button', { type: 'button', class: 'danger', onclick: () => dialog.close('yes') }, verb)));
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      before?.focus();
      resolve(dialog.returnValue === 'yes');
    });
  });
}
