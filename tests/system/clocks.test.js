/*
 * Services whose clock is two days ahead or behind: what is kept for a day is kept for a day.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { clockAhead } from '../support/clock.js';
import { openSuperuser } from '../support/database.js';
import { expectStatus, newKey, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitUntilEqual } from '../support/wait.js';

const TWO_DAYS_S = 2 * 86_400;

const stack = await startStack();
after(() => stack.stop());
const orders = await openSuperuser(stack, 'orders');
after(() => orders.close());
const shop = stack.shop();

const make = (key) => shop.post('/v1/orders', order(), { key });

/** Starts order-service anew with such a clock. */
async function restart(secondsAhead) {
  await stack.kill('order-service', 'SIGTERM');
  stack.start('order-service', clockAhead(secondsAhead));
  await stack.ready('order-service');
}

/** Leaves a key that is really old; what is returned waits until such keys were forgotten. */
async function leaveOldKey() {
  const old = newKey();
  await orders.rows(
    `INSERT INTO idempotency_keys (stream, merchant_id, scope, key, body_hash, status, subject,
                                   subject_version, created_at)
     VALUES (0, 'demo', 'test', $1, sha256(''), 200, gen_random_uuid(), 1, now() - interval '25 hours')`,
    [old],
  );
  return () =>
    waitUntilEqual(
      'keys of yesterday',
      async () => Number(await orders.value('SELECT count(*) FROM idempotency_keys WHERE key = $1', [old])),
      0,
    );
}

for (const [what, first, second] of [
  ['two days ahead forgets no answer of today', 0, TWO_DAYS_S],
  ['that was two days behind has its answers kept', -TWO_DAYS_S, 0],
]) {
  test(`a service ${what}`, async () => {
    const key = newKey();
    await restart(first);
    const made = expectStatus(await make(key), 201);
    const untilForgotten = await leaveOldKey();
    await restart(second);
    await untilForgotten();
    const again = expectStatus(await make(key), 201);
    assert.equal(again.json.id, made.json.id);
  });
}

test('a service two days ahead expires no order of today', async () => {
  await restart(TWO_DAYS_S);
  const [unpaid, first, second] = [await make(), await make(), await make()].map(({ json }) => json);
  const statusOf = async ({ id }) => (await shop.get(`/v1/orders/${id}`)).json.status;
  const endIn = (seconds, { id }) =>
    orders.rows('UPDATE orders SET expires_at = now() + make_interval(secs => $1) WHERE id = $2', [seconds, id]);
  await endIn(3600, unpaid);
  /* One round after the other: what the first one ends is over when the second one begins. */
  for (const overdue of [first, second]) {
    await endIn(-1, overdue);
    await waitUntilEqual('the order that is overdue', () => statusOf(overdue), 'expired');
  }
  assert.equal(await statusOf(unpaid), 'pending');
});
