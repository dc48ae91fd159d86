/*
 * Money that nobody wants goes back by itself: what was paid for an order that ends, what a bank says
 * too late, what a customer pays after all.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { expectCleanAudit } from '../support/audit.js';
import { expectBankAgrees, untilSettled } from '../support/book.js';
import { notice, Postman, record } from '../support/postman.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, byTransfer, changeGateways, openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
after(() => till.close());
const postman = new Postman(stack);

const BANK_MS = 1500;
before(() =>
  changeGateways(stack, (gateway) => {
    gateway.breaker = { calls_min: 1000 };
    gateway.timeouts = { authorize_ms: BANK_MS };
  }),
);
afterEach(() => till.noFaults());

const manual = { capture_method: 'manual' };
const patient = { within: 20_000, every: 50 };

const pay = async (...args) => expectStatus(await till.pay(...args), 201).json;

/** Waits until all that was taken for a payment was given back, and nothing is under way. */
const untilGivenBack = (payment) =>
  waitFor(
    `payment ${payment.id} to be given back`,
    async (seen) => {
      const now = await till.read(payment);
      seen(now);
      return now.amount_captured > 0 && now.refund_status === 'full' && now;
    },
    patient,
  );

const refundsOf = ({ id }) => till.payments.all('/v1/refunds', { payment_id: id });

async function timelineOf({ id }) {
  const answer = await till.shop.get(`/v1/orders/${id}/timeline`);
  const { entries, incomplete } = expectStatus(answer, 200).json;
  assert.deepEqual(incomplete, []);
  return entries.map(({ type, data }) =>
    type === 'payment.attempt' ? `${data.operation} at ${data.gateway}: ${data.status}` : type,
  );
}

/** The call reached the bank, which has not answered yet. */
const underway = (payment) =>
  waitFor(`the intent of ${payment}`, async () => {
    const rows = await till.database.rows(
      `SELECT p.id FROM payments p JOIN attempts a ON a.stream = p.stream AND a.payment_id = p.id
       WHERE p.order_id = $1 AND a.status = 'sent'`,
      [payment],
    );
    return rows[0];
  });

describe('an order ends', () => {
  test('canceled after it was paid: all is given back, and the timeline tells it', async () => {
    const order = await till.order(4000);
    const payment = await pay(order);
    await till.untilOrder(order, { status: 'paid' });
    await till.shop.move(order.id, 'canceled');
    const done = await untilGivenBack(payment);
    assert.deepEqual([done.status, done.orphaned], ['succeeded', false]);
    const [refund, ...more] = await refundsOf(payment);
    assert.equal(more.length, 0);
    assert.deepEqual(
      [refund.status, refund.amount, refund.reason],
      ['succeeded', 4000, 'order_ended'],
    );
    await till.untilOrder(order, { status: 'canceled', payment_status: 'refunded' }, patient);
    const timeline = await timelineOf(order);
    const story = [
      'order.created',
      'payment.processing',
      'authorize at bank-a: approved',
      'payment.succeeded',
      'order.paid',
      'order.canceled',
      'refund.created',
      'refund at bank-a: approved',
      'refund.succeeded',
    ];
    assert.deepEqual(timeline.filter((what) => story.includes(what)), story);
  });

  test('returned after it was sent: all is given back', async () => {
    const order = await till.order(4100);
    const payment = await pay(order);
    await till.untilOrder(order, { status: 'paid' });
    for (const status of ['sent', 'delivered', 'returned']) await till.shop.move(order.id, status);
    await untilGivenBack(payment);
    await till.untilOrder(order, { status: 'returned', payment_status: 'refunded' }, patient);
  });

  test('paid in parts, one of them given back in part: what is left of each is given back', async () => {
    const order = await till.order(10000);
    const one = await pay(order, byCard(), { amount: 4000 });
    const two = await pay(order, byCard('5555555555554444'), { amount: 3000 });
    expectStatus(await till.act(one, 'refunds', { amount: 1500 }), 201);
    await till.shop.move(order.id, 'canceled');
    await Promise.all([untilGivenBack(one), untilGivenBack(two)]);
    const amounts = async (payment) => (await refundsOf(payment)).map(({ amount }) => amount);
    assert.deepEqual(await amounts(one), [2500, 1500]);
    assert.deepEqual(await amounts(two), [3000]);
  });

  test('what was only authorized is voided', async () => {
    const order = await till.order(4200);
    const payment = await pay(order, byCard(), manual);
    await till.untilOrder(order, { payment_status: 'authorized' });
    await till.shop.move(order.id, 'canceled');
    const done = await till.until(payment, 'canceled', patient);
    assert.equal(done.amount_captured, 0);
    expectProblem(await till.act(payment, 'capture'), 409, 'illegal_transition');
    const attempts = await till.attempts(payment);
    assert.deepEqual(
      attempts.map(({ operation, status }) => [operation, status]),
      [
        ['authorize', 'approved'],
        ['void', 'approved'],
      ],
    );
    await till.untilOrder(order, { status: 'canceled', payment_status: 'unpaid' }, patient);
    const timeline = await timelineOf(order);
    assert.ok(timeline.indexOf('void at bank-a: approved') > timeline.indexOf('order.canceled'));
  });

  test('what waits for its customer is given up: a challenge, and a transfer', async () => {
    const one = await till.order(4300);
    const challenged = await pay(one, byCard('4000002760003184'));
    const two = await till.order(4400);
    const { json: awaited } = expectStatus(await till.pay(two, byTransfer), 202);
    await till.shop.move(one.id, 'canceled');
    await till.shop.move(two.id, 'canceled');
    await till.until(challenged, 'canceled', patient);
    await till.until(awaited, 'canceled', patient);
    /* Whoever passes the challenge now pays nothing. */
    await till.challenge(challenged, 'pass').catch(() => {});
    assert.equal((await till.read(challenged)).amount_captured, 0);
  });

  test('a payment for it is refused from then on', async () => {
    const order = await till.order(4500);
    await till.shop.move(order.id, 'canceled');
    await waitFor('the payment to be refused', async () => {
      const answer = await till.pay(order, byCard('4000000000000002'));
      return answer.status === 409 && expectProblem(answer, 409, 'order_not_payable');
    });
  });
});

