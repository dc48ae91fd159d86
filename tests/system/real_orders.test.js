/*
 * Real orders: a folder with orders.csv and order_items.csv, named by CHECKOUT_TEST_ORDERS. Each
 * order that has items is created over HTTP, its goods taken as EUR, and marked sent; twice, with
 * the same idempotency keys.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';

import { expectCleanAudit, untilQuiet } from '../support/audit.js';
import { openInspector } from '../support/database.js';
import { expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';

const folder = process.env.CHECKOUT_TEST_ORDERS;
const ORDERS = 996;
const VOUCHERS = 424;
const EXACTLY_100 = 2;
const CLIENTS = 16;

if (folder === undefined) {
  test('real orders earn their vouchers', { skip: 'CHECKOUT_TEST_ORDERS names no folder' });
} else {
  const stack = await startStack();
  after(() => stack.stop());
  const shop = stack.shop();
  const orders = realOrders(folder);
  const ids = new Map();

  for (const [round, name] of ['the first time', 'again with the same keys'].entries()) {
    test(`real orders earn their vouchers, ${name}`, async () => {
      assert.equal(orders.length, ORDERS);
      await Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)));
      await untilQuiet(stack);
      await expectVouchers();
      await expectCleanAudit(stack);
    });

    async function work(client) {
      for (let i = client; i < orders.length; i += CLIENTS) await sell(orders[i]);
    }

    async function sell({ reference, body, total }) {
      const answer = await shop.post('/v1/orders', body, { key: `create ${reference}` });
      const { id, total_amount } = expectStatus(answer, 201).json;
      assert.equal(total_amount, total, `the total of ${reference}`);
      const change = { status: 'sent' };
      const key = `send ${reference}`;
      expectStatus(await shop.patch(`/v1/orders/${id}`, change, { key }), 200);
      if (round === 0) ids.set(reference, id);
      else assert.equal(id, ids.get(reference), 'the same order as before');
    }
  }

  async function expectVouchers() {
    const database = await openInspector(stack, 'vouchers');
    try {
      const vouchers = await database.rows('SELECT order_id FROM vouchers');
      assert.equal(vouchers.length, VOUCHERS);
      const earned = new Set(vouchers.map((voucher) => voucher.order_id));
      for (const { reference, total } of orders) {
        assert.equal(earned.has(ids.get(reference)), total > 10000, `${reference}: ${total}`);
      }
      const exact = orders.filter(({ total }) => total === 10000);
      assert.equal(exact.length, EXACTLY_100);
    } finally {
      await database.close();
    }
  }
}

/** The orders that have items, as bodies, with the totals that they must come to. */
function realOrders(directory) {
  const known = new Set(table(directory, 'orders.csv').map((row) => row.order_id));
  const lines = new Map();
  for (const item of table(directory, 'order_items.csv')) {
    if (!known.has(item.order_id)) continue;
    if (!lines.has(item.order_id)) lines.set(item.order_id, []);
    lines.get(item.order_id).push({
      sku: item.product_id,
      name: `Product ${item.product_id.slice(0, 8)}`,
      quantity: 1,
      unit_amount: cents(item.price),
    });
  }
  return [...lines].map(([reference, items]) => ({
    reference,
    total: items.reduce((sum, item) => sum + item.unit_amount, 0),
    body: {
      customer: { id: `customer of ${reference}` },
      currency: 'EUR',
      payment_terms: 'invoice',
      client_reference: reference,
      lines: items,
    },
  }));
}

/** "39.95" is 3995, without a detour over binary fractions. */
function cents(price) {
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d{1,2}))?$/.exec(price);
  return Number(whole) * 100 + Number(fraction.padEnd(2, '0'));
}

/** Rows of a CSV file whose values have no commas or quotes in them. */
function table(directory, name) {
  const text = readFileSync(path.join(directory, name), 'utf8').replace(/^\ufeff/, '');
  const [header, ...rows] = text.split(/\r?\n/).filter((row) => row !== '');
  const names = header.split(',');
  return rows.map((row) => {
    const values = row.split(',');
    assert.equal(values.length, names.length, `${name}: ${row}`);
    return Object.fromEntries(names.map((column, i) => [column, values[i]]));
  });
}
