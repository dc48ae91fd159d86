/*
 * Vouchers and the orders that use them: an order redeems its voucher once, whatever comes twice,
 * late or never, and gives it back when it is canceled or expires.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { expectCleanAudit, untilQuiet } from '../support/audit.js';
import { openSuperuser } from '../support/database.js';
import { openDesk } from '../support/desk.js';
import { expectProblem, expectStatus, invoice, newKey, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitUntilEqual } from '../support/wait.js';

/* An order may use a quarter of it. */
const HOLD_S = 8;

const stack = await startStack({ VOUCHER_HOLD_S: String(HOLD_S) });
after(() => stack.stop());

const desk = await openDesk(stack);
const orders = await openSuperuser(stack, 'orders');
after(() => Promise.all([desk.close(), orders.close()]));
const { shop } = desk;

/** An invoice order of EUR 137.00 with a voucher. */
const use = (voucher, changes, options) =>
  shop.createOrder(invoice(13700, { voucher_code: voucher.code, ...changes }), options);

const untilStatus = (voucher, status) =>
  waitUntilEqual(`the status of voucher ${voucher.id}`, () => desk.statusOf(voucher), status);

const redemptionsOf = ({ id }) =>
  desk.database.rows(
    'SELECT order_id, rolled_back_at IS NULL AS open FROM ops.redemptions WHERE voucher_id = $1 ORDER BY id',
    [id],
  );

/** What becomes of the order log's reader while `work` is done. */
async function withoutConsumer(work) {
  await stack.kill('voucher-service', 'SIGTERM');
  await work();
  stack.start('voucher-service');
  await stack.ready('voucher-service');
}

describe('an order with a voucher', () => {
  test('redeems it', async () => {
    const [voucher] = await desk.earn();
    const made = await use(voucher);
    await untilStatus(voucher, 'redeemed');
    const { redemption, reservation } = await desk.read(voucher);
    assert.equal(redemption.order_id, made.id);
    assert.equal(redemption.reference, null);
    assert.equal(reservation, null);
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'reserved', 'redeemed']);
    expectProblem(await desk.rollBack(redemption), 409, 'redemption_of_order');
    const again = await shop.post('/v1/orders', invoice(13700, { voucher_code: voucher.code }));
    expectProblem(again, 409, 'voucher_redeemed');
  });

  test('gives it back when it is canceled, and another order may use it', async () => {
    const [voucher] = await desk.earn();
    const first = await use(voucher);
    await shop.move(first.id, 'canceled');
    await untilStatus(voucher, 'active');
    const second = await use(voucher);
    await untilStatus(voucher, 'redeemed');
    assert.deepEqual(await redemptionsOf(voucher), [
      { order_id: first.id, open: false },
      { order_id: second.id, open: true },
    ]);
    assert.deepEqual(await desk.typesOf(voucher), [
      'issued',
      'reserved',
      'redeemed',
      'rolled_back',
      'reserved',
      'redeemed',
    ]);
  });

  test('gives it back when it expires', async () => {
    const [voucher] = await desk.earn();
    const { id } = await use(voucher, { payment_terms: 'prepaid' });
    await untilStatus(voucher, 'redeemed');
    await orders.rows("UPDATE orders SET expires_at = now() - interval '1 s' WHERE id = $1", [id]);
    await untilStatus(voucher, 'active');
  });

  test('keeps it when it is returned', async () => {
    const [voucher] = await desk.earn();
    const { id } = await use(voucher);
    for (const status of ['sent', 'returned']) await shop.move(id, status);
    await untilQuiet(stack);
    assert.equal(await desk.statusOf(voucher), 'redeemed');
  });

  test('gives back a voucher whose time is over, or whose own order was returned, as that', async () => {
    const [late, undone] = await desk.earn(2);
    const uses = [await use(late), await use(undone)];
    for (const voucher of [late, undone]) await untilStatus(voucher, 'redeemed');
    await desk.endTime(late);
    await shop.move(undone.order_id, 'returned');
    await untilQuiet(stack);
    assert.equal(await desk.statusOf(undone), 'redeemed', 'it is not taken from the order');
    for (const { id } of uses) await shop.move(id, 'canceled');
    await untilStatus(late, 'expired');
    await untilStatus(undone, 'voided');
    assert.deepEqual(await desk.typesOf(undone), ['issued', 'reserved', 'redeemed', 'voided']);
  });
});

describe('a voucher whose own order is returned', () => {
  test('is voided when its holder gives it back', async () => {
    const [voucher] = await desk.earn();
    expectStatus(await desk.reserve(voucher, 'till 1'), 200);
    await shop.move(voucher.order_id, 'returned');
    await untilQuiet(stack);
    assert.equal(await desk.statusOf(voucher), 'reserved');
    assert.equal(expectStatus(await desk.release(voucher, 'till 1'), 200).json.status, 'voided');
  });
});

describe('exactly once', () => {
  test('the whole log replayed from 0 redeems and rolls back nothing', async () => {
    const [given, taken] = await desk.earn(2);
    const first = await use(given);
    await use(taken);
    await shop.move(first.id, 'canceled');
    await untilStatus(given, 'active');
    await use(given);
    await untilStatus(given, 'redeemed');
    const state = () => desk.database.rows('SELECT id, version FROM vouchers ORDER BY id');
    const before = await state();
    await withoutConsumer(() => desk.god.rows('UPDATE consumer_position SET sequence = 0'));
    await untilQuiet(stack);
    assert.deepEqual(await state(), before);
    assert.equal(Number(await desk.database.value('SELECT count(*) FROM dead_letters')), 0);
  });

  test('orders made, canceled and made again at once leave each voucher with one live order or none', async () => {
    const vouchers = await desk.earn(10);
    const uses = vouchers.flatMap((voucher) =>
      Array.from({ length: 4 }, async (_, i) => {
        const body = invoice(13700, { voucher_code: voucher.code });
        const answer = await shop.post('/v1/orders', body, { key: newKey() });
        if (answer.status !== 201) return expectProblem(answer, 409) && undefined;
        if (i % 2 === 0) await shop.move(answer.json.id, 'canceled');
        return answer.json.id;
      }),
    );
    const made = (await Promise.all(uses)).filter(Boolean);
    assert.ok(made.length >= 10);
    await untilQuiet(stack);
    await expectCleanAudit(stack);
  });
});

test('after all of it the audit is clean, and nothing became a dead letter', async () => {
  await expectCleanAudit(stack);
  assert.equal(Number(await desk.database.value('SELECT count(*) FROM dead_letters')), 0);
});
