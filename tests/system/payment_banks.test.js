/*
 * Banks that are away, and the ways around them: the chain goes on to the next while the one before
 * certainly did nothing, a breaker opens so that nobody waits, and a probe leads back. One that is
 * frozen with our requests in its socket charges nobody twice.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';

import { expectCleanAudit } from '../support/audit.js';
import { expectBankAgrees, untilSettled } from '../support/book.js';
import { openDoor } from '../support/door.js';
import { Postman, notice, record } from '../support/postman.js';
import { expectProblem, expectStatus, newKey } from '../support/shop.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { byCard, byTransfer, changeGateways, openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';


/* What the banks of this stack may take, and when one is not asked any more. */
const AUTHORIZE_MS = 2000;
const BREAKER = { window_ms: 30_000, calls_min: 5, error_percent: 50, open_ms: 4000, probes: 1 };

/* A payment waits for its banks for 3 s; the rest is the machine's. */
const ANSWER_MS = 3000 + 2000 * SLOWDOWN;

/* Nobody waits for a bank that is not asked. */
const AT_ONCE_MS = 1000 * SLOWDOWN;

const stack = await startStack();
const door = await openDoor(stack.env.BANK_URL);
after(async () => {
  await door.shut();
  await stack.stop();
});

const till = await openTill(stack);
after(() => till.close());

/** With breakers that know nothing of what the test before did to a bank. */
const afresh = () =>
  changeGateways(stack, (gateway) => {
    gateway.breaker = BREAKER;
    gateway.timeouts = { authorize_ms: AUTHORIZE_MS };
    if (gateway.name === 'bank-a') gateway.origins = door.url;
  });

/** With other banks than there are, and those again afterwards. */
async function withGateways(change, work) {
  const file = path.join(stack.home, 'gateways.json');
  const configured = readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify(change(JSON.parse(configured))));
  try {
    await changeGateways(stack);
    await work();
  } finally {
    writeFileSync(file, configured);
    await afresh();
  }
}

afterEach(() => till.noFaults());

async function timed(work) {
  const from = performance.now();
  const answer = await work();
  return [answer, performance.now() - from];
}

/** What became of a payment at which bank, and who was passed over. */
const wayOf = async (payment) =>
  (await till.attempts(payment)).map(({ gateway, status, skipped }) => ({
    gateway,
    status,
    skipped: skipped.map((one) => `${one.gateway}: ${one.reason}`),
  }));

async function breakers() {
  const { data } = expectStatus(await till.payments.get('/v1/gateways'), 200).json;
  return Object.fromEntries(data.map(({ name, breaker }) => [name, breaker]));
}

const untilBreaker = (name, state) =>
  waitFor(`the breaker of ${name} to be ${state}`, async (seen) => {
    const found = (await breakers())[name];
    seen(found);
    return found.state === state && found;
  });

async function breakerMetric(name) {
  const { text } = await till.payments.get('/metrics');
  const [, value] = new RegExp(`^checkout_breaker_state\\{gateway="${name}"\\} (\\d)$`, 'm').exec(text);
  return Number(value);
}

/** Pays orders until bank-a is asked no more; returns the payments before. */
async function payUntilOpen() {
  const payments = [];
  while ((await breakers())['bank-a'].state === 'closed') {
    assert.ok(payments.length < 20, 'the breaker does not open');
    const answer = await till.pay(await till.order(1000));
    assert.ok([201, 202].includes(answer.status), answer.text);
    payments.push(answer.json);
  }
  return payments;
}

