/*
 * Payments: an order or an amount is paid against the bank, captured, voided, given back; what is
 * shown of it, and what is not.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';

import { expectCleanAudit } from '../support/audit.js';
import { holdLock, openInspector } from '../support/database.js';
import { makeKey } from '../support/keys.js';
import { expectProblem, expectStatus, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, byTransfer, openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
after(() => till.close());

describe('paying', () => {
  test('an order is paid by card: 201, succeeded, masked, and the order is paid', async () => {
    const order = await till.order(13700);
    const answer = expectStatus(await till.pay(order), 201);
    const payment = answer.json;
    assert.equal(answer.headers.location, `/v1/payments/${payment.id}`);
    assert.equal(answer.headers.etag, `"${payment.version}"`);
    assert.equal(payment.status, 'succeeded');
    assert.equal(payment.order_id, order.id);
    assert.deepEqual([payment.amount, payment.currency], [13700, 'EUR']);
    assert.equal(payment.amount_captured, 13700);
    assert.equal(payment.gateway, 'bank-a');
    const { fingerprint, ...face } = payment.payment_method.card;
    assert.match(fingerprint, /^[0-9a-f]{64}$/);
    assert.deepEqual(face, {
      brand: 'visa',
      number: '************4242',
      last4: '4242',
      exp_month: 12,
      exp_year: 2034,
    });
    assert.deepEqual(await till.events(payment), ['payment.processing', 'payment.succeeded']);
    const paid = await till.untilOrder(order, { status: 'paid', payment_status: 'paid' });
    assert.equal(paid.version, 2);
  });

  test('an order that was made this very moment can be paid', async () => {
    for (let i = 0; i < 20; i++) {
      expectStatus(await till.pay(await till.order(100 + i)), 201);
    }
  });

  test('an amount is paid without an order, under the client\'s own id', async () => {
    const body = { id: randomUUID(), amount: 99999, currency: 'AED' };
    const first = expectStatus(await till.pay({ ...body, id: undefined }, byCard(), { id: body.id }), 201);
    assert.equal(first.json.id, body.id);
    assert.equal(first.json.status, 'succeeded');
    assert.equal(first.json.order_id, null);
    const again = await till.pay({ ...body, id: undefined }, byCard(), { id: body.id });
    expectStatus(again, 201);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.equal(again.json.id, body.id);
    const other = await till.pay({ amount: 5, currency: 'AED' }, byCard(), { id: body.id });
    expectProblem(other, 409, 'payment_id_used');
    const refund = expectStatus(await till.act(first.json, 'refunds'), 201).json;
    assert.deepEqual([refund.status, refund.amount], ['succeeded', 99999]);
    assert.equal((await till.read(first.json)).refund_status, 'full');
  });

  test('a decline is an answer: 201, failed, with its reason', async () => {
    const order = await till.order();
    const answer = expectStatus(await till.pay(order, byCard('4000000000009995')), 201);
    assert.equal(answer.json.status, 'failed');
    assert.deepEqual(answer.json.failure, {
      code: 'card_declined',
      decline_code: 'insufficient_funds',
    });
    assert.equal(expectStatus(await till.pay(order), 201).json.status, 'succeeded');
    expectProblem(await till.pay(order), 409, 'order_already_paid');
  });

  test('an order is paid in parts, and not a cent more', async () => {
    const order = await till.order(10000);
    expectStatus(await till.pay(order, byCard(), { amount: 4000 }), 201);
    await till.untilOrder(order, { status: 'pending', payment_status: 'partially_paid' });
    expectProblem(await till.pay(order, byCard(), { amount: 6001 }), 422, 'validation_failed', [
      '/amount',
    ]);
    assert.equal(expectStatus(await till.pay(order), 201).json.amount, 6000);
    await till.untilOrder(order, { status: 'paid', payment_status: 'paid' });
  });

  test('the same key has one effect, and another body under it is refused', async () => {
    const order = await till.order();
    const key = newKey();
    const first = expectStatus(await till.pay(order, byCard(), {}, { key }), 201);
    const again = expectStatus(await till.pay(order, byCard(), {}, { key }), 201);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.equal(again.text, first.text);
    const other = await till.pay(order, byCard('5555555555554444'), {}, { key });
    expectProblem(other, 422, 'idempotency_key_reused');
  });
});

test('an order that was made and canceled while nobody listened is not payable', async () => {
  await stack.kill('payment-service');
  const orders = await Promise.all([1, 2, 3].map((cents) => till.order(cents)));
  for (const { id } of orders) await till.shop.move(id, 'canceled');
  stack.start('payment-service');
  await stack.ready('payment-service');
  /* Until the lease of who was killed is over, nobody here can tell: 503. */
  await waitFor('the orders to be known', async () => (await till.pay(orders[2])).status !== 503);
  for (const order of orders) expectProblem(await till.pay(order), 409, 'order_not_payable');
});

