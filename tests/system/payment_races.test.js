/*
 * Many want the same of one payment, or opposites, at the same moment: one of them gets it, the others
 * are told why not, and the bank hears of it once.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { expectCleanAudit } from '../support/audit.js';
import { expectBankAgrees, untilSettled } from '../support/book.js';
import { Random, runSeed } from '../support/random.js';
import { expectProblem, expectStatus, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, openTill } from '../support/till.js';

const MANY = 100;
const ROUNDS = Number(process.env.TEST_PAYMENT_RACES ?? 50);
const AT_ONCE = 10;

/* How long a client repeats a key that is in use. */
const PATIENCE_MS = 30_000;

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
after(() => till.close());
till.payments = stack.shop(stack.env.PAYMENT_URL, stack.env.CHECKOUT_API_KEY, {
  connections: MANY,
});

const seed = runSeed();
const slowly = (operation) => till.fault({ kind: 'latency', operation, delay_ms: 150 });
afterEach(() => till.noFaults());

const crowd = (count, wish) => Promise.all(Array.from({ length: count }, (_, i) => wish(i)));

/** The ones that were done; each of the others was refused with one of `codes`. */
function winners(answers, codes) {
  return answers.filter((answer) => {
    if (answer.status < 300) return true;
    const { code } = expectProblem(answer, 409);
    assert.ok(codes.includes(code), answer.text);
    return false;
  });
}

/** What the bank did for a payment: how often each operation had an effect. */
async function effects(payment) {
  const references = (await till.attempts(payment)).map(({ id }) => id);
  const done = {};
  for (const reference of references) {
    for (const { operation, effect } of await till.calls({ reference })) {
      if (effect) done[operation] = (done[operation] ?? 0) + 1;
    }
  }
  return done;
}

describe('one of many is done', () => {
  for (const speed of ['quick', 'slow']) {
    test(`${MANY} refunds of 60 of a captured 100 at a ${speed} bank`, async () => {
      const payment = await till.paid(10000);
      if (speed === 'slow') await slowly('refund');
      const answers = await crowd(MANY, () => till.act(payment, 'refunds', { amount: 6000 }));
      const [refund, ...more] = winners(answers, ['payment_refunded']);
      assert.equal(more.length, 0);
      assert.equal(expectStatus(refund, 201).json.status, 'succeeded');
      assert.equal((await till.read(payment)).amount_refunded, 6000);
      assert.deepEqual(await effects(payment), { authorize: 1, refund: 1 });
    });

    test(`${MANY} captures of an authorized payment at a ${speed} bank`, async () => {
      const payment = await till.authorized(10000);
      if (speed === 'slow') await slowly('capture');
      const answers = await crowd(MANY, (i) => till.act(payment, 'capture', { amount: 10000 - i }));
      const [capture, ...more] = winners(answers, ['operation_in_progress', 'illegal_transition']);
      assert.equal(more.length, 0);
      const { status, amount_captured: captured } = expectStatus(capture, 200).json;
      assert.equal(status, 'succeeded');
      assert.equal((await till.read(payment)).amount_captured, captured);
      assert.deepEqual(await effects(payment), { authorize: 1, capture: 1 });
    });

    test(`20 payments of one order at a ${speed} bank`, async () => {
      const order = await till.order(13700);
      if (speed === 'slow') await slowly('authorize');
      const answers = await crowd(20, () => till.pay(order));
      const [payment, ...more] = winners(answers, ['payment_in_progress', 'order_already_paid']);
      assert.equal(more.length, 0);
      assert.equal(expectStatus(payment, 201).json.status, 'succeeded');
      await till.untilOrder(order, { status: 'paid', payment_status: 'paid' });
      const listed = await till.payments.all('/v1/payments', { order_id: order.id });
      assert.deepEqual(listed.map(({ id }) => id), [payment.json.id]);
      assert.deepEqual(await effects(payment.json), { authorize: 1 });
    });
  }

  test('parts of an order that do not fit together: as many as fit', async () => {
    const order = await till.order(10000);
    const answers = await crowd(20, () => till.pay(order, byCard(), { amount: 3000 }));
    const done = answers.filter(({ status }) => status === 201);
    assert.equal(done.length, 3);
    for (const answer of answers) if (answer.status !== 201) assert.match(`${answer.status}`, /409|422/);
    await till.untilOrder(order, { payment_status: 'partially_paid' });
  });

  test('refunds in parts: as many as there is money for', async () => {
    const payment = await till.paid(10000);
    const answers = await crowd(MANY, () => till.act(payment, 'refunds', { amount: 1000 }));
    const done = winners(answers, ['payment_refunded', 'version_conflict']);
    await untilSettled(till);
    const { amount_refunded: refunded } = await till.read(payment);
    assert.equal(refunded, 1000 * done.length);
    assert.ok(done.length > 0 && done.length <= 10, `${done.length} refunds`);
  });
});

