/*
 * Banks that fail in every way there is, over JSON and over SOAP: whatever they answer, late, twice,
 * or not at all, each payment ends, as it was done, and once.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';

import { expectCleanAudit } from '../support/audit.js';
import { expectBankAgrees, untilSettled } from '../support/book.js';
import { expectStatus } from '../support/shop.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { byCard, changeGateways, openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';


/* What a bank may take for anything, and what one that is late takes. */
const BANK_MS = 1500;
const LATE_MS = 4000;

/* So late that the reference is dead by then: it is asked for 2 s after the bank's time was over. */
const TOO_LATE_MS = 12_000;

const ANSWER_MS = 3000 + 2000 * SLOWDOWN;

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
after(() => till.close());

/* All at once: no breaker may open. */
before(() =>
  changeGateways(stack, (gateway) => {
    gateway.breaker = { calls_min: 10_000 };
    gateway.timeouts = Object.fromEntries(
      ['authorize', 'capture', 'void', 'refund', 'look_up'].map((what) => [`${what}_ms`, BANK_MS]),
    );
  }),
);

/* After bank-a there is bank-b; after bank-c there is none. */
const BANKS = [
  { bank: 'bank-a', currency: 'EUR', next: 'bank-b' },
  { bank: 'bank-c', currency: 'ISK' },
];

/* Each test has an amount of its own, by which the bank knows whom to fail. */
let amounts = 20_000;

const nothingDone = { times: 1 };

/* What goes wrong with the call, as one or more faults; and whether the bank does it all the same. */
const CALLS = [
  { name: 'it answers 500', does: 'nothing', faults: [{ kind: 'error_500', ...nothingDone }] },
  { name: 'it does not answer', does: 'nothing', faults: [{ kind: 'timeout', ...nothingDone }] },
  { name: 'it resets the connection', does: 'nothing', faults: [{ kind: 'reset', times: 2 }] },
  { name: 'it loses the answer', does: 'it', faults: [{ kind: 'lose_answer', times: 2 }] },
  {
    name: 'it loses the answer and the webhook',
    does: 'it',
    faults: [{ kind: 'lose_answer', times: 2 }, { kind: 'webhook_drop' }],
  },
  {
    name: 'it loses the answer after its webhook',
    does: 'it',
    faults: [{ kind: 'lose_answer', times: 2 }, { kind: 'webhook_before_answer' }],
  },
  {
    name: 'it answers late',
    does: 'it',
    late: true,
    faults: [{ kind: 'answer_late', delay_ms: LATE_MS, times: 1 }],
  },
  {
    name: 'it answers late and its webhook is lost',
    does: 'it',
    late: true,
    faults: [{ kind: 'answer_late', delay_ms: LATE_MS, times: 1 }, { kind: 'webhook_drop' }],
  },
  {
    name: 'it does it when it was asked about it already',
    does: 'nothing',
    late: true,
    faults: [{ kind: 'do_late', delay_ms: TOO_LATE_MS, times: 1 }],
  },
];

/* What goes wrong with the webhook, while the call is answered. */
const WEBHOOKS = [
  { name: 'comes before the answer', faults: [{ kind: 'webhook_before_answer' }] },
  {
    name: 'comes before the answer, three times',
    faults: [{ kind: 'webhook_before_answer' }, { kind: 'webhook_repeat', times: 3 }],
  },
  { name: 'comes five times', faults: [{ kind: 'webhook_repeat', times: 5 }] },
  { name: 'comes after others', faults: [{ kind: 'webhook_reorder' }] },
  { name: 'comes late', faults: [{ kind: 'webhook_late', delay_ms: 1500 }] },
  { name: 'does not come', faults: [{ kind: 'webhook_drop' }] },
  { name: 'is forged', faults: [{ kind: 'webhook_forged' }] },
  {
    name: 'speaks of another reference',
    faults: [{ kind: 'webhook_other_reference', reference: randomUUID() }],
  },
];