describe('capturing and canceling', () => {
  test('an authorized payment is captured in part, and the rest is released', async () => {
    const order = await till.order(10000);
    const held = expectStatus(
      await till.pay(order, byCard(), { capture_method: 'manual' }),
      201,
    ).json;
    assert.equal(held.status, 'authorized');
    assert.ok(Date.parse(held.expires_at) > Date.now() + 6 * 86_400_000);
    await till.untilOrder(order, { status: 'pending', payment_status: 'authorized' });
    const done = expectStatus(await till.act(held, 'capture', { amount: 6000 }), 200).json;
    assert.deepEqual([done.status, done.amount_captured], ['succeeded', 6000]);
    await till.untilOrder(order, { status: 'pending', payment_status: 'partially_paid' });
    assert.equal(expectStatus(await till.pay(order), 201).json.amount, 4000);
    expectProblem(await till.act(held, 'capture'), 409, 'illegal_transition');
  });

  test('an authorized payment is canceled, which gives the order back', async () => {
    const order = await till.order(10000);
    const held = (await till.pay(order, byCard(), { capture_method: 'manual' })).json;
    expectProblem(await till.pay(order), 409, 'payment_in_progress');
    const key = newKey();
    const done = expectStatus(await till.act(held, 'cancel', {}, { key }), 200);
    assert.equal(done.json.status, 'canceled');
    const again = expectStatus(await till.act(held, 'cancel', {}, { key }), 200);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.equal(again.text, done.text);
    expectStatus(await till.act(held, 'cancel'), 200); /* it is there already */
    const other = newKey();
    const same = expectStatus(await till.act(held, 'cancel', {}, { key: other }), 200);
    assert.equal(same.headers['idempotent-replayed'], undefined);
    const repeat = expectStatus(await till.act(held, 'cancel', {}, { key: other }), 200);
    assert.equal(repeat.headers['idempotent-replayed'], 'true', 'finding it done is an answer too');
    assert.equal(repeat.text, same.text);
    expectProblem(await till.act(held, 'cancel', '', { key: other }), 422, 'idempotency_key_reused');
    assert.deepEqual(await till.events(held), [
      'payment.processing',
      'payment.authorized',
      'payment.canceled',
    ]);
    expectStatus(await till.pay(order), 201);
  });
});

describe('giving back', () => {
  test('a payment is given back in parts, and no more than was captured', async () => {
    const order = await till.order(10000);
    const payment = expectStatus(await till.pay(order), 201).json;
    const part = expectStatus(await till.act(payment, 'refunds', { amount: 3000, reason: 'lamp broke' }), 201);
    assert.equal(part.headers.location, `/v1/refunds/${part.json.id}`);
    assert.deepEqual([part.json.status, part.json.reason], ['succeeded', 'lamp broke']);
    await till.untilOrder(order, { payment_status: 'partially_refunded' });
    expectProblem(await till.act(payment, 'refunds', { amount: 7001 }), 409, 'payment_refunded');
    const rest = expectStatus(await till.act(payment, 'refunds'), 201).json;
    assert.equal(rest.amount, 7000);
    await till.untilOrder(order, { payment_status: 'refunded' });
    const after = await till.read(payment);
    assert.deepEqual([after.status, after.refund_status, after.amount_refunded], ['succeeded', 'full', 10000]);
    assert.deepEqual(await till.events(rest), ['refund.created', 'refund.succeeded']);
    const listed = await till.payments.all('/v1/refunds', { payment_id: payment.id });
    assert.deepEqual(listed.map(({ id }) => id), [rest.id, part.json.id]);
  });
});

