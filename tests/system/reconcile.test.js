/*
 * `./checkout reconcile`: a day's settlements of every bank against our book, row by row.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { expectCleanAudit } from '../support/audit.js';
import { openSuperuser } from '../support/database.js';
import { expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, byTransfer, openTill } from '../support/till.js';

const RETURNED = '4000000000005126';

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
const payments = await openSuperuser(stack, 'payments');
const bank = await openSuperuser(stack, 'bank');
after(() => Promise.all([till, payments, bank].map((opened) => opened.close())));

const DAY_MS = 86_400_000;
const today = new Date().toISOString().slice(0, 10);
const daysAgo = (days) => new Date(Date.parse(today) - days * DAY_MS).toISOString().slice(0, 10);

/** Runs it; { code, stdout, stderr, report }. */
async function reconcile(date = today) {
  const result = await stack.launch(['reconcile', '--date', date, '--json']);
  assert.notEqual(result.stdout, '', result.stderr);
  return { ...result, report: JSON.parse(result.stdout) };
}

const attemptOf = (id) => payments.value('SELECT authorization_id FROM payments WHERE id = $1', [id]);

let reference;

before(async () => {
  const paid = await till.paid(13_700);
  reference = await attemptOf(paid.id);
  expectStatus(await till.act(paid, 'refunds', { amount: 700, reason: 'late' }), 201);

  const held = await till.authorized(5000);
  expectStatus(await till.act(held, 'capture', { amount: 3000 }), 200);
  expectStatus(await till.act(await till.authorized(4000), 'cancel'), 200);
  await till.paid(2000, { payment_method: byCard('4000000000000002') }, 'failed');

  await till.paid(9900, { currency: 'AED' });
  await till.paid(4400, { currency: 'ISK' });

  const returned = await till.paid(8800, { payment_method: byCard(RETURNED) });
  const refund = expectStatus(await till.act(returned, 'refunds', { reason: 'lost' }), 201).json;
  await till.untilRefund(refund, 'failed');

  const transfer = expectStatus(await till.pay({ amount: 6600, currency: 'EUR' }, byTransfer), 202).json;
  const paying = await till.bank.post(`/control/transfers/${await attemptOf(transfer.id)}/pay`, {});
  assert.ok(paying.status < 300, paying.text);
  await till.until(transfer, 'succeeded');
  await expectCleanAudit(stack);
});

describe('a day on which both books agree', () => {
  test('every movement is compared: captures, refunds, transfers, refunds that came back, at all banks', async () => {
    const { code, report, stderr } = await reconcile();
    assert.equal(code, 0, stderr);
    assert.deepEqual(report.differences, []);
    assert.deepEqual(
      report.sums.map(({ gateway, operation, currency, bank: theirs, book: ours }) =>
        [gateway, operation, currency, theirs.rows, theirs.amount, ours.rows, ours.amount].join(' '),
      ),
      [
        'bank-a capture EUR 3 25500 3 25500',
        'bank-a refund EUR 2 9500 2 9500',
        'bank-a refund_return EUR 1 8800 1 8800',
        'bank-a transfer EUR 1 6600 1 6600',
        'bank-b capture AED 1 9900 1 9900',
        'bank-c capture ISK 1 4400 1 4400',
      ],
    );
    assert.deepEqual([report.rows, report.equal], [9, 9]);
  });

  test('the report is shown as a table, and kept as JSON in the home', async () => {
    const { stdout, stderr } = await stack.must(['reconcile', '--date', today]);
    assert.match(stdout, /^bank-c +demo +capture +ISK +1 +4400 +1 +4400 +equal$/m);
    assert.match(stdout, /^9 rows, 9 equal, 0 different/m);
    const file = path.join(stack.home, 'reports', `reconciliation-${today}.json`);
    assert.ok(stderr.includes(file), stderr);
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).date, today);
  });

  test('a day on which nothing moved is equal too', async () => {
    const { code, report } = await reconcile(daysAgo(10));
    assert.deepEqual([code, report.rows, report.differences], [0, 0, []]);
  });
});

/* In which book, what is done, how it is undone, and the kind of difference that it is. */
const ours = (what, back) => [payments, `UPDATE attempts SET ${what} WHERE id = $1`, `UPDATE attempts SET ${back} WHERE id = $1`];
const theirs = (what, back) => [
  bank,
  `UPDATE entries SET ${what} WHERE reference = $1`,
  `UPDATE entries SET ${back} WHERE reference = $1`,
];