describe("an order ends while the bank's answer is under way", () => {
  test('the answer is in time: what it took is given back', async () => {
    const order = await till.order(5000);
    await till.fault({ kind: 'latency', operation: 'authorize', amount: 5000, delay_ms: 1000 });
    const paying = till.pay(order);
    await underway(order.id);
    await till.shop.move(order.id, 'canceled');
    const { json: payment } = expectStatus(await paying, 201);
    assert.equal(payment.status, 'succeeded');
    await untilGivenBack(payment);
    assert.equal((await refundsOf(payment)).length, 1);
    await till.untilOrder(order, { status: 'canceled' });
  });

  test('nobody hears the answer, and the bank is asked later: an orphan, given back', async () => {
    const order = await till.order(5100);
    await till.fault({ kind: 'answer_late', operation: 'authorize', amount: 5100, delay_ms: 3000 });
    await till.fault({ kind: 'webhook_drop', amount: 5100 });
    const { json: payment } = expectStatus(await till.pay(order), 202);
    await till.shop.move(order.id, 'canceled');
    const done = await untilGivenBack(payment);
    assert.deepEqual([done.status, done.orphaned], ['succeeded', true]);
    assert.deepEqual(await till.events(payment), [
      'payment.processing',
      'payment.orphaned',
      'payment.updated',
    ]);
    const [refund] = await refundsOf(payment);
    assert.deepEqual([refund.status, refund.reason], ['succeeded', 'payment_orphaned']);
    const timeline = await timelineOf(order);
    assert.ok(timeline.includes('payment.orphaned'));
    assert.ok(timeline.indexOf('refund.succeeded') > timeline.indexOf('payment.orphaned'));
  });

  test('the same of an authorization: an orphan, released', async () => {
    const order = await till.order(5200);
    await till.fault({ kind: 'answer_late', operation: 'authorize', amount: 5200, delay_ms: 3000 });
    await till.fault({ kind: 'webhook_drop', amount: 5200 });
    const { json: payment } = expectStatus(await till.pay(order, byCard(), manual), 202);
    await till.shop.move(order.id, 'canceled');
    const done = await till.until(payment, 'canceled', patient);
    assert.deepEqual([done.amount_captured, done.orphaned], [0, true]);
  });

  test('the bank does it when it is too late: nothing is taken', async () => {
    const order = await till.order(5300);
    await till.fault({ kind: 'do_late', operation: 'authorize', amount: 5300, delay_ms: 9000 });
    const { json: payment } = expectStatus(await till.pay(order), 202);
    await till.shop.move(order.id, 'canceled');
    const done = await till.until(payment, undefined, patient);
    assert.equal(done.amount_captured, 0);
    assert.ok(['failed', 'canceled'].includes(done.status), done.status);
    const [attempt, ...more] = await till.attempts(payment);
    assert.equal(more.length, 0, 'no other bank is asked for an order that wants no money');
    const call = await waitFor(
      'the late call to be over',
      async (seen) => {
        const calls = await till.calls({ reference: attempt.id, operation: 'authorize' });
        seen(calls);
        return calls.find(({ answered }) => answered);
      },
      patient,
    );
    assert.equal(call.effect, false);
  });
});

