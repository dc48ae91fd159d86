/*
 * Vouchers spent on orders: one order each, deducted from what is due, given back when the order
 * comes to nothing.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { expectCleanAudit, untilQuiet } from '../support/audit.js';
import { openInspector, openSuperuser } from '../support/database.js';
import { makeKey } from '../support/keys.js';
import { expectProblem, expectStatus, invoice, newKey, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { earnedBy, earnVouchers, readVoucher, untilVoucher } from '../support/wallet.js';

/* Wrong codes on purpose: the limit is another test's. */
const stack = await startStack({ ORDER_EXPIRY_S: '3', WRONG_CODES_MAX: '1000' });
after(() => stack.stop());

const shop = stack.shop();
const vouchers = stack.vouchers();
const database = await openInspector(stack, 'vouchers');
after(() => database.close());

const withCode = (code, overrides) => invoice(13700, { voucher_code: code, ...overrides });
const spend = (code, overrides) => shop.createOrder(withCode(code, overrides), { key: newKey() });
const refuse = (code, overrides) =>
  shop.post('/v1/orders', withCode(code, overrides), { key: newKey() });

const typesOf = async (id) => {
  const sql = 'SELECT type FROM events WHERE subject = $1 ORDER BY subject_version';
  return (await database.rows(sql, [id])).map((event) => event.type);
};

describe('spending', () => {
  test('an order of EUR 137.00 with the voucher of another leaves EUR 132.00 due', async () => {
    const first = await shop.sendOrder(13700);
    const voucher = await earnedBy(vouchers, first.id);
    const second = await spend(voucher.code);
    assert.equal(second.total_amount, 13700);
    assert.equal(second.amount_due, 13200);
    assert.equal(second.voucher.id, voucher.id);
    const redeemed = await untilVoucher(vouchers, voucher.id, 'redeemed');
    assert.equal(redeemed.redemption.order_id, second.id);
    assert.equal(redeemed.reservation, null);
    assert.deepEqual(await typesOf(voucher.id), [
      'voucher.issued',
      'voucher.reserved',
      'voucher.redeemed',
    ]);
    expectProblem(await refuse(voucher.code), 409, 'voucher_redeemed');
  });

  test('the whole total earns, whatever a voucher deducts from it', async () => {
    const [voucher] = await earnVouchers(stack, 1);
    const made = await spend(voucher.code, {
      lines: [{ sku: 'A', name: 'A', quantity: 1, unit_amount: 10001 }],
    });
    assert.equal(made.amount_due, 9501);
    await shop.move(made.id, 'sent');
    await earnedBy(vouchers, made.id);
  });

  test('a voucher worth more than the order is used up, and nothing is due', async () => {
    const [voucher] = await earnVouchers(stack, 1);
    const made = await shop.createOrder(
      order({
        voucher_code: voucher.code,
        lines: [{ sku: 'A', name: 'A', quantity: 1, unit_amount: 300 }],
      }),
    );
    assert.equal(made.status, 'paid');
    assert.equal(made.amount_due, 0);
    assert.equal(made.voucher.forfeited_amount, 200);
    await untilVoucher(vouchers, voucher.id, 'redeemed');
  });

  test('a code may be typed in any case, with and without dashes, O for 0, I and L for 1', async () => {
    for (const [index, voucher] of (await earnVouchers(stack, 5)).entries()) {
      const spell = [
        (code) => code.toLowerCase(),
        (code) => code.replaceAll('-', ''),
        (code) => code.replaceAll('0', 'O').replaceAll('1', 'I'),
        (code) => code.replaceAll('0', 'o').replaceAll('1', 'L'),
        (code) => code.replaceAll('-', '').toLowerCase().replaceAll('1', 'l'),
      ][index];
      assert.equal((await spend(spell(voucher.code))).voucher.id, voucher.id, voucher.code);
    }
  });

  test('50 orders want one voucher at once: one gets it', async () => {
    const [voucher] = await earnVouchers(stack, 1);
    const answers = await Promise.all(Array.from({ length: 50 }, () => refuse(voucher.code)));
    const made = answers.filter((answer) => answer.status === 201);
    assert.equal(made.length, 1);
    for (const answer of answers.filter((each) => each.status !== 201)) {
      if (answer.status === 503) continue;
      assert.ok(['voucher_reserved', 'voucher_redeemed'].includes(answer.json.code), answer.text);
      assert.equal(answer.status, 409);
    }
    const redeemed = await untilVoucher(vouchers, voucher.id, 'redeemed');
    assert.equal(redeemed.redemption.order_id, made[0].json.id);
  });

  test('50 clients with one key make one order with the voucher', async () => {
    const [voucher] = await earnVouchers(stack, 1);
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => shop.post('/v1/orders', withCode(voucher.code), { key })),
    );
    const good = answers.filter((answer) => answer.status === 201);
    assert.ok(good.length > 0);
    assert.equal(new Set(good.map((answer) => answer.text)).size, 1);
    for (const answer of answers) assert.ok([201, 503].includes(answer.status), answer.text);
    const again = await shop.post('/v1/orders', withCode(voucher.code), { key });
    assert.equal(expectStatus(again, 201).text, good[0].text);
  });
});

