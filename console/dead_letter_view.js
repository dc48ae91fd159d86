/*
 * Dead letters: events that could not take effect at a service; an operator replays or discards them.
 */
import { newKey } from './api.js';
import { confirmed } from './dialog.js';
import { button, element, show } from './element.js';
import { moment } from './moment.js';
import { problemNote } from './problem.js';
import { empty, fill, forbidden } from './state.js';
import { facts } from './table.js';

const SERVICES = ['order-service', 'payment-service', 'voucher-service'];
const SHOWN_MAX = 100;

export async function open({ main, caller, signal, title }) {
  const place = element('div', {});
  show(main, element('h1', {}, title),
       element('p', { class: 'lead' }, 'An event that can not take effect is put aside with the reason, and holds up nothing behind it.'), place);
  if (!caller.may('operator')) return show(place, forbidden('operator'));
  await refresh(place, caller, signal);
}

function refresh(place, caller, signal) {
  return fill(place, 'dead letters', signal, async () => {
    const lists = await Promise.all(SERVICES.map(async (service) => {
      const { data, next_cursor } = await caller.api.get(`/services/${service}/v1/dead_letters`, { limit: SHOWN_MAX }, signal);
      return { service, letters: data, more: next_cursor !== null };
    }));
    const again = () => refresh(place, caller, signal);
    if (lists.every(({ letters }) => letters.length === 0)) return empty('Nothing was put aside', 'Every event has taken effect where it should.');
    return lists.filter(({ letters }) => letters.length > 0).map(({ service, letters, more }) => [
      element('h2', {}, service),
      element('ul', { class: 'cards wide-cards' }, letters.map((letter) => letterCard(service, letter, caller, again))),
      more && element('p', { class: 'small' }, `The newest ${SHOWN_MAX} are shown.`),
    ]);
  });
}

function letterCard(service, letter, caller, again) {
  const trouble = element('div', {});
  const act = (verb, text) => button(`${verb} …`, async () => {
    if (!(await confirmed(`${verb} this event?`, text, verb))) return;
    try {
      await caller.api.post(`/services/${service}/v1/dead_letters/${letter.id}/${verb.toLowerCase()}`, undefined, newKey());
      await again();
    } catch (error) {
      show(trouble, problemNote(error));
    }
  }, verb === 'Discard' ? { class: 'danger' } : {});
  return element('li', { class: 'card' }, element('h3', {}, letter.reason.replaceAll('_', ' ')), element('p', {}, letter.detail),
                 facts(['Put aside', moment(letter.created_at)], ['From', letter.source],
                       ['Sequence', letter.sequence], ['Topic', letter.topic && element('code', {}, letter.topic)]),
                 payloadPart(letter), trouble,
                 element('div', { class: 'actions' },
                         act('Replay', 'It is tried again, as if it had come just now. If it still can not take effect, it stays here.'),
                         act('Discard', 'It will never take effect at this service.')));
}

function payloadPart({ payload, payload_bytes: size }) {
  if (payload === null) return element('p', { class: 'small' }, `Its payload, ${size} bytes, is no text.`);
  return element('details', {}, element('summary', {}, `Payload, ${size} bytes`),
                 element('pre', { tabindex: '0', 'aria-label': 'Payload' }, pretty(payload)));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