describe(`opposites, ${ROUNDS} rounds (seed ${seed})`, () => {
  /** Lets `wishes` go at the same moment in any order; the answers by name. */
  async function clash(random, payment, wishes) {
    const names = Object.keys(wishes);
    names.sort(() => (random.chance(0.5) ? 1 : -1));
    const answers = await Promise.all(names.map((name) => till.act(payment, ...wishes[name])));
    return Object.fromEntries(names.map((name, i) => [name, answers[i]]));
  }

  async function rounds(play) {
    const random = new Random(`payment races ${seed}`);
    for (let round = 0; round < ROUNDS; round += AT_ONCE) {
      await crowd(Math.min(AT_ONCE, ROUNDS - round), () => play(random));
    }
  }

  test('a refund against a void of what was captured: the refund', () =>
    rounds(async (random) => {
      const payment = await till.paid(10000);
      const { refund, cancel } = await clash(random, payment, {
        refund: ['refunds', { amount: 6000 }],
        cancel: ['cancel'],
      });
      expectStatus(refund, 201);
      expectProblem(cancel, 409, 'illegal_transition');
      assert.deepEqual(await effects(payment), { authorize: 1, refund: 1 });
    }));

  test('a refund against a void of what was authorized: the void', () =>
    rounds(async (random) => {
      const payment = await till.authorized(10000);
      const { refund, cancel } = await clash(random, payment, {
        refund: ['refunds', { amount: 6000 }],
        cancel: ['cancel'],
      });
      expectProblem(refund, 409, 'payment_not_refundable');
      assert.equal(expectStatus(cancel, 200).json.status, 'canceled');
      assert.deepEqual(await effects(payment), { authorize: 1, void: 1 });
    }));

  test('capture, void and refund: the money is taken or released, and given back only if taken', async (t) => {
    const ends = {};
    await rounds(async (random) => {
      const payment = await till.authorized(10000);
      const { capture, cancel, refund } = await clash(random, payment, {
        capture: ['capture'],
        cancel: ['cancel'],
        refund: ['refunds'],
      });
      const [done, ...more] = winners([capture, cancel], ['operation_in_progress', 'illegal_transition']);
      assert.equal(more.length, 0);
      const { status, amount_refunded: refunded } = await till.read(payment);
      assert.equal(status, done === capture ? 'succeeded' : 'canceled');
      if (refund.status !== 201) expectProblem(refund, 409, 'payment_not_refundable');
      assert.equal(refunded, refund.status === 201 ? 10000 : 0);
      assert.ok(refunded === 0 || status === 'succeeded');
      const refunds = refund.status === 201 ? { refund: 1 } : {};
      const end = done === capture ? { capture: 1 } : { void: 1 };
      assert.deepEqual(await effects(payment), { authorize: 1, ...end, ...refunds });
      ends[status] = (ends[status] ?? 0) + 1;
    });
    t.diagnostic(`ends: ${JSON.stringify(ends)}`);
    assert.ok(ends.succeeded > 0 && ends.canceled > 0, 'both were first now and then');
  });

  test('a void against the customer who passes the challenge: paid or canceled, never both', async (t) => {
    const ends = {};
    await rounds(async () => {
      const { json: payment } = await till.pay({ amount: 5000, currency: 'EUR' }, byCard('4000002760003184'));
      assert.equal(payment.status, 'requires_action');
      const [cancel] = await Promise.all([
        till.act(payment, 'cancel'),
        till.challenge(payment, 'pass').catch(() => {}),
      ]);
      if (cancel.status >= 300) expectProblem(cancel, 409);
      const { status } = await till.until(payment, undefined, { within: 20_000 });
      ends[status] = (ends[status] ?? 0) + 1;
      assert.ok(['succeeded', 'canceled'].includes(status), status);
    });
    t.diagnostic(`ends: ${JSON.stringify(ends)}`);
  });
});

