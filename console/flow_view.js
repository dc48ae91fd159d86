/*
 * Flow: the bus, live, with charts. It can be held still and narrowed; what comes meanwhile is kept.
 */
import { Bus } from './bus.js';
import { element, field, show } from './element.js';
import { FlowCharts } from './flow_charts.js';
import { moment } from './moment.js';
import { sentence, toneOf } from './sentence.js';
import { empty, forbidden } from './state.js';
import { status } from './status.js';

const KEPT_MAX = 1000;
const SHOWN_MAX = 100;
const KINDS = ['order', 'payment', 'refund', 'voucher'];

export async function open({ main, caller, signal, title }) {
  if (!caller.may('events:read')) return show(main, element('h1', {}, title), forbidden('events:read'));
  const view = new FlowView(caller, signal);
  show(main, element('div', { class: 'heading' }, element('h1', {}, title), view.state), view.charts.root, view.controls(), view.list);
  view.draw();
  new Bus(caller, { signal, onEvent: (event, isLive) => view.take(event, isLive), onState: (word) => view.tell(word) }).open();
  await view.charts.begin();
}

class FlowView {
  constructor(caller, signal) {
    Object.assign(this, { caller, signal, events: [], isPaused: false, missed: 0, kind: '', text: '' });
    this.charts = new FlowCharts(caller, signal);
    this.state = element('span', { role: 'status' });
    this.list = element('div', {});
  }

  tell(word) {
    show(this.state, status(word), word === 'refused' && ' The bus does not know this key (any more).');
  }

  controls() {
    const pause = element('button', { type: 'button', 'aria-pressed': 'false', onclick: () => this.pause(pause) }, 'Pause');
    const kind = element('select', { onchange: () => this.narrow({ kind: kind.value }) }, element('option', { value: '' }, 'all kinds'),
                         KINDS.map((each) => element('option', { value: each }, `${each}s`)));
    const text = element('input', { type: 'search', spellcheck: 'false', maxlength: '200', oninput: () => this.narrow({ text: text.value }) });
    this.count = element('span', { class: 'small', role: 'status' });
    return element('div', { class: 'search' }, field('Kind', kind), field('Only with', text), pause, this.count);
  }

  pause(control) {
    this.isPaused = !this.isPaused;
    this.missed = 0;
    control.setAttribute('aria-pressed', String(this.isPaused));
    control.textContent = this.isPaused ? 'Go on' : 'Pause';
    this.count.textContent = '';
    this.draw();
  }

  narrow(change) {
    Object.assign(this, change);
    this.draw();
  }

  take(event, isLive) {
    if (isLive) this.charts.count(event);
    this.events.push(event);
    if (this.events.length > KEPT_MAX) this.events.shift();
    if (this.isPaused) {
      this.missed += 1;
      this.count.textContent = `${this.missed} more since`;
    } else this.drawSoon();
  }

  /* Many events are drawn in one go. */
  drawSoon() {
    if (this.isDrawing) return;
    this.isDrawing = true;
    setTimeout(() => {
      this.isDrawing = false;
      if (!this.signal.aborted && !this.isPaused) this.draw();
    }, 150);
  }

  draw() {
    const text = this.text.toLowerCase();
    const wanted = ({ type, subject, data, merchantid }) => (this.kind === '' || type.startsWith(`${this.kind}.`)) &&
      (text === '' || [type, subject, merchantid, JSON.stringify(data)].some((each) => each.toLowerCase().includes(text)));
    const before = this.isPaused && this.missed > 0 ? this.events.slice(0, -this.missed) : this.events;
    const found = before.filter(wanted).sort((a, b) => b.time.localeCompare(a.time)).slice(0, SHOWN_MAX);
    if (found.length === 0) return show(this.list, this.nothing());
    show(this.list, element('ol', { class: 'events' }, found.map((event) => this.row(event))));
  }

  nothing() {
    if (this.events.length > 0) return empty('Nothing like that has come', 'Other events have: take the filter away to see them.');
    return empty('Nothing has happened yet', ['Order something in the ', element('a', { href: '#/shop' }, 'shop'), ', and it shows here.']);
  }

  row({ type, subject, time, data, merchantid }) {
    const kind = type.split('.')[0];
    const [what, more] = sentence(type, data);
    return element('li', { 'data-kind': kind, 'data-tone': toneOf(type, data) }, moment(time),
                   element('a', { href: linkOf(kind, subject, data) }, what), element('span', { class: 'more-of' }, more ?? ''),
                   this.caller.isOfEveryMerchant && element('span', { class: 'small' }, merchantid));
  }
}

function linkOf(kind, subject, { payment_id }) {
  if (kind === 'refund') return `#/payments/${payment_id}`;
  return `#/${kind}s/${subject}`;
}