async function orderFaults(bank, operation, amount, faults) {
  for (const fault of faults) {
    const which = fault.kind.startsWith('webhook') ? { amount } : { operation, amount };
    await till.fault({ bank, ...which, ...fault });
  }
}

async function timed(work) {
  const from = performance.now();
  const answer = await work();
  const ms = performance.now() - from;
  assert.ok(ms < ANSWER_MS, `the answer took ${ms} ms`);
  return answer;
}

/** The calls of an attempt that came to the bank; with `late`, once what it asked for was done or not. */
const callsOf = ({ id, operation }, late) =>
  waitFor(
    `the ${operation} ${id} to be over`,
    async (seen) => {
      const found = await till.calls({ reference: id });
      seen(found);
      const own = found.filter((call) => call.operation === operation);
      return (!late || (own.length > 0 && own.every(({ answered }) => answered))) && found;
    },
    { within: 40_000, every: 200 },
  );

/** What the bank did for a payment, over all its attempts; `late` waits for what it does too late. */
async function effects(payment, { late = false } = {}) {
  const done = {};
  for (const attempt of await till.attempts(payment)) {
    for (const { bank, operation, effect } of await callsOf(attempt, late)) {
      const key = operation === 'void_reference' ? operation : `${operation} at ${bank}`;
      if (effect) done[key] = (done[key] ?? 0) + 1;
    }
  }
  return done;
}

const settled = { within: 40_000, every: 100 };

describe('paying, where', { concurrency: true }, () => {
  after(() => till.noFaults()); /* the bank keeps 64 of them in mind */

  for (const { bank, currency, next } of BANKS) {
    for (const { name, does, late, faults } of CALLS) {
      test(`${bank}: ${name}`, async () => {
        const amount = amounts++;
        await orderFaults(bank, 'authorize', amount, faults);
        const answer = await timed(() => till.pay({ amount, currency }));
        expectStatus(answer, 202);
        assert.equal(answer.json.status, 'processing');
        const done = await till.until(answer.json, undefined, settled);
        if (does === 'it') {
          assert.deepEqual([done.status, done.gateway], ['succeeded', bank]);
          assert.deepEqual(await effects(done, { late }), { [`authorize at ${bank}`]: 1 });
        } else if (next) {
          assert.deepEqual([done.status, done.gateway], ['succeeded', next]);
          assert.deepEqual(await effects(done, { late }), { void_reference: 1, [`authorize at ${next}`]: 1 });
        } else {
          assert.deepEqual([done.status, done.failure?.code], ['failed', 'bank_unavailable']);
          assert.deepEqual(await effects(done, { late }), { void_reference: 1 });
        }
      });
    }

    test(`${bank}: it asks to come later`, async () => {
      const amount = amounts++;
      await orderFaults(bank, 'authorize', amount, [{ kind: 'unavailable_503', retry_after_s: 7 }]);
      const { json: done } = expectStatus(await timed(() => till.pay({ amount, currency })), 201);
      const ended = next ? ['succeeded', next] : ['failed', bank];
      assert.deepEqual([done.status, done.gateway], ended);
      assert.deepEqual(await effects(done), next ? { [`authorize at ${next}`]: 1 } : {});
    });

    for (const { name, faults } of WEBHOOKS) {
      test(`${bank}: the webhook ${name}`, async () => {
        const amount = amounts++;
        await orderFaults(bank, 'authorize', amount, faults);
        const answer = await timed(() => till.pay({ amount, currency }));
        const { json: done } = expectStatus(answer, 201);
        assert.deepEqual([done.status, done.gateway], ['succeeded', bank]);
        assert.deepEqual(await effects(done), { [`authorize at ${bank}`]: 1 });
        assert.deepEqual(await till.events(done), ['payment.processing', 'payment.succeeded']);
      });
    }
  }
});

/* What follows a payment goes to its bank alone, and is repeated there under its reference. */
const FOLLOWING = [...CALLS, { name: 'it asks to come later', faults: [{ kind: 'unavailable_503', times: 1 }] }];