/** While the breaker is open: to bank-b at once, and everybody is told why. */
async function expectAround() {
  const { retry_in_ms: left } = await untilBreaker('bank-a', 'open');
  assert.ok(left > 0 && left <= BREAKER.open_ms, `${left} ms`);
  assert.equal(await breakerMetric('bank-a'), 1);
  assert.equal((await breakers())['bank-b'].state, 'closed');
  const order = await till.order(1000);
  const [answer, took] = await timed(() => till.pay(order));
  assert.equal(expectStatus(answer, 201).json.gateway, 'bank-b');
  assert.ok(took < AT_ONCE_MS, `took ${took} ms`);
  assert.deepEqual(await wayOf(answer.json), [
    { gateway: 'bank-b', status: 'approved', skipped: ['bank-a: circuit_open'] },
  ]);
  const timeline = await till.shop.get(`/v1/orders/${order.id}/timeline`);
  const { incomplete, entries } = expectStatus(timeline, 200).json;
  assert.deepEqual(incomplete, []);
  const [attempt, ...more] = entries.filter(({ type }) => type === 'payment.attempt');
  assert.equal(more.length, 0);
  assert.equal(attempt.data.gateway, 'bank-b');
  assert.deepEqual(attempt.data.skipped, [{ gateway: 'bank-a', reason: 'circuit_open' }]);
}

/** The bank is there again: one probe finds out, and then it is the first again. */
async function expectBack() {
  await untilBreaker('bank-a', 'half_open');
  assert.equal(await breakerMetric('bank-a'), 2);
  for (let i = 0; i < 3; i++) {
    const { json } = expectStatus(await till.pay(await till.order(1000)), 201);
    assert.deepEqual(await wayOf(json), [{ gateway: 'bank-a', status: 'approved', skipped: [] }]);
    assert.equal((await breakers())['bank-a'].state, 'closed');
  }
  assert.equal(await breakerMetric('bank-a'), 0);
}

describe('a currency that only bank-c takes goes over SOAP', () => {
  const isk = (amount) => ({ amount, currency: 'ISK' });
  const passedOver = ['bank-a: currency', 'bank-b: currency'];

  test('an order is paid, and given back in parts', async () => {
    const order = await till.order(13700, { currency: 'ISK' });
    const { json: payment } = expectStatus(await till.pay(order), 201);
    assert.deepEqual([payment.status, payment.gateway], ['succeeded', 'bank-c']);
    assert.deepEqual(await wayOf(payment), [
      { gateway: 'bank-c', status: 'approved', skipped: passedOver },
    ]);
    await till.untilOrder(order, { status: 'paid', payment_status: 'paid' });
    const part = expectStatus(await till.act(payment, 'refunds', { amount: 700 }), 201).json;
    assert.equal(part.status, 'succeeded');
    const rest = expectStatus(await till.act(payment, 'refunds'), 201).json;
    assert.deepEqual([rest.status, rest.amount], ['succeeded', 13000]);
    await till.untilOrder(order, { payment_status: 'refunded' });
    const banks = new Set((await till.calls({ bank: 'bank-c' })).map(({ operation }) => operation));
    assert.ok(banks.has('authorize') && banks.has('refund'));
  });

  test('a decline says why', async () => {
    const { json } = expectStatus(await till.pay(isk(900), byCard('4000000000009995')), 201);
    assert.equal(json.status, 'failed');
    assert.deepEqual(json.failure, { code: 'card_declined', decline_code: 'insufficient_funds' });
  });

  test('an authorization is captured in part, and another one voided', async () => {
    const manual = { capture_method: 'manual' };
    const { json: one } = expectStatus(await till.pay(isk(900), byCard(), manual), 201);
    assert.equal(one.status, 'authorized');
    const { json: captured } = expectStatus(await till.act(one, 'capture', { amount: 400 }), 200);
    assert.deepEqual([captured.status, captured.amount_captured], ['succeeded', 400]);
    const { json: two } = expectStatus(await till.pay(isk(800), byCard(), manual), 201);
    assert.equal(expectStatus(await till.act(two, 'cancel'), 200).json.status, 'canceled');
  });

  for (const [outcome, status] of [
    ['pass', 'succeeded'],
    ['fail', 'failed'],
  ]) {
    test(`a challenge that the customer does ${outcome} ends ${status}`, async () => {
      const { json } = expectStatus(await till.pay(isk(900), byCard('4000002760003184')), 201);
      assert.equal(json.status, 'requires_action');
      await till.challenge(json, outcome);
      await till.until(json, status);
    });
  }

  test('a transfer is paid, and another one given up', async () => {
    const { json: one } = expectStatus(await till.pay(isk(900), byTransfer), 202);
    const [attempt] = await till.attempts(one);
    expectStatus(await till.bank.post(`/control/transfers/${attempt.id}/pay`, {}), 200);
    await till.until(one, 'succeeded');
    const { json: two } = expectStatus(await till.pay(isk(900), byTransfer), 202);
    assert.equal(expectStatus(await till.act(two, 'cancel'), 200).json.status, 'canceled');
  });

  test('a refund comes back, and one takes its time', async () => {
    const { json: one } = expectStatus(await till.pay(isk(900), byCard('4000000000005126')), 201);
    const back = expectStatus(await till.act(one, 'refunds'), 201).json;
    assert.equal((await till.untilRefund(back, 'failed')).failure.code, 'refund_returned');
    assert.equal((await till.read(one)).amount_refunded, 0);
    const { json: two } = expectStatus(await till.pay(isk(900), byCard('4000000000007726')), 201);
    const slow = expectStatus(await till.act(two, 'refunds'), 202).json;
    await till.untilRefund(slow, 'succeeded');
    assert.equal((await till.read(two)).refund_status, 'full');
  });
});

