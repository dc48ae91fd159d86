/*
 * Shop: a newcomer's way from a basket to a voucher. Where it stands follows from the order itself, so
 * a reload goes on where it was.
 */
import { newKey } from './api.js';
import { Basket, CURRENCY } from './basket.js';
import { Bus } from './bus.js';
import { button, element, field, show } from './element.js';
import { money } from './money.js';
import { after, moment } from './moment.js';
import { problemNote } from './problem.js';
import { repeat } from './repeat.js';
import { sentence } from './sentence.js';
import { empty } from './state.js';
import { status } from './status.js';
import { paymentBy, spaced, testCards } from './test_card.js';

const PLACE = 'checkout.shop';
const EVERY_MS = 1500;
const NEEDED = ['orders:write', 'orders:read', 'orders:fulfil', 'payments:write', 'payments:read', 'vouchers:read'];

export async function open({ main, caller, signal, title }) {
  const missing = NEEDED.filter((scope) => !caller.may(scope));
  if (missing.length > 0) {
    return show(main, element('h1', {}, title), empty('A shop needs a merchant\'s key',
      `This one lacks ${missing.join(', ')}. Sign out, and come back with CHECKOUT_API_KEY, which ./checkout env prints.`));
  }
  await new ShopView(main, caller, signal).begin();
}

class ShopView {
  constructor(main, caller, signal) {
    Object.assign(this, { main, caller, api: caller.api, signal, basket: new Basket(), voucherCode: null });
    this.steps = ['basket', 'pay', 'send', 'voucher'].map((name) => element('li', { class: 'step-card', id: `step-${name}` }));
    this.heard = element('ol', { class: 'heard' });
    this.words = element('p', { class: 'unseen', role: 'status' });
  }

  async begin() {
    show(this.main, element('h1', {}, 'Shop'),
         element('p', { class: 'lead' }, 'Order something, pay for it, send it. An order of more than €100.00 earns a voucher.'), this.words,
         element('div', { class: 'two' }, element('ol', { class: 'way' }, this.steps),
                 element('aside', { 'aria-label': 'What the bus says' }, element('h2', {}, 'What the bus says'), this.heard)));
    this.listen();
    await this.recall();
    this.draw();
    await repeat(EVERY_MS, this.signal, () => this.look());
  }

  async recall() {
    const kept = sessionStorage.getItem(PLACE);
    if (!kept) return;
    try {
      await this.take(await this.api.get(`/v1/orders/${kept}`, {}, this.signal));
    } catch {
      sessionStorage.removeItem(PLACE);
    }
  }

  /* ---- what the services say ---- */

  listen() {
    show(this.heard, element('li', { class: 'small' }, 'Each step is announced; it shows here.'));
    if (!this.caller.may('events:read')) return;
    this.waiting = [];
    new Bus(this.caller, { signal: this.signal, onState: () => {}, onEvent: (event) => this.hear(event), before: 100 }).open();
  }

  /* Those about this order only; it may be announced before its answer has come. */
  hear(event) {
    this.waiting.push(event);
    this.tell();
    if (this.isOurs(event)) this.look();
  }

  isOurs({ subject, data }) {
    return this.order && (subject === this.order.id || data.order_id === this.order.id);
  }

  tell() {
    const ours = this.waiting.filter((event) => this.isOurs(event)).sort((a, b) => a.time.localeCompare(b.time));
    if (ours.length === 0) return;
    show(this.heard, ours.map((event, i) => element('li', {}, element('strong', {}, sentence(event.type, event.data)[0]), ' ',
      element('span', { class: 'small' }, moment(event.time), i > 0 && ` (${after(event.time, ours[i - 1].time)})`,
              ` · ${event.source.slice(1)}`))));
  }

  /* Asks for what is not settled yet, one question at a time. */
  async look() {
    if (!this.order || this.looking || this.signal.aborted) return;
    this.looking = true;
    try {
      const before = JSON.stringify([this.order, this.payment, this.voucher]);
      await this.ask();
      if (JSON.stringify([this.order, this.payment, this.voucher]) !== before) this.draw();
    } catch {
      /* The next time may be better; what the reader does himself says what is wrong. */
    } finally {
      this.looking = false;
    }
  }

  async ask() {
    const { order } = this;
    if (['pending', 'paid'].includes(order.status)) {
      const newest = await this.api.get(`/v1/orders/${order.id}`, {}, this.signal);
      if (this.order !== order) return;
      await this.take(newest);
    }
    if (this.payment && ['processing', 'requires_action'].includes(this.payment.status)) {
      this.payment = await this.api.get(`/v1/payments/${this.payment.id}`, {}, this.signal);
    }
    if (this.order.status === 'sent' && !this.voucher) await this.findVoucher();
  }