describe('one key, one effect', () => {
  /** Asks with one key as 50 clients do; each repeats while the key is in use. */
  async function oneKey(ask) {
    const key = newKey();
    return crowd(50, async () => {
      const deadline = performance.now() + PATIENCE_MS;
      for (;;) {
        const answer = await ask(key);
        if (answer.status !== 409 || performance.now() > deadline) return answer;
        expectProblem(answer, 409, 'idempotency_key_in_use');
        assert.equal(answer.headers['retry-after'], '1');
        await pause(50);
      }
    });
  }

  function expectOneAnswer(answers, status) {
    for (const answer of answers) {
      expectStatus(answer, status);
      assert.equal(answer.text, answers[0].text);
    }
    const first = answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined);
    assert.equal(first.length, 1, 'one is the first, the others are told that they are not');
    return answers[0].json;
  }

  for (const speed of ['quick', 'slow']) {
    test(`50 clients pay with it at a ${speed} bank`, async () => {
      const order = await till.order(8000);
      if (speed === 'slow') await slowly('authorize');
      const answers = await oneKey((key) => till.pay(order, byCard(), {}, { key }));
      const payment = expectOneAnswer(answers, 201);
      assert.equal(payment.status, 'succeeded');
      assert.deepEqual(await effects(payment), { authorize: 1 });
    });

    test(`50 clients capture with it at a ${speed} bank`, async () => {
      const payment = await till.authorized(8000);
      if (speed === 'slow') await slowly('capture');
      const answers = await oneKey((key) => till.act(payment, 'capture', {}, { key }));
      assert.equal(expectOneAnswer(answers, 200).status, 'succeeded');
      assert.deepEqual(await effects(payment), { authorize: 1, capture: 1 });
    });

    test(`50 clients refund with it at a ${speed} bank`, async () => {
      const payment = await till.paid(8000);
      if (speed === 'slow') await slowly('refund');
      const answers = await oneKey((key) => till.act(payment, 'refunds', { amount: 1000 }, { key }));
      assert.equal(expectOneAnswer(answers, 201).status, 'succeeded');
      assert.equal((await till.read(payment)).amount_refunded, 1000);
      assert.deepEqual(await effects(payment), { authorize: 1, refund: 1 });
    });
  }
});

describe('one id of the client', () => {
  for (const speed of ['quick', 'slow']) {
    test(`20 clients with keys of their own and one id at a ${speed} bank: one payment`, async () => {
      const id = randomUUID();
      if (speed === 'slow') await slowly('authorize');
      const answers = await crowd(20, () => till.pay({ amount: 700, currency: 'EUR' }, byCard(), { id }));
      for (const answer of answers) {
        assert.ok([201, 202].includes(answer.status), answer.text);
        assert.equal(answer.json.id, id);
      }
      assert.equal((await till.until({ id })).status, 'succeeded');
      assert.deepEqual(await effects({ id }), { authorize: 1 });
    });
  }

  test('20 clients with one id and other amounts: one payment', async () => {
    const id = randomUUID();
    const answers = await crowd(20, (i) => till.pay({ amount: 700 + i, currency: 'EUR' }, byCard(), { id }));
    const [payment, ...more] = winners(answers, ['payment_id_used']);
    assert.equal(more.length, 0);
    assert.equal((await till.read({ id })).amount, payment.json.amount);
    assert.deepEqual(await effects({ id }), { authorize: 1 });
  });
});

test('our books and the bank\'s agree, and the audit is clean', async () => {
  await untilSettled(till);
  await expectBankAgrees(stack, till);
  await expectCleanAudit(stack);
});
