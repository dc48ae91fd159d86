/*
 * Timeline: an order's story across the services, oldest first.
 */
import { element } from './element.js';
import { after, moment } from './moment.js';
import { passedOver, sentence, toneOf } from './sentence.js';

export function timeline({ entries, incomplete }) {
  return [
    incomplete.length > 0 && element('p', { class: 'note', role: 'status' },
      `Not all of it is here: ${incomplete.join(' and ')} could not be asked, may not be shown with this key, or has more to tell.`),
    element('ol', { class: 'timeline' }, entries.map((entry, i) => item(entry, entries[i - 1]))),
  ];
}

function item(entry, before) {
  const { time, type, source, version, data } = entry;
  const [what, more] = sentence(type, data);
  return element('li', { 'data-kind': type.split('.')[0], 'data-tone': toneOf(type, data) },
                 element('p', { class: 'when' }, moment(time), ' ', before && element('span', { class: 'since' }, after(time, before.time))),
                 element('div', { class: 'what' },
                         element('p', {}, element('strong', {}, withWay(what, type, data)), ' ', more && element('span', {}, more)),
                         (data.skipped ?? []).map((skip) => element('p', { class: 'skipped' }, passedOver(skip))), trace(entry, before)),
                 element('p', { class: 'source' }, source.slice(1), version && `, version ${version}`));
}

/* A trace id stands where a trace begins; what follows without one belongs to it. */
function trace({ trace_id }, before) {
  return trace_id && trace_id !== before?.trace_id &&
    element('p', { class: 'trace' }, 'trace ', element('code', { title: 'Logs and spans have it too' }, trace_id));
}

/* A payment or voucher of the story is one step away. */
function withWay(what, type, { id, payment_id }) {
  const views = { payment: ['payments', payment_id ?? id], refund: ['payments', payment_id], voucher: ['vouchers', id] };
  const [view, target] = views[type.split('.')[0]] ?? [];
  return target ? element('a', { href: `#/${view}/${target}` }, what) : what;
}
