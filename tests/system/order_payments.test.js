/*
 * Orders are paid: what the events of a payment-service, which the test plays, make of orders, in
 * whatever order and however often they come.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { expectGaplessLog, positionOf } from '../support/audit.js';
import { subscribe } from '../support/bus.js';
import { holdLock, lockWaiters, openInspector, openSuperuser } from '../support/database.js';
import {
  eventOf,
  FakePayments,
  later,
  paymentOf,
  refunded,
  refundOf,
  statusEvent,
  succeeded,
  updatedEvent,
} from '../support/fake_payments.js';
import { checkEvent } from '../support/schemas.js';
import { expectProblem, expectStatus, invoice, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const fake = await FakePayments.start();
const stack = await startStack({ ORDER_SERVICE_PAYMENT_URL: fake.url });
after(async () => {
  fake.stop();
  await stack.stop();
});

const shop = stack.shop();
const operator = stack.shop(stack.env.ORDER_URL, stack.env.CHECKOUT_OPERATOR_KEY);
const orders = await openInspector(stack, 'orders');
const god = await openSuperuser(stack, 'orders');
after(() => Promise.all([orders.close(), god.close()]));

/* The log's head is asked for every 5 s, and must be reached 5 s later. */
const PULLED = { within: 20_000 };

const untilRead = () =>
  waitUntilEqual(
    "the position in the payments' log",
    () => positionOf(orders, 'payment-service'),
    fake.log.length,
    PULLED,
  );

/** Logs the events, and waits until they have taken effect. */
async function tell(...events) {
  await fake.tell(stack, ...events);
  await untilRead();
}

const eventsOf = (id) =>
  orders.rows('SELECT type, data FROM events WHERE subject = $1 ORDER BY subject_version', [id]);

const typesOf = async (id) => (await eventsOf(id)).map(({ type }) => type.replace('order.', ''));

const paymentStatusesOf = async (id) =>
  (await eventsOf(id)).map(({ data }) => `${data.status} ${data.payment_status}`);

const openLetters = () => operator.all('/v1/dead_letters', { status: 'open' });

/* What a payment goes through, and what the order is after each event: its status, its payment
 * status and, if it changed, the event that told so. */
const authorized = (payment) => later(payment, { status: 'authorized' });
const failed = (payment) =>
  later(payment, { status: 'failed', failure: { code: 'card_declined', decline_code: 'stolen' } });
const stories = {
  'is paid at once': [
    [(payment) => payment, 'pending', 'unpaid'],
    [succeeded, 'paid', 'paid', 'paid'],
  ],
  'is declined': [
    [(payment) => payment, 'pending', 'unpaid'],
    [failed, 'pending', 'unpaid'],
  ],
  'waits for the customer, who does not come': [
    [(payment) => later(payment, { status: 'requires_action' }), 'pending', 'unpaid'],
    [(payment) => later(payment, { status: 'expired' }), 'pending', 'unpaid'],
  ],
  'is authorized, captured, and given back in two parts': [
    [authorized, 'pending', 'authorized', 'updated'],
    [succeeded, 'paid', 'paid', 'paid'],
    [(payment) => refunded(payment, 1), 'paid', 'partially_refunded', 'updated'],
    [(payment) => refunded(payment), 'paid', 'refunded', 'updated'],
  ],
  'is authorized and released': [
    [authorized, 'pending', 'authorized', 'updated'],
    [(payment) => later(payment, { status: 'canceled' }), 'pending', 'unpaid', 'updated'],
  ],
  'is captured in part': [
    [authorized, 'pending', 'authorized', 'updated'],
    [(payment) => succeeded(payment, 13699), 'pending', 'partially_paid', 'updated'],
  ],
  'is refunded, and the bank sends that back': [
    [succeeded, 'paid', 'paid', 'paid'],
    [(payment) => refunded(payment), 'paid', 'refunded', 'updated'],
    [(payment) => refunded(payment, 0), 'paid', 'paid', 'updated'],
  ],
  'is disputed': [
    [succeeded, 'paid', 'paid', 'paid'],
    [(payment) => later(payment, { dispute_status: 'open' }), 'paid', 'paid'],
  ],
  'turns out to be an orphan': [
    [succeeded, 'paid', 'paid', 'paid'],
    [(payment) => later(payment, { orphaned: true }), 'paid', 'unpaid', 'updated'],
  ],
};

