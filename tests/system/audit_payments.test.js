/*
 * The audit of payments: each invariant about them, broken by hand in our book or in the bank's, is
 * named with its row.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { expectBroken, expectCleanAudit } from '../support/audit.js';
import { openSuperuser } from '../support/database.js';
import { expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, openTill } from '../support/till.js';

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
const orders = await openSuperuser(stack, 'orders');
const payments = await openSuperuser(stack, 'payments');
const bank = await openSuperuser(stack, 'bank');
after(() => Promise.all([till, orders, payments, bank].map((opened) => opened.close())));

const ids = {};

/* The id of no object. */
const NOTHING = '01940000-0000-7000-8000-00000000dead';

before(async () => {
  const order = await till.order(13_700);
  ids.order = order.id;
  const paid = expectStatus(await till.pay(order, byCard(), {}, { key: 'paid' }), 201).json;
  ids.payment = paid.id;
  const refund = expectStatus(await till.act(paid, 'refunds', { amount: 1000, reason: 'one was broken' }), 201);
  ids.refund = refund.json.id;
  ids.held = (await till.authorized(5000)).id;
  ids.declined = (await till.paid(7000, { payment_method: byCard('4000000000000002') }, 'failed')).id;
  ids.unpaid = (await till.order(2000)).id;
  const canceled = await till.order(3000);
  ids.canceled = canceled.id;
  await till.shop.move(canceled.id, 'canceled');
  await till.untilOrder(order, { payment_status: 'partially_refunded' });
  await expectCleanAudit(stack);
  /* Long ago. */
  await orders.rows("UPDATE orders SET updated_at = now() - interval '1 hour'");
  ids.attempt = await payments.value('SELECT authorization_id FROM payments WHERE id = $1', [ids.payment]);
});

test('the audit of a stack that was paid is clean', async () => {
  await expectCleanAudit(stack);
  const invariants = JSON.parse((await stack.must(['audit', '--json'])).stdout);
  for (const id of ['I7', 'I8', 'I11', 'I12']) {
    assert.ok(invariants.find((invariant) => invariant.id === id)?.ok, id);
  }
});

/* ---- what is broken, and how it is mended ----------------------------------------------------- */

const set = (table, id, what, back) => [
  () => `UPDATE ${table} SET ${what} WHERE id = '${id()}'`,
  () => `UPDATE ${table} SET ${back} WHERE id = '${id()}'`,
];

const setBoth = (sql, back) => [() => sql, () => back];

const payment = (what, back) => set('payments', () => ids.payment, what, back);
const attempt = (what, back) => set('attempts', () => ids.attempt, what, back);
const payable = (id, what, back) => set('payable_orders', () => ids[id], what, back);

/** Something that is there once more, under the id of nothing. */
const again = (table, id, column = 'id') => [
  () => `CREATE TEMP TABLE twice AS SELECT * FROM ${table} WHERE ${column} = '${id()}';
         UPDATE twice SET ${column} = '${NOTHING}';
         INSERT INTO ${table} TABLE twice`,
  () => `DELETE FROM ${table} WHERE ${column} = '${NOTHING}'; DROP TABLE twice`,
];

const withoutRow = (table, id) => [
  () => `CREATE TEMP TABLE kept AS SELECT * FROM ${table} WHERE id = '${id()}';
         DELETE FROM ${table} WHERE id = '${id()}'`,
  () => `INSERT INTO ${table} TABLE kept; DROP TABLE kept`,
];

const inEvent = (id, members) => [
  () => `CREATE TEMP TABLE kept AS SELECT stream, sequence, data FROM events WHERE subject = '${id()}';
         UPDATE events SET data = (data::jsonb || '${JSON.stringify(members)}')::json WHERE subject = '${id()}'`,
  () => `UPDATE events SET data = kept.data FROM kept
         WHERE (events.stream, events.sequence) = (kept.stream, kept.sequence); DROP TABLE kept`,
];

const aKey = (key, status, version) => [
  () => `INSERT INTO idempotency_keys (stream, merchant_id, scope, key, body_hash, status, subject,
                                       subject_version, created_at)
         VALUES (0, 'demo', 'POST /v1/payments', '${key}', sha256(''), ${status}, '${ids.payment}', ${version}, now())`,
  () => `DELETE FROM idempotency_keys WHERE key = '${key}'`,
];

const aDeadLetter = (payload) => [
  () => `INSERT INTO dead_letters (id, source, stream, reason, detail, payload, payload_hash, created_at)
         VALUES ('${NOTHING}', 'order-service', 0, 'r', 'd', '${payload}', sha256(''), now())`,
  () => `DELETE FROM dead_letters WHERE id = '${NOTHING}'`,
];