describe('giving back', () => {
  test('a canceled order gives its voucher back, and another order may have it', async () => {
    const [voucher] = await earnVouchers(stack, 1);
    const made = await spend(voucher.code);
    await shop.move(made.id, 'canceled');
    await untilVoucher(vouchers, voucher.id, 'active');
    const other = await spend(voucher.code);
    const redeemed = await untilVoucher(vouchers, voucher.id, 'redeemed');
    assert.equal(redeemed.redemption.order_id, other.id);
  });

  test('an expired order gives its voucher back', async () => {
    const [voucher] = await earnVouchers(stack, 1);
    const made = await spend(voucher.code, { payment_terms: 'prepaid' });
    await untilVoucher(vouchers, voucher.id, 'active');
    assert.equal((await shop.order(made.id)).status, 'expired');
  });

  test('a returned order does not', async () => {
    const [voucher] = await earnVouchers(stack, 1);
    const made = await spend(voucher.code);
    await shop.move(made.id, 'sent');
    await shop.move(made.id, 'returned');
    await untilQuiet(stack);
    assert.equal((await readVoucher(vouchers, voucher.id)).status, 'redeemed');
  });

  test('the voucher of an order that was canceled after it was spent comes back to nobody', async () => {
    const earner = await shop.sendOrder(10001);
    const voucher = await earnedBy(vouchers, earner.id);
    const made = await spend(voucher.code);
    await shop.move(earner.id, 'returned');
    await untilQuiet(stack);
    assert.equal((await readVoucher(vouchers, voucher.id)).status, 'redeemed');
    await shop.move(made.id, 'canceled');
    await untilVoucher(vouchers, voucher.id, 'voided');
  });
});

describe('codes that are refused', () => {
  /** A voucher in that state, by the way that leads there. */
  const inState = {
    redeemed: async (voucher) => {
      const body = { reference: 'till 7' };
      const path = `/v1/vouchers/${voucher.code}/redemptions`;
      expectStatus(await vouchers.post(path, body, { key: newKey() }), 201);
    },
    reserved: async (voucher) => {
      const body = { holder: 'somebody else' };
      expectStatus(await vouchers.post(`/v1/vouchers/${voucher.code}/reserve`, body), 200);
    },
    voided: async (voucher) => {
      await shop.move(voucher.order_id, 'returned');
      await untilVoucher(vouchers, voucher.id, 'voided');
    },
    expired: async (voucher) => {
      const superuser = await openSuperuser(stack, 'vouchers');
      try {
        await superuser.rows(
          `UPDATE vouchers SET expires_at = now() - interval '1 second' WHERE id = $1`,
          [voucher.id],
        );
      } finally {
        await superuser.close();
      }
      await untilVoucher(vouchers, voucher.id, 'expired');
    },
  };

  for (const [state, bring] of Object.entries(inState)) {
    test(`a voucher that is ${state} is 409 voucher_${state}`, async () => {
      const [voucher] = await earnVouchers(stack, 1);
      await bring(voucher);
      const { detail } = expectProblem(await refuse(voucher.code), 409, `voucher_${state}`);
      assert.ok(detail.length > 10, detail);
    });
  }

  test('a voucher of another currency is 422 and stays free', async () => {
    const [voucher] = await earnVouchers(stack, 1);
    const answer = await refuse(voucher.code, { currency: 'USD' });
    expectProblem(answer, 422, 'voucher_currency_mismatch');
    assert.equal((await readVoucher(vouchers, voucher.id)).status, 'active');
    await spend(voucher.code);
  });

  test('a wrong check symbol is told at its field, as is a code that nobody has', async () => {
    const [{ code }] = await earnVouchers(stack, 1);
    const mistyped = `${code[0] === '7' ? '8' : '7'}${code.slice(1)}`;
    for (const wrong of [mistyped, '0000-0000-0000-0', code.slice(0, -2), `${code}0`, 'x']) {
      expectProblem(await refuse(wrong), 422, 'validation_failed', ['/voucher_code']);
    }
  });

  test("another merchant's voucher is told as one that nobody has", async () => {
    const key = await makeKey(stack, 'neighbour', [
      'orders:write',
      'orders:fulfil',
      'orders:read',
      'vouchers:read',
      'vouchers:write',
    ]);
    const neighbour = stack.shop(stack.env.ORDER_URL, key);
    const [theirs] = await earnVouchers(stack, 1, { shop: neighbour });
    const nobodys = expectProblem(await refuse('0000-0000-0000-0'), 422);
    const refused = expectProblem(await refuse(theirs.code), 422);
    assert.deepEqual(refused.errors, nobodys.errors);
    assert.equal(refused.detail, nobodys.detail);
    assert.equal((await readVoucher(neighbour.at(stack.env.VOUCHER_URL), theirs.id)).status, 'active');
  });
});

test('afterwards the audit is clean', async () => {
  await expectCleanAudit(stack);
});
