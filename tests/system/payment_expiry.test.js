/*
 * Payments whose time is over: a hold that nobody captured, a challenge that nobody passed, a
 * transfer that nobody made. The bank lets go of each, and its order can be paid another way.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, test } from 'node:test';

import { expectCleanAudit } from '../support/audit.js';
import { Account } from '../support/bank.js';
import { expectBankAgrees, untilSettled } from '../support/book.js';
import { openSuperuser } from '../support/database.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, byTransfer, openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const HOUR_MS = 3_600_000;
const CHALLENGED = '4000002760003184';

const stack = await startStack();
after(() => stack.stop());
const till = await openTill(stack);
const god = await openSuperuser(stack, 'payments');
after(() => Promise.all([till.close(), god.close()]));
afterEach(() => till.noFaults());

const endTime = ({ id }) =>
  god.rows("UPDATE payments SET expires_at = now() - interval '1 second' WHERE id = $1", [id]);

const bankOf = (attempt) => new Account(stack, attempt.gateway, 'demo');

/** It expires, its last event says so, and its order has nothing of it. */
async function expectExpired(payment, order) {
  const expired = await till.until(payment, 'expired');
  assert.equal(expired.expires_at, null);
  assert.equal((await till.events(payment)).at(-1), 'payment.expired');
  await till.untilOrder(order, { status: 'pending', payment_status: 'unpaid' });
  return expired;
}

test('a hold that nobody captured ends, and the bank lets go of it', async () => {
  const order = await till.order(4100);
  const held = expectStatus(await till.pay(order, byCard(), { capture_method: 'manual' }), 201).json;
  await till.untilOrder(order, { payment_status: 'authorized' });
  expectProblem(await till.pay(order), 409, 'payment_in_progress');
  await endTime(held);
  await expectExpired(held, order);
  const [authorization, release] = (await till.attempts(held)).sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual([release.operation, release.status], ['void', 'approved']);
  assert.equal((await bankOf(release).record(release.id)).authorization, authorization.id);
  expectProblem(await till.act(held, 'capture'), 409);
  assert.equal(expectStatus(await till.pay(order), 201).json.status, 'succeeded');
});

test('a challenge that nobody passed ends, and passing it afterwards moves no money', async () => {
  const order = await till.order(4200);
  const asked = expectStatus(await till.pay(order, byCard(CHALLENGED)), 201).json;
  assert.equal(asked.status, 'requires_action');
  const left = Date.parse(asked.expires_at) - Date.now();
  assert.ok(left > HOUR_MS / 2 && left <= HOUR_MS, `${left} ms`);
  await endTime(asked);
  const expired = await expectExpired(asked, order);
  assert.equal(expired.next_action, null);
  await till.challenge(asked, 'pass');
  const [authorization] = await till.attempts(asked);
  assert.equal((await bankOf(authorization).record(authorization.id)).status, 'voided');
  assert.equal(expectStatus(await till.pay(order), 201).json.status, 'succeeded');
  assert.equal((await till.read(asked)).amount_captured, 0);
});

test('a transfer that nobody made ends, and one that is made afterwards is given back', async () => {
  const order = await till.order(4300);
  const awaited = expectStatus(await till.pay(order, byTransfer), 202).json;
  const [{ id }] = await till.attempts(awaited);
  await endTime(awaited);
  await expectExpired(awaited, order);
  expectStatus(await till.bank.post(`/control/transfers/${id}/pay`, {}), 200);
  const orphan = await waitFor('the money to be given back', async (seen) => {
    const now = await till.read(awaited);
    seen(now);
    return now.refund_status === 'full' && now;
  });
  assert.deepEqual([orphan.amount_captured, orphan.amount_refunded], [4300, 4300]);
  const events = await till.events(awaited);
  assert.ok(events.includes('payment.orphaned'), events.join());
  await till.untilOrder(order, { status: 'pending', payment_status: 'unpaid' });
});

test('while the bank is away a payment stays as it is, and ends when the bank is back', async () => {
  const order = await till.order(4400);
  const held = expectStatus(await till.pay(order, byCard(), { capture_method: 'manual' }), 201).json;
  await stack.kill('bank-simulator');
  try {
    await endTime(held);
    await waitFor('it to be under way', async (seen) => {
      const [row] = await till.database.rows('SELECT status, operation FROM payments WHERE id = $1', [held.id]);
      seen(row);
      return row.operation === 'expire';
    });
    assert.equal((await till.read(held)).status, 'authorized');
    expectProblem(await till.pay(order), 409, 'payment_in_progress');
    expectProblem(await till.act(held, 'capture'), 409);
  } finally {
    stack.start('bank-simulator');
    await stack.ready('bank-simulator');
  }
  await till.until(held, 'expired', { within: 30_000 });
  await till.untilOrder(order, { status: 'pending', payment_status: 'unpaid' });
});

test('our books and the bank\'s agree, and the audit is clean', async () => {
  await untilSettled(till);
  await expectBankAgrees(stack, till);
  await expectCleanAudit(stack);
});

/* Whoever sits at the bank itself has taken the money: ours and the bank's book are not the same any more. */
test('a hold that the bank does not let go of is tried again, but not at once', async () => {
  const held = await till.authorized(4500);
  const [authorization] = await till.attempts(held);
  const taken = { reference: randomUUID(), authorization: authorization.id, amount: 4500 };
  expectStatus(await bankOf(authorization).post('captures', taken), 201);
  await endTime(held);
  const kept = await waitFor('the bank to have refused', async (seen) => {
    const now = await till.read(held);
    seen(now);
    return now.failure !== null && now;
  });
  assert.equal(kept.status, 'authorized');
  const left = Date.parse(kept.expires_at) - Date.now();
  assert.ok(left > HOUR_MS / 2 && left <= HOUR_MS, `${left} ms`);
  assert.equal((await till.events(held)).at(-1), 'payment.updated');
  const voids = (await till.attempts(held)).filter(({ operation }) => operation === 'void');
  assert.deepEqual(voids.map(({ status }) => status), ['declined']);
});