function typeOf(before, payment) {
  if (payment.orphaned) return 'payment.orphaned';
  const moved = before === undefined || before.status !== payment.status;
  return moved ? `payment.${payment.status}` : 'payment.updated';
}

/** Lives through a story: what was told, and what the order is afterwards. */
async function livedThrough(steps) {
  const made = await shop.createOrder(order());
  const story = { made, expected: ['created: pending unpaid'], events: [] };
  let payment = paymentOf(made);
  for (const [index, [step, status, paymentStatus, type]] of steps.entries()) {
    const before = index === 0 ? undefined : payment;
    payment = step(payment);
    story.events.push(eventOf(typeOf(before, payment), payment));
    story.last = `${status} ${paymentStatus}`;
    if (type) story.expected.push(`${type}: ${story.last}`);
  }
  return story;
}

/* All at once: one transaction may have every step of several orders. */
const lived = new Map();
for (const [what, steps] of Object.entries(stories)) lived.set(what, await livedThrough(steps));
await tell(...[...lived.values()].flatMap((story) => story.events));

describe('what becomes of an order that', () => {
  for (const [what, { made, expected, last }] of lived) {
    test(`${what} is told by its events`, async () => {
      const types = await typesOf(made.id);
      const statuses = await paymentStatusesOf(made.id);
      assert.deepEqual(
        types.map((type, i) => `${type}: ${statuses[i]}`),
        expected,
      );
      const now = await shop.order(made.id);
      assert.equal(`${now.status} ${now.payment_status}`, last);
      assert.equal(now.version, expected.length);
      assert.equal(now.expires_at === null, now.status === 'paid');
    });
  }

  test('is paid is announced on the bus, in the trace of the payment, as its schema says', async () => {
    const bus = await subscribe(stack.env.MQTT_URL, stack.login, 'checkout/v1/demo/order/+/paid');
    try {
      const made = await shop.createOrder(order());
      const event = statusEvent(succeeded(paymentOf(made)));
      await tell(event);
      const message = await bus.waitFor('order.paid', (m) => m.event?.subject === made.id);
      const announced = JSON.parse(message.text);
      checkEvent(announced);
      assert.equal(announced.traceparent.split('-')[1], event.traceparent.split('-')[1]);
      assert.deepEqual(announced.data, await shop.order(made.id));
    } finally {
      await bus.close();
    }
  });

  test('has payments of a bank each is paid when they cover it together', async () => {
    const made = await shop.createOrder(order());
    const parts = [6850, 6849, 1].map((amount) => paymentOf(made, { amount }));
    await tell(...parts.map(statusEvent), ...parts.map((part) => statusEvent(succeeded(part))));
    assert.deepEqual(await paymentStatusesOf(made.id), [
      'pending unpaid',
      'pending partially_paid',
      'paid paid',
    ]);
  });

  test('was declined first is paid by the second payment', async () => {
    const made = await shop.createOrder(order());
    const first = paymentOf(made);
    const second = paymentOf(made);
    await tell(
      statusEvent(first),
      statusEvent(failed(first)),
      statusEvent(second),
      statusEvent(succeeded(second)),
    );
    assert.deepEqual(await paymentStatusesOf(made.id), ['pending unpaid', 'paid paid']);
  });

  test('is sent by invoice and paid afterwards stays sent', async () => {
    const { id } = await shop.sendOrder(13700);
    const sent = await shop.order(id);
    await tell(statusEvent(succeeded(paymentOf(sent))));
    assert.deepEqual(await typesOf(id), ['created', 'sent', 'updated']);
    const paid = await shop.order(id);
    assert.equal(paid.payment_status, 'paid');
    assert.equal(paid.status, 'sent');
    expectStatus(await shop.patch(`/v1/orders/${id}`, { status: 'delivered' }), 200);
  });

  test('is paid can be sent, and earns its voucher', async () => {
    const made = await shop.createOrder(order());
    expectProblem(
      await shop.patch(`/v1/orders/${made.id}`, { status: 'sent' }),
      409,
      'illegal_transition',
    );
    await tell(statusEvent(succeeded(paymentOf(made))));
    await shop.move(made.id, 'sent');
    await waitFor('the voucher', async () => {
      const answer = await stack.vouchers().get(`/v1/vouchers?order_id=${made.id}`);
      return answer.json.data.length === 1;
    });
  });

  for (const status of ['canceled', 'returned']) {
    test(`is ${status} follows its refunds`, async () => {
      const made = await shop.createOrder(order());
      const payment = succeeded(paymentOf(made));
      await tell(statusEvent(payment));
      if (status === 'returned') await shop.move(made.id, 'sent');
      await shop.move(made.id, status);
      const refund = refundOf(payment);
      const back = refunded(payment);
      await tell(
        eventOf('refund.created', refund),
        eventOf('refund.succeeded', later(refund, { status: 'succeeded' })),
        updatedEvent(back),
      );
      const now = await shop.order(made.id);
      assert.equal(now.status, status);
      assert.equal(now.payment_status, 'refunded');
      assert.equal((await typesOf(made.id)).at(-1), 'updated');
    });
  }

  test('has expired is paid too late stays expired, and unpaid once the payment is an orphan', async () => {
    const made = await shop.createOrder(order());
    await god.rows("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1", [made.id]);
    await waitFor('it to expire', async () => (await shop.order(made.id)).status === 'expired');
    const payment = succeeded(paymentOf(made));
    await tell(statusEvent(payment));
    assert.equal((await shop.order(made.id)).payment_status, 'paid');
    await tell(eventOf('payment.orphaned', later(payment, { orphaned: true })));
    const now = await shop.order(made.id);
    assert.equal(`${now.status} ${now.payment_status}`, 'expired unpaid');
  });

  test('has a payment under way expires in its time all the same', async () => {
    const made = await shop.createOrder(order());
    await tell(statusEvent(paymentOf(made, { status: 'authorized' })));
    assert.notEqual((await shop.order(made.id)).expires_at, null);
    await god.rows("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1", [made.id]);
    await waitFor('it to expire', async () => (await shop.order(made.id)).status === 'expired');
  });

  test('is nobody\'s: payments without an order are read past', async () => {
    const before = await openLetters();
    const free = paymentOf({ id: null, merchant_id: 'demo', amount_due: 99999, currency: 'AED' });
    await tell(statusEvent(free), statusEvent(succeeded(free)));
    assert.deepEqual(await openLetters(), before);
    const kept = 'SELECT count(*) FROM order_payments WHERE payment_id = $1';
    assert.equal(await orders.value(kept, [free.id]), 0);
  });
});

