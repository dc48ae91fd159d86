/*
 * The audit: it is clean when all is well, and each invariant, broken by hand, is named with its row.
 * (Those about payments are broken in audit_payments.test.js.)
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { expectBroken, expectCleanAudit, untilQuiet } from '../support/audit.js';
import { openSuperuser } from '../support/database.js';
import { invoice } from '../support/shop.js';
import { startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const orders = await openSuperuser(stack, 'orders');
const vouchers = await openSuperuser(stack, 'vouchers');
after(() => Promise.all([orders.close(), vouchers.close()]));

const ids = {};

/* The id of no object. */
const NOTHING = '01940000-0000-7000-8000-00000000dead';

const voucherOf = (orderId, column) =>
  vouchers.value(`SELECT ${column} FROM vouchers WHERE order_id = $1`, [orderId]);

before(async () => {
  ids.rich = (await shop.sendOrder(13_700, {}, { key: 'rich' })).id;
  ids.poor = (await shop.sendOrder(10_000, {}, { key: 'poor' })).id;
  await untilQuiet(stack);
  ids.voucher = await voucherOf(ids.rich, 'id');
  ids.source = (await shop.sendOrder(20_000)).id;
  await untilQuiet(stack);
  ids.spent = await voucherOf(ids.source, 'id');
  const voucher_code = await voucherOf(ids.source, 'code');
  ids.user = (await shop.createOrder(invoice(13_700, { voucher_code }))).id;
  await untilQuiet(stack);
});

test('the audit of a stack at work is clean, and names every invariant it proved', async () => {
  await expectCleanAudit(stack);
  const invariants = JSON.parse((await stack.must(['audit', '--json'])).stdout);
  assert.deepEqual(
    invariants.map((invariant) => invariant.id),
    ['I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I10', 'I11', 'I12'],
  );
  const table = await stack.must(['audit']);
  assert.equal(table.stdout.trim().split('\n').length, invariants.length);
});

const anEvent = (subject, version, type) => `
  INSERT INTO events (stream, sequence, id, merchant_id, type, subject, subject_version, time, traceparent, data)
  SELECT 0, (SELECT max(sequence) + 1 FROM events), gen_random_uuid(), 'demo', '${type}',
         '${subject}', ${version}, now(), '', data
  FROM events ORDER BY sequence DESC LIMIT 1`;

const lastEventGone = 'DELETE FROM events WHERE sequence = (SELECT max(sequence) FROM events)';

const aKey = (key, status, subject, version) => `
  INSERT INTO idempotency_keys (stream, merchant_id, scope, key, body_hash, status, subject,
                                subject_version, created_at)
  VALUES (0, 'demo', 'POST /v1/orders', '${key}', sha256(''), ${status}, '${subject}', ${version}, now())`;

const withoutKey = (key) => `DELETE FROM idempotency_keys WHERE key = '${key}'`;

const newestOf = (subject) => `subject = '${subject}' AND subject_version = 2`;

/** Has an order use a voucher, or none. */
const usedBy = (order, voucher, value = 0) => `
  UPDATE orders SET voucher_id = ${voucher ? `'${voucher}'` : 'NULL'},
                    voucher_holder = ${voucher ? `'order:x'` : 'NULL'},
                    voucher_value_amount = ${voucher ? value : 'NULL'},
                    amount_due = total_amount - ${value}
  WHERE id = '${order}'`;