  async findVoucher() {
    const { data: [listed] } = await this.api.get('/v1/vouchers', { order_id: this.order.id }, this.signal);
    if (listed) this.voucher = await this.api.get(`/v1/vouchers/${listed.id}`, {}, this.signal);
    if (listed) this.say('The voucher is there.');
  }

  async take(order) {
    const isNew = this.order?.id !== order.id;
    this.order = order;
    sessionStorage.setItem(PLACE, order.id);
    if (!isNew) return;
    const { data: [newest] } = await this.api.get('/v1/payments', { order_id: order.id, limit: 1 }, this.signal);
    this.payment = newest ?? null;
    this.voucher = null;
  }

  /* ---- what is shown ---- */

  get stage() {
    if (!this.order) return 0;
    return { pending: 1, paid: 2, sent: 3 }[this.order.status] ?? 4;
  }

  say(text) {
    this.words.textContent = text;
  }

  draw() {
    const parts = [this.basketPart, this.payPart, this.sendPart, this.voucherPart];
    this.steps.forEach((step, i) => {
      step.dataset.state = i < this.stage ? 'done' : i === this.stage ? 'now' : 'later';
      show(step, parts[i].call(this, i === this.stage, i < this.stage));
    });
    if (this.waiting) this.tell();
  }

  basketPart(isNow, isDone) {
    if (isDone) {
      return [element('h2', {}, 'Ordered'), element('p', {}, `${this.order.lines.map(({ quantity, name }) => `${quantity} × ${name}`).join(', ')}: `,
        element('strong', {}, money(this.order.amount_due, this.order.currency)), this.order.voucher && ' with the voucher', ' for ',
        this.order.customer.id, '.'),
        element('p', { class: 'small' }, element('a', { href: `#/orders/${this.order.id}` }, 'The order\'s story'))];
    }
    const total = element('strong', {}, '');
    const promise = element('p', { class: 'small' });
    const changed = () => {
      total.textContent = money(this.basket.total, CURRENCY);
      promise.textContent = this.basket.promise();
    };
    const customer = element('input', { name: 'customer', required: true, maxlength: '200', value: this.customer ?? 'ada', autocomplete: 'off' });
    const reference = element('input', { name: 'reference', maxlength: '200', autocomplete: 'off', placeholder: 'your own number of it' });
    const trouble = element('div', {});
    changed();
    return [element('h2', {}, 'Fill a basket'), this.basket.rows(changed), element('p', { class: 'total' }, 'Total ', total), promise,
            this.voucherCode && element('p', { class: 'note' }, `The voucher ${this.voucherCode} is deducted.`),
            element('form', { onsubmit: (event) => this.placeOrder(event, customer, reference, trouble) },
                    element('div', { class: 'search' }, field('Customer', customer), field('Reference (optional)', reference)), trouble,
                    element('button', { class: 'primary' }, 'Order'))];
  }

  async placeOrder(event, customer, reference, trouble) {
    event.preventDefault();
    const lines = this.basket.lines.map(({ sku, name, quantity, unit_amount }) => ({ sku, name, quantity, unit_amount }));
    const wish = { customer: { id: customer.value }, currency: CURRENCY, lines };
    if (reference.value !== '') wish.client_reference = reference.value;
    if (this.voucherCode) wish.voucher_code = this.voucherCode;
    await this.act(event.submitter, trouble, async () => {
      await this.take(await this.api.post('/v1/orders', wish, this.keyFor(wish)));
      this.customer = customer.value;
      this.voucherCode = null;
      this.say('The order was made. Now pay for it.');
    });
  }

  /* The same wish has the same key, however often it is sent: it is never done twice. */
  keyFor(wish) {
    const text = JSON.stringify(wish);
    if (this.keyed?.text !== text) this.keyed = { text, key: newKey() };
    return this.keyed.key;
  }

  payPart(isNow, isDone) {
    if (isDone) return [element('h2', {}, 'Paid'), this.paymentLine()];
    if (!isNow) return element('h2', {}, 'Pay with a test card');
    const trouble = element('div', {});
    const isUnderWay = this.payment && ['processing', 'requires_action'].includes(this.payment.status);
    const cards = element('fieldset', {}, element('legend', {}, 'Test card'), testCards.map(({ number, label, what }, i) =>
      element('label', { class: 'card-choice' }, element('input', { type: 'radio', name: 'card', value: number, checked: i === 0 }),
              element('span', {}, element('strong', {}, label), ' ', element('code', {}, spaced(number)), element('small', {}, what)))));
    return [element('h2', {}, 'Pay with a test card'), this.payment && this.paymentLine(),
            isUnderWay ? this.challengePart() : element('form', { onsubmit: (event) => this.pay(event, trouble) }, cards, trouble,
              element('button', { class: 'primary' }, `Pay ${money(this.order.amount_due, this.order.currency)}`))];
  }