describe('however it comes', () => {
  const everything = async () => ({
    orders: await orders.rows('SELECT * FROM orders ORDER BY id'),
    payments: await orders.rows('SELECT * FROM order_payments ORDER BY payment_id'),
    events: await orders.rows('SELECT * FROM events ORDER BY sequence'),
    letters: await openLetters(),
  });

  test('200 orders are paid, half of it given back, in one go', async () => {
    const made = await Promise.all(Array.from({ length: 200 }, () => shop.createOrder(order())));
    const payments = made.map((each) => paymentOf(each));
    const paid = payments.map((payment) => succeeded(payment));
    const given = paid.map((payment) => refunded(payment, 6850));
    await tell(...payments.map(statusEvent), ...paid.map(statusEvent), ...given.map(updatedEvent));
    for (const { id } of made) {
      const now = await shop.order(id);
      assert.equal(`${now.status} ${now.payment_status}`, 'paid partially_refunded');
      assert.equal(now.version, 3);
    }
  });

  test('the whole log again from its beginning changes nothing', async () => {
    await untilRead();
    const before = await everything();
    assert.ok(before.payments.length > 200);
    await stack.kill('order-service');
    await god.rows("UPDATE consumer_position SET sequence = 0 WHERE source = 'payment-service'");
    stack.start('order-service');
    await stack.ready('order-service');
    await untilRead();
    assert.deepEqual(await everything(), before);
    await expectGaplessLog(stack, 'orders');
  });

  test('versions that come in reverse end at the newest', async () => {
    const made = await shop.createOrder(order());
    const first = paymentOf(made);
    const second = succeeded(first);
    const third = refunded(second, 700);
    await tell(updatedEvent(third), statusEvent(second), statusEvent(first));
    const now = await shop.order(made.id);
    assert.equal(now.payment_status, 'partially_refunded');
    assert.deepEqual(await typesOf(made.id), ['created', 'paid']);
    const kept = 'SELECT version, amount_refunded FROM order_payments WHERE payment_id = $1';
    assert.deepEqual(await orders.rows(kept, [first.id]), [{ version: 3, amount_refunded: 700 }]);
  });

  test('repeats within one log change nothing', async () => {
    const made = await shop.createOrder(order());
    const first = paymentOf(made);
    const second = succeeded(first);
    const again = () => [statusEvent(second), statusEvent(first), statusEvent(second)];
    await tell(statusEvent(first), ...again(), ...again(), ...again());
    assert.deepEqual(await typesOf(made.id), ['created', 'paid']);
  });

  test('a change over HTTP at the same time loses nothing, and neither does the payment', async () => {
    const made = await Promise.all(Array.from({ length: 40 }, () => shop.createOrder(order())));
    const edits = Promise.all(
      made.flatMap(({ id }) =>
        Array.from({ length: 5 }, (_, i) =>
          waitFor('an edit to get through', async () => {
            const answer = await shop.patch(`/v1/orders/${id}`, { metadata: { [`pair-${i}`]: 'x' } });
            return answer.status === 200;
          }, PULLED),
        ),
      ),
    );
    const payments = made.map((each) => paymentOf(each));
    await tell(...payments.map(statusEvent), ...payments.map((each) => statusEvent(succeeded(each))));
    await edits;
    for (const { id } of made) {
      const now = await shop.order(id);
      assert.equal(`${now.status} ${now.payment_status}`, 'paid paid');
      assert.equal(Object.keys(now.metadata).length, 5);
      assert.equal(now.version, 7, 'created, five edits, paid');
    }
    await expectGaplessLog(stack, 'orders');
  });

  test('a cancellation that is being written comes first, and the payment follows it', async () => {
    const made = await shop.createOrder(order());
    const waiting = Number(await lockWaiters(god, 'orders'));
    const lock = await holdLock(stack, 'orders', 'SELECT stream FROM streams FOR UPDATE');
    const canceling = shop.patch(`/v1/orders/${made.id}`, { status: 'canceled' });
    try {
      await waitFor('the cancellation to wait', async (seen) => {
        const now = Number(await lockWaiters(god, 'orders'));
        seen(now);
        return now > waiting;
      });
      await fake.tell(stack, statusEvent(succeeded(paymentOf(made))));
    } finally {
      await lock.release();
    }
    expectStatus(await canceling, 200);
    await untilRead();
    assert.deepEqual(await paymentStatusesOf(made.id), [
      'pending unpaid',
      'canceled unpaid',
      'canceled paid',
    ]);
  });
});

