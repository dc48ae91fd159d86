/*
 * Vouchers and the orders that use them: an order redeems its voucher once, whatever comes twice,
 * late or never, and gives it back when it is canceled or expires.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { expectCleanAudit, untilQuiet } from '../support/audit.js';
import { holdLock, openSuperuser } from '../support/database.js';
import { openDesk } from '../support/desk.js';
import { expectProblem, expectStatus, invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

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

/** The value of a metric without labels of the voucher-service. */
async function metricOf(name) {
  const { text } = expectStatus(await desk.vouchers.get('/metrics'), 200);
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)[1]);
}

/** Nothing is left that time will change by itself: then the audit meets no change. */
async function untilSettled() {
  const sql = `SELECT count(*) FROM vouchers WHERE (status = 'active' AND expires_at <= now())
               OR (status = 'reserved' AND lapses_at <= now())`;
  await untilQuiet(stack);
  await waitUntilEqual('vouchers that are over', async () => Number(await desk.god.value(sql)), 0);
}

/** The consumer can not move on until `release()`. */
const holdConsumer = () =>
  holdLock(
    stack,
    'vouchers',
    "SELECT sequence FROM consumer_position WHERE source = 'order-service' FOR UPDATE",
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
    assert.equal(Number(await desk.database.value("SELECT count(*) FROM dead_letters WHERE status = 'open'")), 0);
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

test('an order whose voucher somebody else has is put aside, and never redeems it once it is canceled', async () => {
  const [voucher] = await desk.earn();
  const late = await holdConsumer();
  const made = await use(voucher);
  await desk.bend("UPDATE vouchers SET reservation_holder = 'thief' WHERE id = $1", voucher.id);
  await late.release();
  const letter = await waitFor('the dead letter', async (seen) => {
    const letters = await desk.operator.all('/v1/dead_letters', { status: 'open' });
    seen(letters);
    return letters.find(({ reason }) => reason === 'voucher_reserved');
  });
  assert.equal(await desk.statusOf(voucher), 'reserved');
  await shop.move(made.id, 'canceled');
  await untilQuiet(stack);
  assert.deepEqual(await redemptionsOf(voucher), [{ order_id: made.id, open: false }]);
  expectStatus(await desk.release(voucher, 'thief'), 200);
  const replay = `/v1/dead_letters/${letter.id}/replay`;
  const { status } = await desk.operator.request('POST', replay);
  assert.ok(status < 300, `replaying: ${status}`);
  assert.deepEqual(await desk.typesOf(voucher), ['issued', 'reserved', 'released']);
});

describe('a reservation that is over', () => {
  const putOff = () => metricOf('checkout_voucher_lapses_put_off_total');

  /** Waits until the service has wanted to end reservations, and could not, so many times more. */
  async function untilPutOff(times) {
    const before = await putOff();
    await waitFor('reservations to wait for the order log', async (seen) => {
      const now = await putOff();
      seen(now - before);
      return now - before >= times;
    });
  }

  test('lapses: the voucher is active again, or over', async () => {
    const [back, late, undone] = await desk.earn(3);
    for (const voucher of [back, late, undone]) {
      expectStatus(await desk.reserve(voucher, 'till 1', { ttl_s: 1 }), 200);
    }
    await desk.endTime(late);
    await shop.move(undone.order_id, 'returned');
    await untilStatus(back, 'active');
    await untilStatus(late, 'expired');
    await untilStatus(undone, 'voided');
    assert.deepEqual(await desk.typesOf(back), ['issued', 'reserved', 'released']);
    assert.deepEqual(await desk.typesOf(late), ['issued', 'reserved', 'expired']);
    assert.deepEqual(await desk.typesOf(undone), ['issued', 'reserved', 'voided']);
    expectStatus(await desk.reserve(back, 'till 2'), 200);
  });

  test('a consumer that is late by an hour takes no voucher from a live order', async () => {
    const [used, unused] = await desk.earn(2);
    const late = await holdConsumer();
    try {
      const { id } = await use(used);
      expectStatus(await desk.reserve(unused, 'till 1'), 200);
      for (const voucher of [used, unused]) await desk.endReservation(voucher);
      await untilPutOff(2);
      for (const voucher of [used, unused]) {
        assert.equal(await desk.statusOf(voucher), 'reserved');
        expectProblem(await desk.reserve(voucher, 'somebody else'), 409, 'voucher_reserved');
      }
      await late.release();
      await untilStatus(used, 'redeemed');
      await untilStatus(unused, 'active');
      assert.equal((await desk.read(used)).redemption.order_id, id);
      assert.deepEqual(await desk.typesOf(used), ['issued', 'reserved', 'redeemed']);
    } finally {
      await late.release();
    }
  });

  test('stays while the order-service is away, and may be held for longer', async () => {
    const [voucher, extended] = await desk.earn(2);
    const frozen = await stack.freeze('order-service');
    try {
      for (const each of [voucher, extended]) {
        expectStatus(await desk.reserve(each, 'till 1', { ttl_s: 60 }), 200);
        await desk.endReservation(each);
      }
      await untilPutOff(1);
      assert.equal(await desk.statusOf(voucher), 'reserved');
      expectStatus(await desk.reserve(extended, 'till 1', { ttl_s: 900 }), 200);
    } finally {
      frozen.thaw();
    }
    await untilStatus(voucher, 'active');
    assert.equal(await desk.statusOf(extended), 'reserved');
  });
});

test('redeeming against expiring against canceling, 200 rounds, leaves no voucher with a dead order', async () => {
  const vouchers = await desk.earn(200);
  const rounds = vouchers.map((voucher, i) => async () => {
    const ending = i % 2 === 0 ? desk.endTime(voucher) : undefined;
    const body = invoice(13700, { voucher_code: voucher.code });
    const answer = await shop.post('/v1/orders', body, { key: newKey() });
    if (answer.status === 201 && i % 4 !== 3) {
      await Promise.all([shop.move(answer.json.id, 'canceled'), desk.endTime(voucher)]);
    } else if (answer.status !== 201) {
      expectProblem(answer, 409, 'voucher_expired');
    }
    await ending;
  });
  for (let i = 0; i < rounds.length; i += 25) {
    await Promise.all(rounds.slice(i, i + 25).map((round) => round()));
  }
  await untilSettled();
  await expectCleanAudit(stack);
});

test('after all of it the audit is clean, and nothing became a dead letter', async () => {
  await untilSettled();
  await expectCleanAudit(stack);
  assert.equal(Number(await desk.database.value("SELECT count(*) FROM dead_letters WHERE status = 'open'")), 0);
});
