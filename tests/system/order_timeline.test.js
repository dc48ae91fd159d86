/*
 * The timeline: all that happened around an order, in one list, asked from a payment-service that the
 * test plays and from the voucher-service; and what is said when one of them does not tell.
 */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';

import { positionOf } from '../support/audit.js';
import { openInspector } from '../support/database.js';
import {
  attemptOf,
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
import { refused, send } from '../support/fake_vouchers.js';
import { makeKey } from '../support/keys.js';
import { expectProblem, expectStatus, invoice, order } from '../support/shop.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';
import { earnVouchers, untilVoucher } from '../support/wallet.js';

const fake = await FakePayments.start();
const stack = await startStack({ ORDER_SERVICE_PAYMENT_URL: fake.url });
after(async () => {
  fake.stop();
  await stack.stop();
});

const shop = stack.shop();
const vouchers = stack.vouchers();
const orders = await openInspector(stack, 'orders');
const voucherLog = await openInspector(stack, 'vouchers');
after(() => Promise.all([orders.close(), voucherLog.close()]));

/* A peer has 1.5 s, and the database and the machine some time of their own. */
const PATIENT_MS = 4000;

beforeEach(() => {
  fake.mood = undefined;
  fake.asked = [];
});

async function tell(...events) {
  await fake.tell(stack, ...events);
  await waitUntilEqual(
    "the position in the payments' log",
    () => positionOf(orders, 'payment-service'),
    fake.log.length,
    { within: 20_000 },
  );
}

async function timelineOf({ id }, as = shop) {
  const answer = expectStatus(await as.get(`/v1/orders/${id}/timeline`), 200).json;
  assert.equal(answer.order_id, id);
  const times = answer.entries.map((entry) => entry.time);
  assert.deepEqual(times, [...times].sort(), 'oldest first');
  return answer;
}

const typesOf = ({ entries }) => entries.map((entry) => entry.type);
const bySource = ({ entries }, source) => entries.filter((entry) => entry.source === source);

/** Moments after now, however long it takes to name them. */
function momentsFromNow() {
  const now = Date.now();
  return (ms) => new Date(now + ms).toISOString();
}

/** A payment with a decline, a success at another bank, and a refund; told and waited for. */
async function payAndRefund(made) {
  const at = momentsFromNow();
  const first = paymentOf(made, { created_at: at(0), updated_at: at(0) });
  const paid = later(succeeded(first), { version: 2, updated_at: at(20) });
  const back = later(refunded(paid), { version: 3, updated_at: at(40) });
  const refund = refundOf(paid, { created_at: at(30), updated_at: at(30) });
  const done = later(refund, { status: 'succeeded', updated_at: at(40) });
  const attempts = [
    attemptOf(paid, { status: 'declined', created_at: at(1) }),
    attemptOf(paid, {
      gateway: 'bank-b',
      skipped: [{ gateway: 'bank-a', reason: 'circuit_open' }],
      created_at: at(10),
    }),
    attemptOf(paid, { operation: 'refund', refund_id: refund.id, created_at: at(31) }),
  ];
  fake.payments.push(back);
  fake.refunds.push(done);
  fake.attempts.push(...attempts);
  await tell(
    statusEvent(first),
    statusEvent(paid),
    eventOf('refund.created', refund),
    eventOf('refund.succeeded', done),
    updatedEvent(back),
  );
  return { payment: back, refund: done, attempts };
}

describe('what it tells', () => {
  test("payments, attempts with who was passed over, and refunds stand among the order's own events", async () => {
    const made = await shop.createOrder(order());
    const { payment, refund, attempts } = await payAndRefund(made);
    const timeline = await timelineOf(made);
    assert.deepEqual(timeline.incomplete, []);
    assert.deepEqual(
      typesOf(timeline).filter((type) => !type.startsWith('order.')),
      [
        'payment.processing',
        'payment.attempt',
        'payment.attempt',
        'payment.succeeded',
        'refund.created',
        'payment.attempt',
        'refund.succeeded',
        'payment.updated',
      ],
    );
    assert.deepEqual(
      bySource(timeline, '/order-service').map(({ type, data }) => `${type} ${data.payment_status}`),
      ['order.created unpaid', 'order.paid paid', 'order.updated refunded'],
    );
    const told = timeline.entries.filter(({ type }) => type === 'payment.attempt');
    assert.deepEqual(
      told.map(({ data }) => data),
      attempts,
    );
    for (const [i, entry] of told.entries()) {
      assert.equal(entry.source, '/payment-service');
      assert.equal(entry.time, attempts[i].created_at);
      assert.equal(entry.trace_id, attempts[i].trace_id);
      assert.equal(entry.sequence, null);
      assert.equal(entry.version, null);
    }
    assert.deepEqual(told[1].data.skipped, [{ gateway: 'bank-a', reason: 'circuit_open' }]);
    for (const event of fake.log.filter(({ subject }) => [payment.id, refund.id].includes(subject))) {
      const entry = timeline.entries.find(
        ({ source, sequence }) =>
          source === '/payment-service' && sequence === Number(event.sequence),
      );
      assert.equal(entry.type, event.type);
      assert.equal(entry.version, event.subjectversion);
      assert.equal(entry.trace_id, event.traceparent.split('-')[1]);
      assert.deepEqual(entry.data, event.data);
    }
  });

  test('what happened in one millisecond stands in the order in which it can have happened', async () => {
    const made = await shop.createOrder(order());
    const then = momentsFromNow()(0);
    const first = paymentOf(made, { created_at: then, updated_at: then });
    const paid = { ...succeeded(first), updated_at: then };
    fake.payments.push(paid);
    fake.attempts.push(attemptOf(paid, { created_at: then }));
    await tell(statusEvent(first), statusEvent(paid));
    const types = typesOf(await timelineOf(made)).filter((type) => type.startsWith('payment.'));
    assert.deepEqual(types, ['payment.processing', 'payment.attempt', 'payment.succeeded']);
  });

  test('of an order that nobody tried to pay it has the events, with times and traces', async () => {
    const { id } = await shop.sendOrder(500);
    const timeline = await timelineOf({ id });
    assert.deepEqual(timeline.incomplete, []);
    assert.deepEqual(typesOf(timeline), ['order.created', 'order.sent']);
    const events = await orders.rows(
      'SELECT sequence, traceparent FROM events WHERE subject = $1 ORDER BY sequence',
      [id],
    );
    timeline.entries.forEach((entry, i) => {
      assert.match(entry.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(entry.sequence, events[i].sequence);
      assert.equal(entry.trace_id, events[i].traceparent.split('-')[1]);
      assert.equal(entry.version, i + 1);
      assert.equal(entry.data.version, i + 1);
    });
  });

  test('the voucher that an order earned, and what of the one that it used is of this order', async () => {
    const [spent] = await earnVouchers(stack, 1);
    /* Another order had it for a while. */
    const other = await shop.createOrder(order({ voucher_code: spent.code }));
    await untilVoucher(vouchers, spent.id, 'redeemed');
    await shop.move(other.id, 'canceled');
    await untilVoucher(vouchers, spent.id, 'active');
    const made = await shop.createOrder(invoice(20000, { voucher_code: spent.code }));
    await untilVoucher(vouchers, spent.id, 'redeemed');
    await shop.move(made.id, 'sent');
    await waitFor('the voucher that it earns', async () => {
      const answer = await vouchers.get(`/v1/vouchers?order_id=${made.id}`);
      return answer.json.data.length === 1;
    });
    const told = bySource(await timelineOf(made), '/voucher-service');
    assert.deepEqual(
      told.map(({ type }) => type).sort(),
      ['voucher.issued', 'voucher.redeemed', 'voucher.reserved'],
    );
    const redeemed = told.find(({ type }) => type === 'voucher.redeemed');
    assert.equal(redeemed.data.redemption.order_id, made.id);
    assert.equal(told.find(({ type }) => type === 'voucher.issued').data.order_id, made.id);
    for (const { sequence, trace_id } of told) {
      const sql = 'SELECT traceparent FROM events WHERE stream = 0 AND sequence = $1';
      assert.equal(trace_id, (await voucherLog.value(sql, [sequence])).split('-')[1]);
    }
    const before = await timelineOf(other);
    assert.deepEqual(
      bySource(before, '/voucher-service').map(({ type }) => type),
      ['voucher.reserved', 'voucher.redeemed', 'voucher.rolled_back'],
    );
  });

  test("it asks as the caller, in the caller's trace", async () => {
    const made = await shop.createOrder(order());
    fake.payments.push(paymentOf(made));
    fake.asked = [];
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await shop.get(`/v1/orders/${made.id}/timeline`, { headers: { traceparent } });
    assert.ok(fake.asked.length >= 4);
    for (const { headers } of fake.asked) {
      assert.equal(headers.authorization, `Bearer ${stack.env.CHECKOUT_API_KEY}`);
      assert.match(headers.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-/);
    }
  });

  test('of many payments the newest 20 are told, and that there are more', async () => {
    const made = await shop.createOrder(order());
    const payments = Array.from({ length: 25 }, () => paymentOf(made));
    fake.payments.push(...payments);
    await tell(...payments.map(statusEvent));
    const timeline = await timelineOf(made);
    assert.deepEqual(timeline.incomplete, ['payment-service']);
    const told = bySource(timeline, '/payment-service').map(({ data }) => data.id);
    assert.deepEqual(new Set(told), new Set(payments.slice(5).map(({ id }) => id)));
  });

  test('what there is not, or not for this key, is not found', async () => {
    const nobody = '/v1/orders/01940000-0000-7000-8000-00000000dead/timeline';
    expectProblem(await shop.get(nobody), 404, 'not_found');
    const made = await shop.createOrder(order());
    const other = await makeKey(stack, 'other', ['orders:read', 'payments:read']);
    fake.asked = [];
    const answer = await shop.as(other).get(`/v1/orders/${made.id}/timeline`);
    expectProblem(answer, 404, 'not_found');
    assert.deepEqual(fake.asked, []);
  });

  test('an operator sees it whole', async () => {
    const made = await shop.createOrder(order());
    await payAndRefund(made);
    const seen = await timelineOf(made, shop.as(stack.env.CHECKOUT_OPERATOR_KEY));
    assert.deepEqual(seen, await timelineOf(made));
  });
});

/* What a payment-service does instead of telling. */
const moods = {
  'refuses the caller': refused(403, 'missing_scope'),
  'does not know the caller': refused(401, 'key_invalid'),
  'does not find it': refused(404, 'not_found'),
  'is broken': refused(500, 'internal_error'),
  'is busy': refused(503, 'overloaded'),
  'is silent': () => {},
  'hangs up': (request, response) => response.destroy(),
  'tells nonsense': (request, response) => send(response, 200, '<html>'),
  'tells something else': (request, response) => send(response, 200, { data: [{ id: 7 }] }),
  'tells no list': (request, response) => send(response, 200, { data: null }),
  'tells without end': (request, response) => send(response, 200, `"${'x'.repeat(5_000_000)}"`),
};

describe('who does not tell', () => {
  for (const [what, mood] of Object.entries(moods)) {
    test(`a payment-service that ${what} is named, and the rest is told in time`, async () => {
      const { id } = await shop.sendOrder(10001);
      await waitFor('its voucher', async () => {
        const answer = await vouchers.get(`/v1/vouchers?order_id=${id}`);
        return answer.json.data.length === 1;
      });
      fake.mood = mood;
      const began = performance.now();
      const timeline = await timelineOf({ id });
      assert.ok(performance.now() - began < PATIENT_MS);
      assert.deepEqual(timeline.incomplete, ['payment-service']);
      assert.deepEqual(typesOf(timeline), ['order.created', 'order.sent', 'voucher.issued']);
    });
  }

  test('one that tells its payments and then no more is named', async () => {
    const made = await shop.createOrder(order());
    fake.payments.push(paymentOf(made));
    fake.mood = (request, response) => {
      const url = new URL(request.url, fake.url);
      if (url.pathname.endsWith('/attempts')) return response.destroy();
      return send(response, 200, fake.answerTo(url.pathname, url.searchParams));
    };
    const timeline = await timelineOf(made);
    assert.deepEqual(timeline.incomplete, ['payment-service']);
    assert.deepEqual(typesOf(timeline), ['order.created']);
  });

  test('a key that may see neither payments nor vouchers sees the order alone', async () => {
    const made = await shop.createOrder(order());
    fake.mood = refused(403, 'missing_scope');
    const poor = await makeKey(stack, 'demo', ['orders:read']);
    const timeline = await timelineOf(made, shop.as(poor));
    assert.deepEqual(timeline.incomplete, ['payment-service', 'voucher-service']);
    assert.deepEqual(typesOf(timeline), ['order.created']);
  });

  test('a voucher-service that is frozen is named, and the payments are told', async () => {
    const made = await shop.createOrder(order());
    await payAndRefund(made);
    const frozen = await stack.freeze('voucher-service');
    try {
      const began = performance.now();
      const timeline = await timelineOf(made);
      assert.ok(performance.now() - began < PATIENT_MS);
      assert.deepEqual(timeline.incomplete, ['voucher-service']);
      assert.equal(bySource(timeline, '/payment-service').length, 8);
    } finally {
      frozen.thaw();
    }
  });

  test('100 timelines that wait for a silent payment-service do not hold up the others', async () => {
    const made = await shop.createOrder(order());
    fake.mood = () => {};
    const crowd = stack.shop(stack.env.ORDER_URL, stack.env.CHECKOUT_API_KEY, { connections: 100 });
    const waiting = Array.from({ length: 100 }, () => crowd.get(`/v1/orders/${made.id}/timeline`));
    await waitFor('the payment-service to be asked', () => fake.asked.length >= 30);
    const began = performance.now();
    await shop.createOrder(invoice(100));
    assert.ok(performance.now() - began < 1000 * SLOWDOWN);
    /* All of them ask the voucher-service next, at the same moment; not as many may do so. */
    for (const answer of await Promise.all(waiting)) {
      const { incomplete } = expectStatus(answer, 200).json;
      assert.deepEqual(incomplete.filter((name) => name !== 'voucher-service'), ['payment-service']);
    }
  });
});

describe('the feed of some subjects', () => {
  const feed = (at, query) => at.get(`/v1/events?${new URLSearchParams(query)}`);

  test('has all their events and no others, in order', async () => {
    const made = await Promise.all([500, 600, 700].map((cents) => shop.sendOrder(cents)));
    const [first, , third] = made;
    const answer = await feed(shop, { subjects: `${third.id},${first.id}` });
    const { data, head, next_after } = expectStatus(answer, 200).json;
    const sequences = data.map(({ sequence }) => sequence);
    assert.deepEqual(sequences, [...sequences].sort());
    assert.deepEqual(
      data.map(({ subject, type }) => `${subject} ${type}`).sort(),
      [first, third].flatMap(({ id }) => [`${id} order.created`, `${id} order.sent`]).sort(),
    );
    assert.equal(next_after, head);
    const page = expectStatus(await feed(shop, { subjects: first.id, limit: 1 }), 200).json;
    assert.deepEqual(page.data.map(({ type }) => type), ['order.created']);
    const rest = await feed(shop, { subjects: first.id, after: page.next_after });
    assert.deepEqual(rest.json.data.map(({ type }) => type), ['order.sent']);
  });

  test("shows nothing of another merchant's", async () => {
    const made = await shop.createOrder(order());
    const other = shop.as(await makeKey(stack, 'other', ['events:read']));
    assert.deepEqual(expectStatus(await feed(other, { subjects: made.id }), 200).json.data, []);
    const operator = shop.as(stack.env.CHECKOUT_OPERATOR_KEY);
    assert.equal((await feed(operator, { subjects: made.id })).json.data.length, 1);
  });

  test('names what are no ids, and too many of them', async () => {
    const id = '01940000-0000-7000-8000-00000000dead';
    const wrong = ['x', `${id},`, `,${id}`, `${id};${id}`, `${id} `, "' OR 1=1", Array(26).fill(id)];
    for (const subjects of wrong) {
      expectProblem(await feed(shop, { subjects: String(subjects) }), 422, undefined, ['?subjects']);
    }
    expectStatus(await feed(shop, { subjects: String(Array(25).fill(id)) }), 200);
  });
});