const differences = [
  ['money that the bank did not settle', 'missing_at_bank', theirs('movement = NULL', "movement = 'capture'")],
  ['money that our book knows nothing of', 'missing_in_book',
    ours("merchant_id = 'other'", "merchant_id = 'demo'")],
  ['money that the bank took twice', 'missing_in_book', [
    bank,
    `INSERT INTO entries SELECT bank, account, payment, 99, reference, event, status, failure_code, decline_code, amount, phase,
                                amount_captured, amount_refunded, dispute, movement, at
     FROM (SELECT * FROM entries WHERE reference = $1 ORDER BY version LIMIT 1) AS first`,
    'DELETE FROM entries WHERE reference = $1 AND version = 99',
  ]],
  ['another amount in our book', 'amount', ours('amount = amount - 1', 'amount = amount + 1')],
  ['another amount at the bank', 'amount', theirs('amount = amount + 1', 'amount = amount - 1')],
  ['another currency', 'currency', ours("currency = 'USD'", "currency = 'EUR'")],
  ['money that the bank took and we think was declined', 'status',
    ours("status = 'declined'", "status = 'approved'")],
  ['money that the bank took and we do not know of yet', 'status',
    ours("status = 'unknown', resolve_at = now()", "status = 'approved', resolve_at = NULL")],
];

describe('a difference', () => {
  before(async () => {
    /* It would look after what is broken here. */
    await stack.kill('payment-service');
    /* No bank takes money twice under one reference. */
    await bank.rows('DROP INDEX entries_opened');
  });

  for (const [what, kind, [database, breaking, mending]] of differences) {
    test(`${what} is one: ${kind}`, async () => {
      await database.rows(breaking, [reference]);
      const { code, report } = await reconcile().finally(() => database.rows(mending, [reference]));
      assert.equal(code, 1);
      /* Under another merchant's name it is missing twice. */
      const found = report.differences.find((difference) => difference.kind === kind);
      assert.equal(found?.reference, reference, JSON.stringify(report.differences));
      assert.equal(found.gateway, 'bank-a');
      assert.equal(found.bank === null, kind === 'missing_at_bank');
      assert.equal(found.book === null, kind === 'missing_in_book');
    });
  }

  test('is shown with both sides in the table', async () => {
    await payments.rows('UPDATE attempts SET amount = 1 WHERE id = $1', [reference]);
    const { code, stdout } = await stack
      .launch(['reconcile', '--date', today])
      .finally(() => payments.rows('UPDATE attempts SET amount = 13700 WHERE id = $1', [reference]));
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^amount +bank-a +demo +capture +${reference} +EUR 13700 +EUR 1 approved$`, 'm'));
    assert.match(stdout, /^bank-a +demo +capture .* DIFFERENT$/m);
  });
});

describe('around midnight', () => {
  /* The bank settled it yesterday, we heard of it today. */
  const shift = (days) =>
    bank.rows(`UPDATE entries SET at = at - interval '${days} days' WHERE reference = $1`, [reference]);

  for (const days of [1, 5]) {
    test(`what a bank settled ${days} days before it was known here is equal, and told apart`, async () => {
      const asked = `UPDATE attempts SET created_at = created_at - interval '${days} days' WHERE id = $1`;
      await payments.rows(asked, [reference]);
      await shift(days);
      try {
        for (const date of [today, daysAgo(days)]) {
          const { code, report } = await reconcile(date);
          assert.deepEqual([code, report.differences], [0, []], date);
          assert.deepEqual(report.other_days.map((row) => row.reference), [reference], date);
        }
      } finally {
        await shift(-days);
        await payments.rows(asked.replace('- interval', '+ interval'), [reference]);
      }
    });
  }
});

describe('what can not be compared', () => {
  test('a day that is none is refused', async () => {
    for (const words of [[], ['--date'], ['--date', '2026-02-30'], ['--date', 'today'], ['--day', today]]) {
      const refused = await stack.launch(['reconcile', ...words]);
      assert.equal(refused.code, 2, words.join(' '));
      assert.match(refused.stderr, /reconcile takes: --date YYYY-MM-DD/);
    }
  });

  test('a bank that is away is named, and leaves no report', async () => {
    await stack.kill('bank-simulator');
    const { code, stdout, stderr } = await stack.launch(['reconcile', '--date', daysAgo(3), '--json']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /bank-a does not give its settlements/);
    assert.throws(() => readFileSync(path.join(stack.home, 'reports', `reconciliation-${daysAgo(3)}.json`)));
  });
});
