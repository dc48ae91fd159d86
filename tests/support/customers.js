/*
 * Customers: payments of every kind, one after the other, by people who do not give up. A request
 * that gets no answer, or one that says to try again, is repeated with its key until it has one;
 * then once more, and the answer must be about the same thing.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import { newKey } from './shop.js';
import { SLOWDOWN } from './slowdown.js';
import { byCard, byTransfer, orderOf } from './till.js';
import { waitFor } from './wait.js';

/* How long a customer insists, and how long a payment may take to be final: a minute (issue 4). */
const WITHIN_MS = 60_000;
const PATIENCE_MS = WITHIN_MS * SLOWDOWN;
const LATE = { within: WITHIN_MS };

/** Answers that say to try again, with the same key. */
const AGAIN = [429, 503];
const IN_USE = ['idempotency_key_in_use', 'version_conflict', 'operation_in_progress', 'payment_in_progress'];

/** No bank was there: what a customer wanted is over, and so it may be. */
class TurnedAway extends Error {}

const isTurnedAway = ({ status, failure }) => status === 'failed' && failure.code === 'bank_unavailable';

export class Customers {
  /**
   * Each of `kinds` (names of the methods below; all unless said) is done over and over. Where
   * `banksMayFail`, a payment for which no bank was there is no failure of ours.
   */
  constructor(till, { kinds = KINDS, banksMayFail = false } = {}) {
    Object.assign(this, { till, kinds, banksMayFail, made: new Map(), failures: [], done: 0 });
    this.turnedAway = 0;
  }

  start() {
    this.going = true;
    this.running = this.kinds.map((kind) => this.repeat(kind));
  }

  /** Lets everybody finish, and throws what went wrong. */
  async stop() {
    this.going = false;
    await Promise.all(this.running ?? []);
    assert.deepEqual(this.failures, []);
  }

  async repeat(kind) {
    while (this.going) {
      try {
        await this[kind]();
        this.done++;
      } catch (error) {
        if (error instanceof TurnedAway) {
          this.turnedAway++;
          continue;
        }
        this.failures.push(`${kind}: ${error.message}`);
        return;
      }
    }
  }

  /** Sends until there is an answer of that kind (2xx), with one key; returns it. */
  async insist(send) {
    const key = newKey();
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await send({ key, patience: 5000 }).catch((error) => ({ text: error.message }));
      if (answer.status < 300) return this.repeated(send, key, answer);
      /* It failed for want of a bank, before its customer could think of anything else. */
      if (this.banksMayFail && answer.json?.from === 'failed') throw new TurnedAway(answer.text);
      const again =
        answer.status === undefined ||
        AGAIN.includes(answer.status) ||
        (answer.status === 409 && IN_USE.includes(answer.json.code));
      assert.ok(again, `${answer.what} answered ${answer.status}: ${answer.text}`);
      assert.ok(performance.now() < until, `no answer in time; the last one: ${answer.text}`);
      await pause(100);
    }
  }

  /** The same once more, if anybody answers: it is about the same thing. */
  async repeated(send, key, first) {
    const again = await send({ key, patience: 5000 }).catch(() => undefined);
    if (again?.status < 300) assert.equal(again.json.id, first.json.id, 'one key, two effects');
    return first.json;
  }

  /** Pays; `what` is an order or an amount. The payment as it was answered. */
  async pay(what, method, overrides) {
    const payment = await this.insist((options) => this.till.pay(what, method, overrides, options));
    this.made.set(payment.id, payment);
    return payment;
  }

  /** An order that is to be paid. */
  orderOf(cents) {
    return this.insist((options) => this.till.shop.post('/v1/orders', orderOf(cents), options));
  }

  act(payment, what, body = {}) {
    return this.insist((options) => this.till.act(payment, what, body, options));
  }

  /** Waits until the payment has that status. */
  async until(payment, status) {
    const now = await waitFor(
      `payment ${payment.id} to be ${status}`,
      async (seen) => {
        const read = await this.till.read(payment);
        seen(read);
        return (read.status === status || (this.banksMayFail && isTurnedAway(read))) && read;
      },
      LATE,
    );
    if (now.status !== status) throw new TurnedAway(`no bank took payment ${now.id}`);
    return now;
  }

  amount() {
    return { amount: 1000 + (this.made.size % 1000), currency: 'EUR' };
  }

  /* --- what they do --------------------------------------------------------------------------- */

  async order() {
    const order = await this.orderOf(4711);
    await this.until(await this.pay(order, byCard()), 'succeeded');
    await this.till.untilOrder(order, { payment_status: 'paid' }, LATE);
  }

  async decline() {
    const payment = await this.pay(this.amount(), byCard('4000000000009995'));
    await this.until(payment, 'failed');
  }

  async refund() {
    const payment = await this.pay(this.amount(), byCard());
    await this.until(payment, 'succeeded');
    const refund = await this.act(payment, 'refunds', { amount: 500 });
    await this.till.untilRefund(refund, 'succeeded', LATE);
  }

  async capture() {
    const payment = await this.hold();
    await this.act(payment, 'capture', { amount: 700 });
    const done = await this.until(payment, 'succeeded');
    assert.equal(done.amount_captured, 700);
  }

  async release() {
    const payment = await this.hold();
    await this.act(payment, 'cancel');
    await this.until(payment, 'canceled');
  }

  async hold() {
    const payment = await this.pay(this.amount(), byCard(), { capture_method: 'manual' });
    return this.until(payment, 'authorized');
  }

  async challenge() {
    const payment = await this.pay(this.amount(), byCard('4000002760003184'));
    const asked = await this.until(payment, 'requires_action');
    await this.till.challenge(asked, 'pass');
    await this.until(payment, 'succeeded');
  }

  async transfer() {
    const payment = await this.pay(this.amount(), byTransfer);
    await this.act(payment, 'cancel');
    await this.until(payment, 'canceled');
  }

  /** A paid order that is canceled: the money goes back by itself. */
  async regret() {
    const order = await this.orderOf(4711);
    await this.until(await this.pay(order, byCard()), 'succeeded');
    await this.till.untilOrder(order, { status: 'paid' }, LATE);
    await this.insist((options) => this.till.shop.patch(`/v1/orders/${order.id}`, { status: 'canceled' }, options));
    await this.till.untilOrder(order, { payment_status: 'refunded' }, LATE);
  }
}

export const KINDS = [
  'order',
  'decline',
  'refund',
  'capture',
  'release',
  'challenge',
  'transfer',
  'regret',
];