describe('bank-a is down', () => {
  beforeEach(afresh);

  test('nobody takes its connections: each payment goes on to bank-b, soon at once, and then back', async () => {
    await door.shut();
    try {
      const payments = await payUntilOpen();
      assert.equal(payments.length, BREAKER.calls_min);
      for (const payment of payments) {
        assert.equal(payment.status, 'succeeded');
        assert.deepEqual(await wayOf(payment), [
          { gateway: 'bank-a', status: 'error', skipped: [] },
          { gateway: 'bank-b', status: 'approved', skipped: [] },
        ]);
      }
      await expectAround();
    } finally {
      await door.open();
    }
    await expectBack();
  });

  test('it answers 503: each payment goes on to bank-b, soon at once, and then back', async () => {
    await till.fault({ kind: 'unavailable_503', bank: 'bank-a', retry_after_s: 1 });
    for (const payment of await payUntilOpen()) {
      assert.equal(payment.status, 'succeeded');
      const way = await wayOf(payment);
      assert.deepEqual(way.map(({ gateway }) => gateway), ['bank-a', 'bank-b']);
    }
    await expectAround();
    await till.noFaults();
    await expectBack();
  });

  test('a probe that fails opens the breaker again', async () => {
    await till.fault({ kind: 'unavailable_503', bank: 'bank-a' });
    await payUntilOpen();
    await untilBreaker('bank-a', 'half_open');
    const { json } = expectStatus(await till.pay({ amount: 500, currency: 'EUR' }), 201);
    assert.deepEqual(await wayOf(json), [
      { gateway: 'bank-a', status: 'error', skipped: [] },
      { gateway: 'bank-b', status: 'approved', skipped: [] },
    ]);
    await expectAround();
  });

  test('it resets every connection: what it may have done is not done elsewhere before it is dead', async () => {
    await till.fault({ kind: 'outage', bank: 'bank-a', seconds: 600 });
    const payments = await payUntilOpen();
    for (const payment of payments) assert.equal(payment.status, 'processing');
    await expectAround();
    await till.noFaults();
    await expectBack();
    for (const payment of payments) {
      const done = await till.until(payment, 'succeeded', { within: 30_000 });
      const [first, second] = await wayOf(done);
      assert.deepEqual([first.gateway, first.status], ['bank-a', 'error']);
      assert.deepEqual([done.gateway, second.status], [second.gateway, 'approved']);
      const calls = await till.calls({ reference: (await till.attempts(done))[0].id });
      const made = calls.filter(({ effect }) => effect).map(({ operation }) => operation);
      assert.deepEqual(made, ['void_reference']);
    }
  });
});

