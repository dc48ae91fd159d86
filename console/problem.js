/*
 * Problems: what a service refuses with (RFC 9457), and what goes wrong on the way to it.
 */
import { button, element } from './element.js';

export class Problem extends Error {
  constructor(document) {
    super(document.detail ?? document.title);
    this.document = document;
  }

  get code() {
    return this.document.code;
  }

  get status() {
    return this.document.status;
  }
}

/** Whatever was thrown, as a problem; our own mistakes are told in the browser's log too. */
export function problemOf(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem({ title: 'The console failed', detail: error.message, code: 'console_failed' });
}

/** A problem as it is: title, detail, the fields that are wrong, code and request id. */
export function problemNote(error, retry) {
  const { title, detail, code, instance, errors = [] } = problemOf(error).document;
  return element('div', { class: 'problem', role: 'alert' },
                 element('strong', {}, title),
                 element('p', {}, detail),
                 errors.length > 0 && element('ul', {}, errors.map(wrongField)),
                 element('p', { class: 'small' }, codeLink(code), instance && [' · request ', element('code', {}, instance)]),
                 retry && button('Try again', retry));
}

function wrongField({ pointer, detail }) {
  return element('li', {}, element('code', {}, pointer), ' ', detail);
}

/* What is found here and not by a service has no page. */
const OWN = ['no_answer', 'answer_unreadable', 'console_failed', 'key_blank'];

function codeLink(code) {
  if (OWN.includes(code)) return element('code', {}, code);
  return element('a', { href: `/problems/${encodeURIComponent(code)}` }, element('code', {}, code));
}