describe('capturing, where', { concurrency: true }, () => {
  after(() => till.noFaults()); /* the bank keeps 64 of them in mind */

  for (const { bank, currency } of BANKS) {
    for (const { name, late, faults } of FOLLOWING) {
      test(`${bank}: ${name}`, async () => {
        const amount = amounts++;
        const manual = { capture_method: 'manual' };
        const held = expectStatus(await till.pay({ amount: amount + 10_000, currency }, byCard(), manual), 201);
        await orderFaults(bank, 'capture', amount, faults);
        const answer = await timed(() => till.act(held.json, 'capture', { amount }));
        expectStatus(answer, 202);
        const done = await till.until(held.json, 'succeeded', settled);
        assert.equal(done.amount_captured, amount);
        const once = { [`authorize at ${bank}`]: 1, [`capture at ${bank}`]: 1 };
        assert.deepEqual(await effects(done, { late }), once);
      });
    }

    for (const { name, faults } of WEBHOOKS) {
      test(`${bank}: the webhook ${name}`, async () => {
        const amount = amounts++;
        const manual = { capture_method: 'manual' };
        const held = expectStatus(await till.pay({ amount, currency }, byCard(), manual), 201);
        await orderFaults(bank, 'capture', amount, faults);
        const { json: done } = expectStatus(await timed(() => till.act(held.json, 'capture')), 200);
        assert.equal(done.status, 'succeeded');
        const once = { [`authorize at ${bank}`]: 1, [`capture at ${bank}`]: 1 };
        assert.deepEqual(await effects(done), once);
      });
    }
  }
});

describe('giving back, where', { concurrency: true }, () => {
  after(() => till.noFaults()); /* the bank keeps 64 of them in mind */

  for (const { bank, currency } of BANKS) {
    for (const { name, late, faults } of FOLLOWING) {
      test(`${bank}: ${name}`, async () => {
        const amount = amounts++;
        const paid = expectStatus(await till.pay({ amount: 90_000, currency }), 201).json;
        await orderFaults(bank, 'refund', amount, faults);
        const answer = await timed(() => till.act(paid, 'refunds', { amount }));
        expectStatus(answer, 202);
        await till.untilRefund(answer.json, 'succeeded', settled);
        const { amount_refunded: refunded, refund_status: status } = await till.read(paid);
        assert.deepEqual([refunded, status], [amount, 'partial']);
        const once = { [`authorize at ${bank}`]: 1, [`refund at ${bank}`]: 1 };
        assert.deepEqual(await effects(paid, { late }), once);
        assert.deepEqual(await till.events(answer.json), ['refund.created', 'refund.succeeded']);
      });
    }
  }
});

/* The bank can not tell one void from another by its amount, so one after the other. */
describe('voiding, where', () => {
  afterEach(() => till.noFaults());

  for (const { bank, currency } of BANKS) {
    for (const { name, late, faults } of FOLLOWING) {
      if (late) continue;
      test(`${bank}: ${name}`, async () => {
        const manual = { capture_method: 'manual' };
        const { json: held } = expectStatus(await till.pay({ amount: 900, currency }, byCard(), manual), 201);
        for (const fault of faults) {
          const which = fault.kind.startsWith('webhook') ? { amount: 900 } : { operation: 'void' };
          await till.fault({ bank, ...which, ...fault });
        }
        expectStatus(await timed(() => till.act(held, 'cancel')), 202);
        await till.until(held, 'canceled', settled);
        const once = { [`authorize at ${bank}`]: 1, [`void at ${bank}`]: 1 };
        assert.deepEqual(await effects(held, { late }), once);
      });
    }
  }
});

test('our books and the bank\'s agree, and the audit is clean', async () => {
  await till.noFaults();
  await untilSettled(till);
  await expectBankAgrees(stack, till);
  await expectCleanAudit(stack);
});
