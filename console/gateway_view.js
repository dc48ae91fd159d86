/*
 * Gateways: the banks in the order in which they are asked, and what their circuit breakers think.
 */
import { element, show } from './element.js';
import { repeat } from './repeat.js';
import { empty, fill } from './state.js';
import { status } from './status.js';
import { facts } from './table.js';

const EVERY_MS = 2000;
const CURRENCIES_SHOWN = 8;

const meanings = {
  closed: 'It is asked.',
  open: 'It failed too often just now, and is passed over for a while.',
  half_open: 'One payment is let through to see whether it is well again.',
};

export async function open({ main, caller, signal, title }) {
  const place = element('div', {});
  show(main, element('h1', {}, title),
       element('p', { class: 'lead' }, 'A payment goes to the first bank that takes it and whose circuit breaker is closed. The next ' +
               'one is asked only if the first certainly did nothing.'), place);
  await repeat(EVERY_MS, signal, () => fill(place, 'gateways', signal, async () => {
    const { data } = await caller.api.get('/v1/gateways', {}, signal);
    if (data.length === 0) return empty('There are no gateways', 'The setting GATEWAYS lists them.');
    return element('ol', { class: 'cards' }, data.map(gatewayCard));
  }));
}

function gatewayCard({ name, protocol, currencies, methods, breaker }) {
  const word = breaker.state.replaceAll('-', '_');
  return element('li', { class: 'card' }, element('h2', {}, name, ' ', status(word)),
                 element('p', {}, meanings[word] ?? '',
                         breaker.retry_in_ms > 0 && ` It is tried again in ${Math.ceil(breaker.retry_in_ms / 1000)} s.`),
                 facts(['Calls lately', breaker.calls === 0 ? 'none' : `${breaker.calls}, of which ${breaker.errors} failed`],
                       ['Protocol', protocol.toUpperCase()],
                       ['Methods', methods.join(', ').replaceAll('_', ' ')], ['Currencies', currencyText(currencies)]));
}

function currencyText(currencies) {
  if (currencies === '*') return 'all';
  const more = currencies.length - CURRENCIES_SHOWN;
  return currencies.slice(0, CURRENCIES_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