describe('no bank at all', () => {
  beforeEach(afresh);

  test('a payment fails, then all are asked to come again, and one key is paid once', async () => {
    await stack.kill('bank-simulator');
    const order = await till.order(1000);
    await door.shut(); /* or a connection would be taken, and nothing behind it */
    const key = newKey();
    let seen;
    try {
      const ends = new Set();
      for (let i = 0; i < 20 && seen?.status !== 503; i++) {
        const [answer, took] = await timed(() => till.pay({ amount: 500, currency: 'EUR' }));
        assert.ok(took < ANSWER_MS, `took ${took} ms`);
        if (answer.status !== 503) ends.add(answer.json.failure.code);
        seen = answer;
      }
      assert.deepEqual([...ends], ['bank_unavailable']);
      expectProblem(seen, 503, 'gateways_unavailable');
      assert.match(seen.headers['retry-after'], /^[1-9]\d*$/);
      expectProblem(await till.pay(order, byCard(), {}, { key }), 503, 'gateways_unavailable');
    } finally {
      stack.start('bank-simulator');
      await stack.ready('bank-simulator');
      await door.open();
    }
    const done = await waitFor(
      'the same request to be taken',
      async () => {
        const answer = await till.pay(order, byCard(), {}, { key });
        return answer.status === 201 && answer.json;
      },
      { within: 15_000, every: 200 },
    );
    assert.equal(done.status, 'succeeded');
    await till.untilOrder(order, { status: 'paid' });
  });
});

test('of money at a bank that had done nothing somebody is told, and the payment stays', async () => {
  await afresh();
  const postman = new Postman(stack);
  await till.fault({ kind: 'error_500', bank: 'bank-a', operation: 'authorize', times: 1 });
  const answer = await till.pay({ amount: 4711, currency: 'EUR' });
  const payment = await till.until(answer.json, 'succeeded', { within: 20_000 });
  const [{ id, gateway, status }] = await till.attempts(payment);
  assert.deepEqual([gateway, status, payment.gateway], ['bank-a', 'error', 'bank-b']);
  const before = await till.contradictions();
  assert.equal((await postman.post(JSON.stringify(notice(record(id))))).status, 204);
  assert.equal(await till.contradictions(), before + 1);
  assert.deepEqual(await till.read(payment), payment);
});

test('what a bank has waits while it is not configured, and goes on when it is again', async () => {
  await afresh();
  const held = await till.authorized(5600);
  const paid = await till.paid(5700);
  assert.deepEqual([held.gateway, paid.gateway], ['bank-a', 'bank-a']);
  let refund;
  await withGateways(
    (gateways) => gateways.slice(1),
    async () => {
      assert.equal(expectStatus(await till.act(held, 'capture'), 202).json.status, 'authorized');
      refund = expectStatus(await till.act(paid, 'refunds'), 202).json;
      assert.equal(refund.status, 'pending');
      assert.equal((await till.paid(5800)).gateway, 'bank-b');
    },
  );
  const captured = await till.until(held, 'succeeded', { within: 30_000 });
  assert.equal(captured.amount_captured, 5600);
  await till.untilRefund(refund, 'succeeded', { within: 30_000 });
});

describe('no bank for it, or none that has time', () => {
  afterEach(afresh);

  test('what no bank takes is refused at its currency, and nothing is stored', async () => {
    const id = randomUUID();
    await withGateways(
      (gateways) => gateways.map((gateway) => ({ ...gateway, currencies: ['EUR'] })),
      async () => {
        const refused = await till.pay({ amount: 500, currency: 'USD' }, byCard(), { id });
        expectProblem(refused, 422, 'validation_failed', ['/currency']);
        assert.equal(refused.json.errors[0].code, 'not_supported');
      },
    );
    expectProblem(await till.payments.get(`/v1/payments/${id}`), 404);
  });

  test('who comes while as many wait for banks as may is asked to come again', async () => {
    const paid = await till.paid(900);
    await stack.kill('payment-service', 'SIGTERM');
    stack.start('payment-service', { environment: { BANK_CALLS_MAX: '1' } });
    await stack.ready('payment-service');
    await till.fault({ kind: 'timeout', amount: 4321, bank: 'bank-a', times: 1 });
    const first = till.pay({ amount: 4321, currency: 'EUR' });
    await waitFor('the bank to be asked', async () => {
      const calls = await till.calls({ operation: 'authorize' });
      return calls.at(-1)?.amount === 4321;
    });
    const keys = [newKey(), newKey()];
    const again = [
      () => till.pay({ amount: 700, currency: 'EUR' }, byCard(), {}, { key: keys[0] }),
      () => till.act(paid, 'refunds', {}, { key: keys[1] }),
    ];
    for (const busy of await Promise.all(again.map((ask) => ask()))) {
      expectProblem(busy, 503, 'payments_busy');
      assert.equal(busy.headers['retry-after'], '1');
    }
    await till.noFaults(); /* which lets go of whom it holds */
    await till.until((await first).json, 'succeeded', { within: 30_000 });
    for (const ask of again) expectStatus(await ask(), 201);
  });
});