describe('transfers and challenges', () => {
  test('a bank transfer stays processing until the customer has paid', async () => {
    const order = await till.order(10000);
    const answer = expectStatus(await till.pay(order, byTransfer), 202);
    assert.equal(answer.json.status, 'processing');
    assert.deepEqual(answer.json.payment_method, { type: 'bank_transfer' });
    const [attempt] = await till.attempts(answer.json);
    assert.equal(attempt.status, 'pending');
    const paid = await till.bank.post(`/control/transfers/${attempt.id}/pay`, {});
    assert.ok(paid.status < 300, paid.text);
    await till.until(answer.json, 'succeeded');
    await till.untilOrder(order, { status: 'paid' });
  });

  test('a bank transfer that is given up is canceled', async () => {
    const answer = expectStatus(await till.pay({ amount: 500, currency: 'EUR' }, byTransfer), 202);
    assert.equal(expectStatus(await till.act(answer.json, 'cancel'), 200).json.status, 'canceled');
  });

  for (const [outcome, status] of [
    ['pass', 'succeeded'],
    ['fail', 'failed'],
  ]) {
    test(`a 3-D Secure challenge that the customer does ${outcome} ends ${status}`, async () => {
      const order = await till.order(10000);
      const answer = expectStatus(await till.pay(order, byCard('4000002760003184')), 201);
      assert.equal(answer.json.status, 'requires_action');
      assert.equal(answer.json.next_action.type, 'redirect');
      await till.challenge(answer.json, outcome);
      const done = await till.until(answer.json, status);
      assert.equal(done.next_action, null);
    });
  }
});

describe('what a bank did and nobody could write down', () => {
  /* The bank thinks for a while, in which the payment's row is taken away. */
  async function conclude(amount, operation, act, whenWritten) {
    await till.fault({ kind: 'latency', delay_ms: 1500, amount, operation, times: 1 });
    const answer = act();
    await waitFor('the intent', whenWritten);
    const lock = await holdLock(
      stack,
      'payments',
      `SELECT id FROM payments WHERE amount = ${amount} FOR UPDATE`,
    );
    try {
      return expectStatus(await answer, 202).json;
    } finally {
      await lock.release();
    }
  }

  test('is told as a payment under way, and becomes one that succeeded', async () => {
    const amount = 7711;
    const sql = 'SELECT count(*) FROM payments WHERE amount = $1';
    const payment = await conclude(
      amount,
      'authorize',
      () => till.pay({ amount, currency: 'EUR' }),
      async () => (await till.database.value(sql, [amount])) === 1,
    );
    assert.equal(payment.status, 'processing');
    await till.until(payment, 'succeeded');
    const [attempt] = await till.attempts(payment);
    const calls = await till.calls({ reference: attempt.id, operation: 'authorize' });
    assert.equal(calls.length, 1);
  });

  test('is told as a refund under way, and becomes one that succeeded', async () => {
    const paid = await till.paid(7722);
    const sql = 'SELECT count(*) FROM refunds WHERE payment_id = $1';
    const refund = await conclude(
      7722,
      'refund',
      () => till.act(paid, 'refunds'),
      async () => (await till.database.value(sql, [paid.id])) === 1,
    );
    assert.equal(refund.status, 'pending');
    await till.untilRefund(refund, 'succeeded');
  });

  test('is told as a capture under way, and becomes one that succeeded', async () => {
    const held = await till.authorized(7733);
    const sql = "SELECT count(*) FROM attempts WHERE payment_id = $1 AND operation = 'capture'";
    const payment = await conclude(
      7733,
      'capture',
      () => till.act(held, 'capture'),
      async () => (await till.database.value(sql, [held.id])) === 1,
    );
    assert.equal(payment.status, 'authorized');
    await till.until(payment, 'succeeded');
  });
});

