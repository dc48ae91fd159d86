/*
 * When banks are asked what became of a payment: by the database's clock, whatever a service's own
 * says, and once each time, however many threads and instances look for what is due.
 */
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';

import { clockAhead } from '../support/clock.js';
import { expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { askAlways, byCard, changeGateways, openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const TWO_DAYS_S = 2 * 86_400;

/* The first two waits of the schedule; timers of two processes differ a little. */
const FIRST_WAIT_MS = 2000;
const SLACK_MS = 300;

const stack = await startStack();
after(() => stack.stop());
const till = await openTill(stack);
after(() => till.close());
afterEach(() => till.noFaults());
await changeGateways(stack, askAlways);

async function restart(secondsAhead) {
  await stack.kill('payment-service', 'SIGTERM');
  stack.start('payment-service', clockAhead(secondsAhead));
  await stack.ready('payment-service');
}

/* Cards that are good for longer than any clock here is ahead. */
const pay = (amount) => till.pay({ amount, currency: 'EUR' }, byCard());

test('a service two days ahead asks about a lost answer in seconds', async () => {
  await restart(TWO_DAYS_S);
  await till.fault({ kind: 'answer_late', delay_ms: 8000, amount: 5101, operation: 'authorize' });
  await till.fault({ kind: 'webhook_drop' });
  const payment = expectStatus(await pay(5101), 202).json;
  await till.until(payment, 'succeeded', { within: 30_000 });
});

test('a service two days behind gives up no payment that its bank is still making', async () => {
  await restart(-TWO_DAYS_S);
  await till.fault({ kind: 'latency', delay_ms: 1500, amount: 5202, operation: 'authorize' });
  const payment = expectStatus(await pay(5202), 201).json;
  assert.equal(payment.status, 'succeeded');
  const attempts = await till.attempts(payment);
  assert.deepEqual(attempts.map(({ status, tries }) => [status, tries]), [['approved', 0]]);
});

test('of all that look for what is due, one asks about a payment at a time', async () => {
  await restart(0);
  await till.fault({ kind: 'answer_late', delay_ms: 20_000, operation: 'authorize', bank: 'bank-a' });
  await till.fault({ kind: 'error_500', operation: 'look_up', bank: 'bank-a' });
  await till.fault({ kind: 'webhook_drop' });
  const amounts = Array.from({ length: 30 }, (_, i) => 5300 + i);
  const payments = await Promise.all(
    amounts.map(async (amount) => expectStatus(await pay(amount), 202).json),
  );
  const asked = async (payment) => {
    const [attempt] = await till.attempts(payment);
    return (await till.calls({ reference: attempt.id })).filter(({ operation }) => operation === 'look_up');
  };
  const [last] = payments.slice(-1);
  await waitFor('the second question', async () => (await asked(last)).length >= 2, { within: 30_000 });
  for (const payment of payments) {
    const times = (await asked(payment)).map(({ time }) => Date.parse(time));
    times.slice(1).forEach((time, i) => {
      const gap = time - times[i];
      assert.ok(gap >= FIRST_WAIT_MS - SLACK_MS, `${payment.id} was asked about after ${gap} ms`);
    });
  }
  await till.noFaults();
  await Promise.all(payments.map((payment) => till.until(payment, 'succeeded', { within: 60_000 })));
});
