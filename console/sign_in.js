/*
 * The first thing that a newcomer sees: what this is, and where a key comes from.
 */
import { element, field, show } from './element.js';
import { signIn } from './key.js';
import { problemNote } from './problem.js';

export function showSignIn(main, problem, enter) {
  const trouble = element('div', {}, problem && problemNote(problem));
  const input = element('input', { type: 'password', name: 'key', autocomplete: 'off', spellcheck: 'false', required: true,
                                   placeholder: 'ck_…' });
  const form = element('form', { onsubmit: async (event) => {
    event.preventDefault();
    try {
      enter(await signIn(input.value));
    } catch (error) {
      show(trouble, problemNote(error));
      input.focus();
    }
  } }, field('API key', input), trouble, element('button', { class: 'primary' }, 'Enter'));
  show(main, element('section', { class: 'welcome' },
                     element('h1', {}, 'The back end of a shop\'s checkout, at work'),
                     element('p', {}, 'Fill a basket, pay with a test card, mark the order sent and watch its voucher arrive; ',
                             'then look at every step behind it.'),
                     form, whereKeysAre()));
  input.focus();
}

function whereKeysAre() {
  return element('div', { class: 'hint' },
                 element('p', {}, 'Where the stack runs, ', element('code', {}, './checkout env'), ' prints two keys:'),
                 element('dl', {},
                         element('dt', {}, element('code', {}, 'CHECKOUT_API_KEY')), element('dd', {}, 'for the shop: order, pay, send, refund'),
                         element('dt', {}, element('code', {}, 'CHECKOUT_OPERATOR_KEY')),
                         element('dd', {}, 'for its operators: all merchants, dead letters, the audit')),
                 element('p', {}, 'A key stays in this tab, and is forgotten when the tab is closed.'));
}