  paymentLine() {
    const { payment } = this;
    if (!payment) return element('p', {}, 'Nothing was due.');
    const { failure } = payment;
    return element('p', {}, element('a', { href: `#/payments/${payment.id}` }, 'The payment'), ' ', status(payment.status), ' ',
                   failure ? [failure.code, failure.decline_code].filter(Boolean).join(', ').replaceAll('_', ' ') + '. Try another card.'
                     : payment.gateway && `at ${payment.gateway}`);
  }

  challengePart() {
    const url = this.payment.next_action?.url;
    if (!url || !/^https?:/.test(url)) return element('p', { role: 'status' }, 'The bank takes its time …');
    return [element('p', {}, 'The bank wants to know that it is you. This page waits for its word.'),
            element('a', { class: 'button', href: url, target: '_blank', rel: 'noopener noreferrer' }, 'To the bank\'s page')];
  }

  async pay(event, trouble) {
    event.preventDefault();
    const number = new FormData(event.target).get('card');
    const wish = paymentBy(number, this.order.id);
    await this.act(event.submitter, trouble, async () => {
      this.payment = await this.api.post('/v1/payments', wish, this.keyFor(wish));
      this.keyed = null;
      this.say(`The payment is ${this.payment.status.replaceAll('_', ' ')}.`);
    });
    this.look();
  }

  sendPart(isNow, isDone) {
    if (isDone) return [element('h2', {}, 'Sent'), element('p', {}, 'The parcel is on its way.')];
    if (!isNow) return element('h2', {}, 'Mark it sent');
    const trouble = element('div', {});
    return [element('h2', {}, 'Mark it sent'), element('p', {}, 'What a shop does when the parcel leaves.'), trouble,
            button('Mark it sent', (made) => this.act(made, trouble, async () => {
              await this.take(await this.api.patch(`/v1/orders/${this.order.id}`, { status: 'sent' }, this.keyFor({ sent: this.order.id })));
              this.say('The order is sent.');
            }), { class: 'primary' })];
  }

  voucherPart(isNow) {
    if (!isNow) return [element('h2', {}, 'A voucher arrives'), this.stage > 3 && this.againPart('The order was changed elsewhere.')];
    if (this.order.total_amount <= 10_000) return [element('h2', {}, 'No voucher'), this.againPart('The order was of €100.00 or less.')];
    if (!this.voucher) return [element('h2', {}, 'A voucher arrives'), element('p', { class: 'loading' }, 'Any moment now …')];
    const { voucher } = this;
    return [element('h2', {}, 'A voucher has arrived'),
            element('p', { class: 'voucher' }, element('strong', {}, money(voucher.value_amount, voucher.currency)),
                    element('code', {}, voucher.code),
                    element('small', {}, `${after(voucher.created_at, this.order.updated_at).slice(1)} after the order was sent`)),
            element('div', { class: 'actions' }, voucher.status === 'active' && this.caller.may('vouchers:write') &&
              button('Order again with it', () => this.restart(voucher.code), { class: 'primary' }), button('Begin anew', () => this.restart(null)))];
  }

  againPart(text) {
    return [element('p', {}, text), button('Begin anew', () => this.restart(null))];
  }

  restart(code) {
    sessionStorage.removeItem(PLACE);
    Object.assign(this, { order: null, payment: null, voucher: null, voucherCode: code, basket: new Basket() });
    show(this.heard, element('li', { class: 'small' }, 'Each step is announced; it shows here.'));
    this.draw();
    this.steps[0].querySelector('h2').scrollIntoView({ block: 'nearest' });
  }

  /* Does it, unless it is under way; says what went wrong where it was asked for. */
  async act(control, trouble, what) {
    if (this.acting) return;
    this.acting = true;
    control?.setAttribute('aria-busy', 'true');
    try {
      await what();
      this.draw();
      this.steps[Math.min(this.stage, 3)].querySelector('button, a')?.focus({ preventScroll: true });
    } catch (error) {
      show(trouble, problemNote(error));
    } finally {
      this.acting = false;
      control?.removeAttribute('aria-busy');
    }
  }
}
