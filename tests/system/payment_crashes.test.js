/*
 * payment-service dies in the middle of payments, at a bank that loses answers and repeats webhooks:
 * every payment ends, once, and whoever repeats a key is told the same.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { expectCleanAudit, expectGaplessLog } from '../support/audit.js';
import { expectBankAgrees, untilSettled } from '../support/book.js';
import { openInspector } from '../support/database.js';
import { Random, runSeed } from '../support/random.js';
import { newKey } from '../support/shop.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { byCard, changeGateways, openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const PAYMENTS = Number(process.env.TEST_PAYMENTS ?? 2000);
const KILLS = 10;
const CLIENTS = 32;

/* After the last kill. */
const FINAL_MS = 60_000;

/* A key is repeated for so long; and a little time lies in between. */
const PATIENCE_MS = 60_000 * SLOWDOWN;
const ATTEMPT_MS = 12_000;
const RETRY_MS = 50;

/* Short, because many answers are lost: who waits for one is a client that waits. */
const BANK_MS = 400 * SLOWDOWN;

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
after(() => till.close());

const seed = runSeed();

/* The library repeats what met a closed connection, so some answers are lost by being too late. */
const FAULTS = [
  { kind: 'lose_answer', operation: 'authorize', share: [1, 3] },
  { kind: 'lose_answer', operation: 'capture', share: [1, 3] },
  { kind: 'lose_answer', operation: 'refund', share: [1, 3] },
  { kind: 'answer_late', operation: 'authorize', share: [1, 12], delay_ms: 2 * BANK_MS },
  { kind: 'error_500', operation: 'authorize', share: [1, 20] },
  { kind: 'webhook_repeat', times: 2 },
  { kind: 'webhook_before_answer', share: [1, 4] },
];

/** What clients ask for, and every answer that they got. */
class Customers {
  constructor() {
    this.shop = stack.shop();
    this.payments = stack.payments();
    this.from = new Date();
    this.asked = [];
    this.begun = 0;
    this.clients = Array.from({ length: CLIENTS }, (_, i) => this.live(new Random(`${seed}/${i}`)));
  }

  get answered() {
    return this.asked.reduce((sum, { answers }) => sum + (answers.length > 0 ? 1 : 0), 0);
  }

  end() {
    return Promise.all(this.clients);
  }

  async live(random) {
    while (this.begun < PAYMENTS) {
      this.begun++;
      await this.pay(random);
    }
  }

  /** A payment, of an order or not, that may be captured, voided, given back. */
  async pay(random) {
    const amount = random.between(100, 9000);
    const manual = random.chance(0.3);
    const what = random.chance(0.5) ? await this.order(amount) : { amount, currency: 'EUR' };
    const body = {
      ...what,
      payment_method: byCard(random.chance(0.1) ? '4000000000000002' : '4242424242424242'),
      capture_method: manual ? 'manual' : 'automatic',
    };
    const made = await this.ask(random, '/v1/payments', body);
    if (made === undefined || made.status === 'failed') return;
    const path = `/v1/payments/${made.id}`;
    if (made.status === 'authorized' && random.chance(0.8)) {
      const capture = random.chance(0.7);
      await this.ask(random, `${path}/${capture ? 'capture' : 'cancel'}`, {});
      if (!capture) return;
    }
    if (random.chance(0.3)) await this.ask(random, `${path}/refunds`, { amount: random.between(1, 60) });
  }

  async order(amount) {
    const lines = [{ sku: 'ITEM-1', name: 'Item', quantity: 1, unit_amount: amount }];
    const body = { customer: { id: 'customer-1' }, currency: 'EUR', lines };
    const { id } = await this.shop.createOrder(body, { key: newKey() });
    return { order_id: id };
  }

  /** Repeats with one key until the answer says what became of it; some ask again all the same. */
  async ask(random, path, body) {
    const request = { path, key: newKey(), answers: [], refused: undefined };
    const from = performance.now();
    this.asked.push(request);
    for (let more = random.chance(0.1) ? 2 : 1; more > 0 && performance.now() - from < PATIENCE_MS; ) {
      const answer = await this.attempt(request, body);
      if (answer === undefined) {
        await pause(RETRY_MS);
        continue;
      }
      more--;
      if (answer.status < 300) {
        request.answers.push(answer.json);
      } else { /* nothing is kept of that: it may be asked for again, with another outcome */
        request.refused = answer.text;
        break;
      }
    }
    return request.answers.at(-1);
  }