const NUMBER = '4242424242424242';
const SECRET = `ck_thief_${'a'.repeat(43)}`;

/* What is done, the invariant that must notice, and to which database. */
const breaks = [
  ['a payment that changed without an event', 'I2', payments, payment('version = version + 1', 'version = version - 1')],
  ['a payment that is not what its newest event says', 'I2', payments, payment("dispute_status = 'open'", "dispute_status = 'none'")],
  ['a payment whose event tells of another amount', 'I2', payments, inEvent(() => ids.held, { amount: 4999 })],
  ['a refund that is not what its newest event says', 'I2', payments,
    set('refunds', () => ids.refund, "status = 'failed'", "status = 'succeeded'")],
  ['an event of payments of a type that there is not', 'I2', payments,
    setBoth("UPDATE events SET type = 'payment.lost' WHERE type = 'payment.authorized'",
            "UPDATE events SET type = 'payment.authorized' WHERE type = 'payment.lost'")],
  ['a hole in the log of payments', 'I3', payments,
    setBoth('UPDATE events SET sequence = 1000 WHERE sequence = 2', 'UPDATE events SET sequence = 2 WHERE sequence = 1000')],
  ['an event of payments that was not announced', 'I4', payments,
    setBoth('UPDATE relay_position SET sequence = sequence - 1', 'UPDATE relay_position SET sequence = sequence + 1')],
  ...[payments, orders].map((database, i) => [
    `a position of ${['payments', 'orders'][i]} that skipped ahead`, 'I4', database,
    setBoth('UPDATE consumer_position SET sequence = sequence + 1', 'UPDATE consumer_position SET sequence = sequence - 1'),
  ]),
  ['an open dead letter of payments', 'I4', payments, aDeadLetter('x')],

  ['an order that says less than its payments', 'I7', orders,
    set('orders', () => ids.order, "payment_status = 'unpaid'", "payment_status = 'partially_refunded'")],
  ['an order that is paid without a payment', 'I7', orders,
    set('orders', () => ids.unpaid, "status = 'paid'", "status = 'pending'")],
  ['a payment of an order that there is not', 'I7', payments,
    [() => `UPDATE payments SET order_id = '${NOTHING}' WHERE id = '${ids.payment}'`,
     () => `UPDATE payments SET order_id = '${ids.order}' WHERE id = '${ids.payment}'`]],
  ['a payment in another currency than its order', 'I7', payments, payment("currency = 'USD'", "currency = 'EUR'")],
  ['an order that the payments do not know', 'I7', payments, withoutRow('payable_orders', () => ids.unpaid)],
  ['a canceled order that the payments still wait for', 'I7', payments, payable('canceled', 'closed = false', 'closed = true')],
  ['an order with more reserved than its payments', 'I7', payments,
    payable('unpaid', 'amount_reserved = 1', 'amount_reserved = 0')],
  ['an order with less paid than its payments', 'I7', payments,
    payable('order', 'amount_paid = amount_paid - 1', 'amount_paid = amount_paid + 1')],
  ['a payment that gave back more than its refunds', 'I7', payments,
    payment('amount_refunded = amount_refunded + 1', 'amount_refunded = amount_refunded - 1')],

  ['an attempt of another amount than at the bank', 'I8', payments, attempt('amount = amount - 1', 'amount = amount + 1')],
  ['an attempt that was declined though the bank approved it', 'I8', payments,
    attempt("status = 'declined'", "status = 'approved'")],
  ['an attempt that did nothing though the bank approved it', 'I8', payments,
    attempt("status = 'error'", "status = 'approved'")],
  ['an attempt that the bank never saw', 'I8', payments, again('attempts', () => ids.attempt)],
  ['a call that nobody made', 'I8', payments, withoutRow('attempts', () => ids.attempt)],
  ['a call of another merchant', 'I8', payments, attempt("merchant_id = 'other'", "merchant_id = 'demo'")],
  ['another currency at the bank', 'I8', bank,
    [() => `UPDATE operations SET currency = 'USD' WHERE reference = '${ids.attempt}'`,
     () => `UPDATE operations SET currency = 'EUR' WHERE reference = '${ids.attempt}'`]],
  ['a bank that took another amount', 'I8', bank,
    [() => `UPDATE entries SET amount_captured = amount_captured + 1 WHERE payment = '${ids.attempt}'`,
     () => `UPDATE entries SET amount_captured = amount_captured - 1 WHERE payment = '${ids.attempt}'`]],
  ['a bank that gave another amount back', 'I8', bank,
    [() => `UPDATE entries SET amount_refunded = amount_refunded + 1 WHERE payment = '${ids.attempt}' AND amount_refunded > 0`,
     () => `UPDATE entries SET amount_refunded = amount_refunded - 1 WHERE payment = '${ids.attempt}' AND amount_refunded > 0`]],
  ['a hold of a payment that was declined', 'I8', bank,
    [() => `UPDATE entries SET phase = 'authorized' WHERE phase = 'refused'`,
     () => `UPDATE entries SET phase = 'refused' WHERE phase = 'authorized'
            AND payment IN (SELECT payment FROM entries WHERE status = 'declined')`]],

  ['two keys that made one payment', 'I10', payments, aKey('second', 201, 1)],
  ['a key of a payment whose answer is not there', 'I10', payments, aKey('lost', 200, 99)],

  ['an attempt that nobody has asked for in time', 'I11', payments,
    attempt("status = 'unknown', resolve_at = now() - interval '2 minutes'", "status = 'approved', resolve_at = NULL")],
  ['an attempt that nobody will ask for', 'I11', payments,
    attempt("status = 'unknown', resolve_at = now() + interval '3 days'", "status = 'approved', resolve_at = NULL")],
  ['a payment in processing without an attempt', 'I11', payments,
    set('payments', () => ids.declined, "status = 'processing'", "status = 'failed'")],
  ['a refund that is pending without an attempt', 'I11', payments,
    set('refunds', () => ids.refund, "status = 'pending'", "status = 'succeeded'")],
  ['a capture under way without an attempt', 'I11', payments,
    set('payments', () => ids.held, `operation = 'capture', operation_id = '${NOTHING}'`,
        'operation = NULL, operation_id = NULL')],
  ['a payment that is not given back', 'I11', payments,
    payment("to_undo = true, updated_at = updated_at - interval '1 hour'",
            "to_undo = false, updated_at = updated_at + interval '1 hour'")],
  ['an authorization that does not expire', 'I11', payments,
    set('payments', () => ids.held, "expires_at = expires_at - interval '8 days'", "expires_at = expires_at + interval '8 days'")],
  ['an order that ended and is not given back', 'I11', payments, payable('canceled', 'to_undo = true', 'to_undo = false')],

  ['a card number in an event', 'I12', payments, inEvent(() => ids.held, { number: NUMBER })],
  ['a card number in an order\'s event, between words', 'I12', orders,
    inEvent(() => ids.unpaid, { metadata: { note: 'my card is 4242 4242 4242 4242.' } })],
  ['a card number in an event, grouped as it is printed on some cards', 'I12', payments,
    inEvent(() => ids.held, { card: { note: '3782 822463 10005' } })],
  ['a card number in an event, before more digits', 'I12', payments,
    inEvent(() => ids.held, { card: { note: '4242 4242 4242 4242-123456789012' } })],
  ['the code of a card', 'I12', payments, inEvent(() => ids.held, { card: { cvc: '836' } })],
  ['a card number as a shop\'s reference', 'I12', orders,
    set('orders', () => ids.unpaid, `client_reference = '${NUMBER}'`, 'client_reference = NULL')],
  ['a card number as the reason of a refund', 'I12', payments,
    set('refunds', () => ids.refund, "reason = 'card 378282246310005'", "reason = 'one was broken'")],
  ['a card number as an Idempotency-Key', 'I12', payments, aKey(NUMBER, 200, 1)],
  ['a card number in a dead letter', 'I12', payments, aDeadLetter(`{"number":"${NUMBER}"}`)],
  ['the secret of an API key', 'I12', orders,
    set('orders', () => ids.unpaid, `metadata = '{"key": "${SECRET}"}'`, "metadata = '{}'")],
];

test('each invariant about payments, broken by hand, is found', async (t) => {
  /* Nobody may repair, or stumble over, what is broken here. */
  for (const name of ['order-service', 'payment-service', 'voucher-service', 'bank-simulator']) {
    await stack.kill(name);
  }
  for (const [what, id, database, [breaking, mending]] of breaks) {
    await t.test(`${id} finds ${what}`, () =>
      expectBroken(
        stack,
        id,
        () => database.rows(breaking()),
        () => database.rows(mending()),
      ),
    );
  }
  await stack.must(['audit']);
});

test('what only looks like a card number is none', async () => {
  const harmless = {
    metadata: { barcode: '4006381333931', trace: `a${NUMBER}`, id: `${NUMBER}0000`, number: '************4242' },
    lines: [{ sku: NUMBER }],
    amount: 4242424242424242,
  };
  const [breaking, mending] = inEvent(() => ids.unpaid, harmless);
  await orders.rows(breaking());
  const audit = await stack.launch(['audit', '--json']).finally(() => orders.rows(mending()));
  const found = JSON.parse(audit.stdout).find((invariant) => invariant.id === 'I12');
  assert.deepEqual(found.rows, []);
});