/* What is done to which database, how it is undone, and the invariant that must notice. */
const breaks = [
  [
    'an order that changed without an event',
    'I2',
    orders,
    () => `UPDATE orders SET version = version + 1 WHERE id = '${ids.poor}'`,
    () => `UPDATE orders SET version = version - 1 WHERE id = '${ids.poor}'`,
  ],
  [
    'an order that is not what its newest event says',
    'I2',
    orders,
    () => `UPDATE orders SET status = 'delivered' WHERE id = '${ids.poor}'`,
    () => `UPDATE orders SET status = 'sent' WHERE id = '${ids.poor}'`,
  ],
  [
    'an event without a change',
    'I2',
    orders,
    () => anEvent(ids.poor, 3, 'order.delivered'),
    () => lastEventGone,
  ],
  [
    'an event of nothing',
    'I2',
    orders,
    () => anEvent(NOTHING, 1, 'order.created'),
    () => lastEventGone,
  ],
  [
    'a voucher that is not what its newest event says',
    'I2',
    vouchers,
    () => `UPDATE vouchers SET status = 'expired' WHERE id = '${ids.voucher}'`,
    () => `UPDATE vouchers SET status = 'active' WHERE id = '${ids.voucher}'`,
  ],
  [
    'an event that does not say what the order costs',
    'I2',
    orders,
    () => `UPDATE events SET data = (data::jsonb - 'total_amount')::json WHERE ${newestOf(ids.poor)}`,
    () =>
      `UPDATE events SET data = (data::jsonb || '{"total_amount": 10000}')::json WHERE ${newestOf(ids.poor)}`,
  ],
  [
    'an event of a type that there is not',
    'I2',
    vouchers,
    () => `UPDATE events SET type = 'voucher.lost' WHERE subject = '${ids.voucher}'`,
    () => `UPDATE events SET type = 'voucher.issued' WHERE subject = '${ids.voucher}'`,
  ],
  [
    'a hole in a log',
    'I3',
    orders,
    () => 'UPDATE events SET sequence = 1000 WHERE sequence = 2',
    () => 'UPDATE events SET sequence = 2 WHERE sequence = 1000',
  ],
  [
    'an event that was not announced',
    'I4',
    orders,
    () => 'UPDATE relay_position SET sequence = sequence - 1',
    () => 'UPDATE relay_position SET sequence = sequence + 1',
  ],
  [
    'a consumer that skipped ahead',
    'I4',
    vouchers,
    () => 'UPDATE consumer_position SET sequence = sequence + 1',
    () => 'UPDATE consumer_position SET sequence = sequence - 1',
  ],
  [
    'an open dead letter',
    'I4',
    vouchers,
    () =>
      `INSERT INTO dead_letters (id, source, stream, reason, detail, payload, payload_hash, created_at)
     VALUES ('01940000-0000-7000-8000-00000000dead', 'order-service', 0, 'r', 'd', '', sha256(''), now())`,
    () => `DELETE FROM dead_letters WHERE id = '01940000-0000-7000-8000-00000000dead'`,
  ],
  [
    'a voucher that is worth something else',
    'I5',
    vouchers,
    () => `UPDATE vouchers SET value_amount = 501 WHERE id = '${ids.voucher}'`,
    () => `UPDATE vouchers SET value_amount = 500 WHERE id = '${ids.voucher}'`,
  ],
  [
    'an order without a voucher, hidden by a rule that is too young',
    'I5',
    vouchers,
    () => `CREATE TEMP TABLE kept AS SELECT * FROM vouchers WHERE id = '${ids.voucher}';
           DELETE FROM vouchers WHERE id = '${ids.voucher}';
           UPDATE voucher_rules SET created_at = now()`,
    () => `INSERT INTO vouchers TABLE kept;
           UPDATE voucher_rules SET created_at = '2000-01-01Z'`,
  ],
  [
    'a voucher for exactly EUR 100.00, and none for more',
    'I5',
    vouchers,
    () => `UPDATE vouchers SET order_id = '${ids.poor}' WHERE id = '${ids.voucher}'`,
    () => `UPDATE vouchers SET order_id = '${ids.rich}' WHERE id = '${ids.voucher}'`,
  ],
  [
    'a voucher of an order of another merchant',
    'I5',
    vouchers,
    () => `UPDATE vouchers SET merchant_id = 'other' WHERE id = '${ids.voucher}'`,
    () => `UPDATE vouchers SET merchant_id = 'demo' WHERE id = '${ids.voucher}'`,
  ],
  [
    'a usable voucher of a returned order',
    'I6',
    orders,
    () => `UPDATE orders SET status = 'returned' WHERE id = '${ids.rich}'`,
    () => `UPDATE orders SET status = 'sent' WHERE id = '${ids.rich}'`,
  ],
  [
    'a voucher in use that does not know that its order was returned',
    'I6',
    orders,
    () => `UPDATE orders SET status = 'returned' WHERE id = '${ids.source}'`,
    () => `UPDATE orders SET status = 'sent' WHERE id = '${ids.source}'`,
  ],
  ...['canceled', 'expired'].map((status) => [
    `a voucher that was redeemed by an order that is ${status}`,
    'I6',
    orders,
    () => `UPDATE orders SET status = '${status}' WHERE id = '${ids.user}'`,
    () => `UPDATE orders SET status = 'pending' WHERE id = '${ids.user}'`,
  ]),
  [
    'a redeemed voucher whose redemption was rolled back',
    'I6',
    vouchers,
    () => 'UPDATE redemptions SET rolled_back_at = now()',
    () => 'UPDATE redemptions SET rolled_back_at = NULL',
  ],
  [
    'a redemption of an order that uses no voucher',
    'I6',
    vouchers,
    () => `UPDATE redemptions SET order_id = '${ids.poor}'`,
    () => `UPDATE redemptions SET order_id = '${ids.user}'`,
  ],
  [
    'a voucher with two open redemptions',
    'I6',
    vouchers,
    () => `DROP INDEX redemptions_open;
           INSERT INTO redemptions (stream, id, voucher_id, merchant_id, reference, redeemed_at)
           VALUES (0, '${NOTHING}', '${ids.spent}', 'demo', 'r', now())`,
    () => `DELETE FROM redemptions WHERE id = '${NOTHING}';
           CREATE UNIQUE INDEX redemptions_open ON redemptions (stream, voucher_id)
           WHERE rolled_back_at IS NULL`,
  ],
  [
    'an order whose voucher was not redeemed',
    'I6',
    orders,
    () => usedBy(ids.poor, ids.voucher, 500),
    () => usedBy(ids.poor),
  ],
  [
    'an order with a voucher that there is not',
    'I6',
    orders,
    () => usedBy(ids.poor, NOTHING, 500),
    () => usedBy(ids.poor),
  ],
  [
    'an order that uses the voucher it has earned',
    'I6',
    orders,
    () => usedBy(ids.rich, ids.voucher, 500),
    () => usedBy(ids.rich),
  ],
  [
    'an order that deducted more than its voucher is worth',
    'I6',
    orders,
    () => usedBy(ids.user, ids.spent, 600),
    () => usedBy(ids.user, ids.spent, 500),
  ],
  [
    'a key whose answer is not there',
    'I10',
    orders,
    () => aKey('lost', 200, ids.poor, 99),
    () => withoutKey('lost'),
  ],
  [
    'two keys that created one order',
    'I10',
    orders,
    () => aKey('second', 201, ids.poor, 1),
    () => withoutKey('second'),
  ],
];

test('each invariant, broken by hand, is found', async (t) => {
  /* Nobody may repair, or stumble over, what is broken here. */
  for (const name of ['order-service', 'payment-service', 'voucher-service']) await stack.kill(name);
  for (const [what, id, database, breaking, mending] of breaks) {
    await t.test(`${id} finds ${what}`, async () => {
      await expectBroken(
        stack,
        id,
        () => database.rows(breaking()),
        () => database.rows(mending()),
      );
    });
  }
});

test('what was mended is clean again, and a broken invariant shows its rows in the table', async () => {
  await stack.must(['audit']);
  await orders.rows('UPDATE relay_position SET sequence = sequence - 1');
  const table = await stack.launch(['audit']);
  await orders.rows('UPDATE relay_position SET sequence = sequence + 1');
  assert.equal(table.code, 1);
  assert.match(table.stdout, /^I4 +1 +BROKEN .*\n +reader=relay of orders/m);
});