describe('the bank is frozen', () => {
  beforeEach(afresh);

  test('with requests in its socket, and thawed after it was asked about them: no double charge', async (t) => {
    const orders = await Promise.all(Array.from({ length: 12 }, () => till.order(1000)));
    const before = await till.paid(7000);
    const frozen = await stack.freeze('bank-simulator');
    const key = newKey();
    try {
      const waves = orders.map((order) => timed(() => till.pay(order)));
      const refund = timed(() => till.act(before, 'refunds', { amount: 2000 }, { key }));

      /* Meanwhile the shop goes on. */
      const [made, took] = await timed(() => till.shop.sendOrder(12000));
      assert.equal(made.status, 'sent');
      assert.ok(took < AT_ONCE_MS, `an order took ${took} ms`);

      for (const [answer, ms] of await Promise.all(waves)) {
        assert.equal(expectStatus(answer, 202).json.status, 'processing');
        assert.ok(ms < ANSWER_MS, `took ${ms} ms`);
      }
      assert.equal(expectStatus((await refund)[0], 202).json.status, 'pending');

      /* No breaker lets anybody wait any more. */
      const [late, lateMs] = await timed(() => till.pay({ amount: 500, currency: 'EUR' }));
      assert.ok([202, 503].includes(late.status), late.text);
      assert.ok(lateMs < ANSWER_MS, `took ${lateMs} ms`);

      const unasked = `SELECT count(*) FROM attempts WHERE resolve_at IS NOT NULL AND tries < 1`;
      await waitFor(
        'every bank to be asked about every attempt',
        async (seen) => {
          const left = Number(await till.database.value(unasked));
          seen(left);
          return left === 0;
        },
        { within: 60_000, every: 100 },
      );
    } finally {
      frozen.thaw();
    }
    await untilSettled(till, { within: 60_000 });
    const ends = {};
    for (const order of orders) {
      const [payment, ...more] = await till.payments.all('/v1/payments', { order_id: order.id });
      assert.equal(more.length, 0);
      ends[`${payment.status} at ${payment.gateway}`] = (ends[`${payment.status} at ${payment.gateway}`] ?? 0) + 1;
      const references = (await till.attempts(payment)).map(({ id }) => id);
      let charges = 0;
      for (const reference of references) {
        const calls = await till.calls({ reference, operation: 'authorize' });
        charges += calls.filter(({ effect }) => effect).length;
      }
      assert.equal(charges, payment.status === 'succeeded' ? 1 : 0);
      if (payment.status === 'succeeded') await till.untilOrder(order, { status: 'paid' });
    }
    t.diagnostic(JSON.stringify(ends));
    assert.equal((await till.read(before)).amount_refunded, 2000);
    const repeated = expectStatus(await till.act(before, 'refunds', { amount: 2000 }, { key }), 201);
    assert.equal(repeated.headers['idempotent-replayed'], 'true');
  });
});

test('our books and the bank\'s agree, and the audit is clean', async () => {
  await untilSettled(till);
  await expectBankAgrees(stack, till);
  await expectCleanAudit(stack);
});