describe('what is refused', () => {
  const kinds = {
    'of an order that there is not': [
      (made) => paymentOf({ ...made, id: randomUUID() }),
      'payment_of_unknown_order',
    ],
    "of another merchant's order": [
      (made) => paymentOf({ ...made, merchant_id: 'other' }),
      'payment_of_other_merchant',
    ],
    'in another currency': [
      (made) => paymentOf(made, { currency: 'USD' }),
      'payment_currency_mismatch',
    ],
    'without a status': [(made) => paymentOf(made, { status: undefined }), 'validation_failed'],
    'of an unknown status': [
      (made) => paymentOf(made, { status: 'dreaming' }),
      'validation_failed',
    ],
    'of a negative amount': [
      (made) => paymentOf(made, { amount_captured: -1 }),
      'validation_failed',
    ],
    'of more than any order': [
      (made) => paymentOf(made, { amount_captured: 1_000_000_000_000_001 }),
      'validation_failed',
    ],
    'of half a cent': [(made) => paymentOf(made, { amount_captured: 0.5 }), 'validation_failed'],
    'with an order that is no id': [
      (made) => paymentOf(made, { order_id: 'cart-17' }),
      'validation_failed',
    ],
  };
  const envelopes = {
    'whose data is another payment': [{ subject: randomUUID() }, 'payment_contradicts_event'],
    'whose data is another version': [{ subjectversion: 7 }, 'payment_contradicts_event'],
    'of a type that there is not': [{ type: 'payment.dreamt' }, 'unknown_type'],
    'of another source': [{ source: '/voucher-service' }, 'unreadable'],
  };

  /* Each has an event behind it that is good; all of them are told at once. */
  const bad = new Map();
  before(async () => {
    for (const [what, [make, reason]] of Object.entries(kinds)) {
      const made = await shop.createOrder(order());
      const event = eventOf('payment.processing', make(made));
      bad.set(`a payment ${what}`, { made, event, reason });
    }
    for (const [what, [changes, reason]] of Object.entries(envelopes)) {
      const made = await shop.createOrder(order());
      const event = eventOf('payment.succeeded', succeeded(paymentOf(made)), changes);
      bad.set(`an event ${what}`, { made, event, reason });
    }
    for (const each of bad.values()) each.next = await shop.createOrder(order());
    await tell(
      ...[...bad.values()].flatMap(({ event, next }) => [
        event,
        statusEvent(succeeded(paymentOf(next))),
      ]),
    );
  });

  for (const what of [
    ...Object.keys(kinds).map((kind) => `a payment ${kind}`),
    ...Object.keys(envelopes).map((kind) => `an event ${kind}`),
  ]) {
    test(`${what} is put aside, and the event behind it takes effect`, async () => {
      const { made, event, reason, next } = bad.get(what);
      const letters = await openLetters();
      const [letter, ...others] = letters.filter(
        ({ sequence }) => Number(sequence) === Number(event.sequence),
      );
      assert.deepEqual(others, []);
      assert.equal(letter?.source, 'payment-service');
      assert.equal(letter.reason, reason);
      assert.ok(letter.detail.length > 0, 'it says why');
      assert.deepEqual(await shop.order(made.id), made, 'it changed nothing');
      const kept = 'SELECT count(*) FROM order_payments WHERE payment_id = $1';
      assert.equal(await orders.value(kept, [event.data.id]), 0);
      assert.equal((await shop.order(next.id)).status, 'paid');
      expectStatus(await operator.post(`/v1/dead_letters/${letter.id}/discard`), 200);
    });
  }

  test('a payment that came before its order takes effect when it is replayed', async () => {
    const made = await shop.createOrder(invoice(500));
    const payment = succeeded(paymentOf(made));
    await god.rows("UPDATE orders SET merchant_id = 'other' WHERE id = $1", [made.id]);
    await tell(statusEvent(payment));
    await god.rows("UPDATE orders SET merchant_id = 'demo' WHERE id = $1", [made.id]);
    const letter = (await openLetters()).find((each) => each.reason === 'payment_of_other_merchant');
    expectStatus(await operator.post(`/v1/dead_letters/${letter.id}/replay`), 200);
    const now = await shop.order(made.id);
    assert.equal(`${now.status} ${now.payment_status}`, 'paid paid');
  });
});

test('while payment-service is away orders are taken, and what was paid meanwhile follows', async () => {
  const made = await shop.createOrder(order());
  fake.away = true;
  await fake.tell(stack, statusEvent(paymentOf(made)), statusEvent(succeeded(paymentOf(made))));
  await waitFor('it to be asked in vain', () => fake.missed > 1, PULLED);
  await shop.sendOrder(10001);
  expectStatus(await shop.get('/readyz'), 200);
  fake.away = false;
  await untilRead();
  assert.equal((await shop.order(made.id)).status, 'paid');
});
