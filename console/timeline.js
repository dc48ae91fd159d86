/*
 * Timeline: an order's story across the services, oldest first.
 */
import { element } from './element.js';
import { after, moment } from './moment.js';
import { passedOver, sentence } from './sentence.js';

export function timeline({ entries, incomplete }) {
  return [
    incomplete.length > 0 && element('p', { class: 'note', role: 'status' },
      `Not all of it is here: ${incomplete.join(' and ')} could not be asked, may not be shown with this key, or has more to tell.`),
    element('ol', { class: 'timeline' }, entries.map((entry, i) => item(entry, entries[i - 1]))),
  ];
}

function item({ time, type, source, version, trace_id, data }, before) {
  const [what, more] = sentence(type, data);
  return element('li', { 'data-kind': type.split('.')[0], 'data-tone': toneOf(type, data) },
                 element('div', { class: 'line' }, element('strong', {}, what), more && element('span', {}, more)),
                 (data.skipped ?? []).map((skip) => element('p', { class: 'skipped' }, passedOver(skip))),
                 element('p', { class: 'small' }, moment(time), before && ` (${after(time, before.time)})`, ` · ${source.slice(1)}`,
                         version && ` · version ${version}`,
                         trace_id && [' · trace ', element('code', { title: 'Logs and spans have it too' }, trace_id)]));
}

function toneOf(type, { status }) {
  if (type === 'payment.attempt') return status === 'approved' ? null : 'wait';
  return /failed|orphaned|canceled|expired|voided/.test(type) ? 'bad' : null;
}