describe('looking', () => {
  test('payments are listed by order, with what was asked of which bank', async () => {
    const order = await till.order(10000);
    const failed = (await till.pay(order, byCard('4000000000000002'))).json;
    const payment = (await till.pay(order)).json;
    const listed = await till.payments.all('/v1/payments', { order_id: order.id });
    assert.deepEqual(listed.map(({ id }) => id), [payment.id, failed.id]);
    const [attempt] = await till.attempts(payment);
    assert.deepEqual(
      [attempt.operation, attempt.gateway, attempt.status, attempt.amount, attempt.skipped],
      ['authorize', 'bank-a', 'approved', 10000, []],
    );
    const calls = await till.calls({ reference: attempt.id });
    assert.equal(calls.length, 1);
  });

  test('payments and refunds are listed by status, of one merchant or of all', async () => {
    const scopes = ['payments:write', 'payments:read', 'refunds:write'];
    const other = stack.payments(await makeKey(stack, 'other', scopes));
    const everyone = stack.payments(await makeKey(stack, '*', ['payments:read']));
    const pay = async (payments, method) => {
      const body = { amount: 700, currency: 'EUR', payment_method: method };
      return expectStatus(await payments.post('/v1/payments', body, { key: newKey() }), 201).json;
    };
    const mine = await pay(till.payments, byCard('4000000000000002'));
    const [paid, theirs] = [await pay(other, byCard()), await pay(other, byCard('4000000000000002'))];
    const back = await other.post(`/v1/payments/${paid.id}/refunds`, {}, { key: newKey() });
    const refund = expectStatus(back, 201).json;

    const idsOf = async (payments, path, query) => (await payments.all(path, query)).map(({ id }) => id);
    const failed = await till.payments.all('/v1/payments', { status: 'failed' });
    assert.equal(failed[0].id, mine.id);
    assert.ok(failed.every(({ status }) => status === 'failed'));
    assert.deepEqual(await idsOf(other, '/v1/payments', { status: 'failed' }), [theirs.id]);
    assert.deepEqual(await idsOf(other, '/v1/payments', { status: 'succeeded' }), [paid.id]);
    assert.deepEqual(await idsOf(other, '/v1/payments', { status: 'expired' }), []);
    const all = await idsOf(everyone, '/v1/payments', { status: 'failed' });
    assert.deepEqual(all.slice(0, 2), [theirs.id, mine.id]);
    assert.deepEqual(await idsOf(other, '/v1/refunds', { status: 'succeeded' }), [refund.id]);
    assert.equal((await idsOf(everyone, '/v1/refunds', { status: 'succeeded' }))[0], refund.id);
    assert.deepEqual(await idsOf(other, '/v1/refunds', { status: 'failed' }), []);
  });

  test('the gateways are listed in their order, with their breakers', async () => {
    const answer = expectStatus(await till.payments.get('/v1/gateways'), 200);
    assert.deepEqual(
      answer.json.data.map(({ name, breaker }) => [name, breaker.state]),
      [
        ['bank-a', 'closed'],
        ['bank-b', 'closed'],
        ['bank-c', 'closed'],
      ],
    );
  });

  test('a key is required for everything that moves money', async () => {
    const body = { amount: 1, currency: 'EUR', payment_method: byCard() };
    expectProblem(await till.payments.post('/v1/payments', body), 400, 'idempotency_key_missing');
    for (const what of ['capture', 'cancel', 'refunds']) {
      const path = `/v1/payments/${randomUUID()}/${what}`;
      expectProblem(await till.payments.post(path, {}), 400, 'idempotency_key_missing');
    }
  });
});

describe('cost', () => {
  const PAYMENTS = 1500;
  const AT_ONCE = 30;
  const READ_MAX = 150;

  /** Rows that were found by an index of payments and attempts, and looked at, up to now. */
  const sql = `SELECT sum(idx_tup_read) AS read, sum(idx_scan) FILTER (WHERE indexrelname = 'payments_pkey') AS looks
               FROM pg_stat_user_indexes WHERE relname IN ('payments', 'attempts', 'refunds')`;

  test('what a payment reads does not grow with the payments that there are', async () => {
    const database = await openInspector(stack, 'payments');
    after(() => database.close());
    const [before] = await database.rows(sql);
    for (let i = 0; i < PAYMENTS; i += AT_ONCE) {
      const few = Array.from({ length: AT_ONCE }, () => till.pay({ amount: 100 + i, currency: 'EUR' }, byCard()));
      for (const answer of await Promise.all(few)) expectStatus(answer, 201);
    }
    /* Sessions tell what they did once they are idle; by then the bank's webhooks were read as well. */
    const told = await waitFor('the sessions to tell', async () => {
      const [now] = await database.rows(sql);
      return Number(now.looks) - Number(before.looks) > 2 * PAYMENTS && now;
    }, { within: 30_000 });
    const each = (Number(told.read) - Number(before.read)) / PAYMENTS;
    assert.ok(each < READ_MAX, `${each} rows were looked at for a payment`);
  });
});

test('the audit is clean', async () => {
  await expectCleanAudit(stack);
});