  /** Undefined when it was not answered, or turned away for now. */
  async attempt({ path, key }, body) {
    try {
      const answer = await this.payments.post(path, body, { key, patience: ATTEMPT_MS });
      const later = answer.status === 503 || /"idempotency_key_in_use"/.test(answer.text);
      return later ? undefined : answer;
    } catch {
      return undefined;
    }
  }
}

/* What a request may be refused with: the payment was in another state than the client thought. */
const FAIR = /"code":"(illegal_transition|operation_in_progress|payment_not_refundable|payment_refunded|version_conflict)"/;

/** One key, one thing: every answer is of the same object, at no earlier version than before. */
function expectOneAnswer({ path, answers, refused }) {
  assert.ok(answers.length > 0 || refused !== undefined, `${path} was never answered`);
  if (refused !== undefined) {
    assert.match(refused, FAIR, path);
    assert.equal(answers.length, 0, `${path} was done, and refused: ${refused}`);
  }
  for (const [i, answer] of answers.entries()) {
    assert.equal(answer.id, answers[0].id, path);
    assert.equal(answer.amount, answers[0].amount, path);
    assert.ok(i === 0 || answer.version >= answers[i - 1].version, `${path} went back`);
  }
}

/** What was asked for under each key is there, and nothing that nobody asked for. */
async function expectNothingUnasked({ asked, from }) {
  const keys = new Map(
    (await till.database.rows('SELECT key, subject FROM idempotency_keys')).map((row) => [row.key, row.subject]),
  );
  const payments = new Set();
  for (const { path, key, answers } of asked) {
    const id = answers[0]?.id;
    if (id !== undefined) assert.equal(keys.get(key), id, `${path}: its key stands for something else`);
    if (path === '/v1/payments') payments.add(id);
  }
  const stored = await till.database.rows('SELECT id FROM payments WHERE created_at >= $1', [from]);
  assert.deepEqual(stored.filter(({ id }) => !payments.has(id)), [], 'payments that nobody asked for');
}

test(`${PAYMENTS} payments at ${CLIENTS} connections, payment-service killed ${KILLS} times: each ends once (seed ${seed})`, async (t) => {
  const random = new Random(`payment crashes ${seed}`);
  await changeGateways(stack, (gateway) => {
    gateway.breaker = { error_percent: 90, calls_min: 100 };
    gateway.timeouts = { authorize_ms: BANK_MS, capture_ms: BANK_MS, refund_ms: BANK_MS };
  });
  for (const fault of FAULTS) await till.fault(fault);
  const began = performance.now();
  const customers = new Customers();
  let last = began;
  try {
    for (let kill = 1; kill <= KILLS; kill++) {
      const enough = Math.floor((kill * PAYMENTS) / (KILLS + 1)) + random.between(0, 40);
      await waitFor(`payment ${enough} to be begun`, () => customers.begun >= Math.min(enough, PAYMENTS - CLIENTS), {
        within: 60_000,
        every: 1,
      });
      await pause(random.below(30));
      await stack.kill('payment-service');
      stack.start('payment-service');
      await stack.ready('payment-service', { every: 10 });
      last = performance.now();
    }
  } finally {
    await customers.end();
  }
  const ended = performance.now();
  await untilSettled(till, { within: FINAL_MS });
  await till.noFaults();
  t.diagnostic(
    `${customers.asked.length} requests in ${Math.round(ended - began)} ms, all final ` +
      `${Math.round(performance.now() - last)} ms after the last kill`,
  );
  const open = await till.database.rows(`SELECT id, status FROM payments WHERE status = 'processing'`);
  assert.deepEqual(open, []);
  for (const request of customers.asked) expectOneAnswer(request);
  await expectNothingUnasked(customers);
  assert.ok((await expectBankAgrees(stack, till)) >= PAYMENTS);
  await expectGaplessLog(stack, 'payments');
  await expectCleanAudit(stack, { within: 60_000 });
});

test('the faults were there: answers were lost, and resolved by asking', async () => {
  const unknown = `SELECT count(*) FROM attempts WHERE tries > 0`;
  assert.ok(Number(await till.database.value(unknown)) > 0, 'attempts that a worker looked after');
  const bank = await openInspector(stack, 'bank');
  try {
    const captures = await bank.value(
      `SELECT count(*) FROM ops.bank_payments WHERE amount_captured > 0 AND bank = 'bank-a'`,
    );
    assert.ok(Number(captures) > PAYMENTS / 4, `${captures} captures`);
  } finally {
    await bank.close();
  }
});