describe('money that comes later', () => {
  test('for a transfer that was given up: an orphan, given back; the order is paid once', async () => {
    const order = await till.order(6000);
    const { json: payment } = expectStatus(await till.pay(order, byTransfer), 202);
    assert.equal(expectStatus(await till.act(payment, 'cancel'), 200).json.status, 'canceled');
    const other = await pay(order);
    await till.untilOrder(order, { status: 'paid', payment_status: 'paid' });
    const [{ id: reference }] = await till.attempts(payment);
    expectStatus(await till.bank.post(`/control/transfers/${reference}/pay`, {}), 200);
    const done = await untilGivenBack(payment);
    assert.deepEqual([done.status, done.orphaned], ['canceled', true]);
    assert.deepEqual(await till.events(payment), [
      'payment.processing',
      'payment.canceled',
      'payment.orphaned',
      'payment.updated',
    ]);
    await untilSettled(till);
    await till.untilOrder(order, { status: 'paid', payment_status: 'paid' });
    assert.equal((await till.read(other)).refund_status, 'none');
  });

  test('for the transfer of an order that was canceled: the same', async () => {
    const order = await till.order(6100);
    const { json: payment } = expectStatus(await till.pay(order, byTransfer), 202);
    await till.shop.move(order.id, 'canceled');
    await till.until(payment, 'canceled', patient);
    const [{ id: reference }] = await till.attempts(payment);
    expectStatus(await till.bank.post(`/control/transfers/${reference}/pay`, {}), 200);
    const done = await untilGivenBack(payment);
    assert.deepEqual([done.status, done.orphaned], ['canceled', true]);
    const timeline = await timelineOf(order);
    assert.ok(timeline.indexOf('refund.succeeded') > timeline.indexOf('payment.orphaned'));
  });
});

test('our books and the bank\'s agree, and the audit is clean', async () => {
  await untilSettled(till);
  await expectBankAgrees(stack, till);
  await expectCleanAudit(stack);
});

/* Last, because the bank knows nothing of the refund that is said to be declined. */
test('an order that ends while money goes back that then stays: all is given back in the end', async () => {
  const order = await till.order(4300);
  const payment = await pay(order);
  await till.untilOrder(order, { status: 'paid' });
  await till.fault({ kind: 'timeout', operation: 'refund', amount: 4300, times: 1 });
  const refund = expectStatus(await till.act(payment, 'refunds'), 202).json;
  await till.shop.move(order.id, 'canceled');
  await waitFor('the order to be closed', async () => {
    const sql = 'SELECT closed FROM payable_orders WHERE id = $1';
    return till.database.value(sql, [order.id]);
  });
  const [authorization, asked] = await till.attempts(payment);
  const declined = record(asked.id, {
    operation: 'refund',
    authorization: authorization.id,
    status: 'declined',
    amount: 4300,
    captured: false,
    failure: { code: 'declined', decline_code: null },
  });
  expectStatus(await postman.post(JSON.stringify(notice(declined, { type: 'refund.declined' }))), 204);
  await till.untilRefund(refund, 'failed', patient);
  await untilGivenBack(payment);
  const stories = (await refundsOf(payment)).map(({ status, reason }) => [status, reason]);
  assert.deepEqual(stories, [
    ['succeeded', 'order_ended'],
    ['failed', 'requested_by_customer'],
  ]);
});
