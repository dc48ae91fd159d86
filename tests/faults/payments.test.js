/*
 * payment-service dies between asking a bank and writing down what it said: at every crash point
 * that it lists, while customers pay, capture, cancel and get their money back. Whoever repeats with
 * the same key gets one answer, every payment becomes final, and the bank did each thing once.
 *
 * A new point is hit without a line here if the customers come by.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit, expectGaplessLog } from '../support/audit.js';
import { crashAt, pointsOf } from '../support/crash.js';
import { Customers } from '../support/customers.js';
import { openInspector, openSuperuser } from '../support/database.js';
import { Random, runSeed } from '../support/random.js';
import { startStack } from '../support/stack.js';
import { askAlways, openTill, changeGateways } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const ROUNDS = Number(process.env.TEST_ROUNDS ?? 1);

/* Most points are passed by every customer, and any of those may be the last; some by few. */
const PASSINGS = 4;
const SELDOM = /pull$|^reconcile:|^undo:|reference$|look_up$/;

const service = 'payment-service';
const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
const superuser = await openSuperuser(stack, 'payments');
const bank = await openInspector(stack, 'bank');
after(() => Promise.all([till.close(), superuser.close(), bank.close()]));

/* Answers get lost, so that there is something to ask about; the bank is asked all the same. */
await changeGateways(stack, askAlways);
await till.fault({ operation: 'authorize', share: [1, 5], kind: 'lose_answer' });
await till.fault({ operation: 'refund', share: [1, 5], kind: 'lose_answer' });
await till.fault({ kind: 'webhook_repeat', share: [1, 3] });

const seed = runSeed();
const random = new Random(`payments ${seed}`);
const hits = new Map();
/* What dies before it has asked a bank comes back when nobody waits any more: then nobody is asked. */
const customers = new Customers(till, { banksMayFail: true });
customers.start();

for (const point of await pointsOf(service)) {
  test(`the payment-service dies at ${point} and comes back (seed ${seed})`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const passing = SELDOM.test(point) ? 1 : random.between(1, PASSINGS);
      await crashAt(stack, superuser, { service, point, passing });
      hits.set(point, (hits.get(point) ?? 0) + 1);
      assert.deepEqual(customers.failures, []);
    }
  });
}

test('every customer has got one answer per key, and every payment its end', async (t) => {
  await customers.stop();
  t.diagnostic(`${customers.done} customers, ${customers.turnedAway} turned away, ${customers.made.size} payments; hits: ${JSON.stringify(Object.fromEntries(hits))}`);
  for (const point of await pointsOf(service)) assert.equal(hits.get(point), ROUNDS, point);
  assert.ok(customers.done > 5 * customers.turnedAway, 'most got what they wanted');
  assert.equal(await till.database.value('SELECT count(*) FROM payments'), customers.made.size);
});

test('the bank did each thing once', () => expectOneEffectEach([...customers.made.keys()]));

/** The bank's book has one authorization of each payment that stands, and has captured it once. */
async function expectOneEffectEach(ids) {
  const made = await till.database.rows(
    `SELECT a.id AS reference, p.id, p.status, p.amount_captured, p.amount_refunded
     FROM payments p JOIN attempts a ON a.stream = p.stream AND a.payment_id = p.id
     WHERE p.id = ANY ($1::uuid[]) AND a.operation IN ('authorize', 'transfer')`,
    [ids],
  );
  assert.equal(new Set(made.map(({ id }) => id)).size, ids.length, 'answered and not stored');
  const book = await bank.rows(
    'SELECT payment AS reference, phase, amount_captured, amount_refunded FROM ops.bank_payments WHERE payment = ANY ($1::uuid[])',
    [made.map(({ reference }) => reference)],
  );
  const phases = new Map(book.map((row) => [row.reference, row]));
  for (const id of ids) {
    const attempts = made.filter((attempt) => attempt.id === id);
    const [{ status, amount_captured, amount_refunded }] = attempts;
    const taken = attempts.map(({ reference }) => phases.get(reference)).filter((row) => row?.amount_captured > 0);
    const held = attempts.filter(({ reference }) => phases.get(reference)?.phase === 'authorized');
    assert.equal(taken.length, status === 'succeeded' ? 1 : 0, `payment ${id} is ${status}`);
    assert.equal(held.length, 0, `payment ${id}: the bank still holds money`);
    if (taken.length === 0) continue;
    assert.deepEqual(
      [taken[0].amount_captured, taken[0].amount_refunded],
      [amount_captured, amount_refunded],
      `payment ${id}`,
    );
  }
}

test('nothing waits any more, the log has no holes, the audit is clean', async () => {
  await till.noFaults();
  await waitFor(
    'every attempt to have ended',
    async (seen) => {
      const open = await till.database.rows('SELECT * FROM ops.unresolved_attempts LIMIT 3');
      seen(open);
      return open.length === 0;
    },
    { within: 60_000 },
  );
  await expectGaplessLog(stack, 'payments');
  await expectCleanAudit(stack);
});
