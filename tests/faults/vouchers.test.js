/*
 * Deaths between reserving a voucher and committing the order that wants it, at every point there is:
 * whoever repeats the request with its key has order and voucher; if nobody does, the voucher is free
 * again or its order is there.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit } from '../support/audit.js';
import { openInspector, openSuperuser } from '../support/database.js';
import { expectStatus, invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';
import { earnVouchers, untilVoucher } from '../support/wallet.js';

const ROUNDS = Number(process.env.TEST_ROUNDS ?? 1);

/* Short, so that reservations lapse while the test watches. */
const HOLD_S = 4;

const stack = await startStack({ VOUCHER_HOLD_S: String(HOLD_S) });
after(() => stack.stop());

const shop = stack.shop();
const vouchers = stack.vouchers();
const orders = await openInspector(stack, 'orders');
const superusers = {
  'order-service': await openSuperuser(stack, 'orders'),
  'voucher-service': await openSuperuser(stack, 'vouchers'),
};
after(() => Promise.all([orders, ...Object.values(superusers)].map((each) => each.close())));

/** The point, the service that dies there, and whether the order is committed by then. */
const points = [
  ['order:before_reserve', 'order-service', false],
  ['voucher:reserved', 'voucher-service', false],
  ['order:after_reserve', 'order-service', false],
  ['transaction:before_commit', 'order-service', false],
  ['transaction:commit_sent', 'order-service', true],
  ['journal:before_answer', 'order-service', true],
];

/* A dead holder's lease would last for seconds more, which is another test's. */
async function revive(service, environment) {
  await superusers[service].rows('UPDATE leases SET expires_at = now()');
  const child = stack.start(service, { environment });
  await stack.ready(service);
  return child;
}

/** Asks for an order with a voucher from a service that dies at the point; returns the request. */
async function askAndDie(point, service) {
  const [voucher] = await earnVouchers(stack, 1);
  await stack.kill(service);
  const child = await revive(service, { CRASH_POINT: point });
  const key = newKey();
  const body = invoice(13700, { voucher_code: voucher.code, client_reference: key });
  const ask = () => shop.post('/v1/orders', body, { key });
  const answer = await ask().catch((error) => ({ error }));
  assert.ok(answer.error || answer.status === 503, `${point} was not passed: ${answer.text}`);
  await waitFor(`the ${service} to die at ${point}`, () => child.signalCode === 'SIGKILL');
  await revive(service);
  return { voucher, key, ask };
}

const ordersOf = (key) =>
  orders.rows('SELECT id, status FROM orders WHERE client_reference = $1', [key]);

for (const [point, service, committed] of points) {
  test(`a repeat after the ${service} died at ${point} has order and voucher`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { voucher, key, ask } = await askAndDie(point, service);
      const answer = expectStatus(await ask(), 201);
      assert.equal(answer.json.amount_due, 13200);
      assert.equal(answer.headers['idempotent-replayed'], committed ? 'true' : undefined);
      assert.equal((await ask()).text, answer.text);
      const redeemed = await untilVoucher(vouchers, voucher.id, 'redeemed');
      assert.equal(redeemed.redemption.order_id, answer.json.id);
      assert.equal((await ordersOf(key)).length, 1);
    }
  });

  test(`nobody repeats after the ${service} died at ${point}: the voucher is ${committed ? 'redeemed' : 'free again'}`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { voucher, key } = await askAndDie(point, service);
      const status = committed ? 'redeemed' : 'active';
      await untilVoucher(vouchers, voucher.id, status, { within: (HOLD_S + 20) * 1000 });
      assert.equal((await ordersOf(key)).length, committed ? 1 : 0);
    }
  });
}

test('afterwards the audit is clean', async () => {
  await expectCleanAudit(stack);
});
