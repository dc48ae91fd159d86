/*
 * Vouchers: who earns one, what it is, who may see its code, and how it ends.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { expectCleanAudit, untilQuiet } from '../support/audit.js';
import { openInspector, openSuperuser } from '../support/database.js';
import { expectProblem, expectStatus, invoice, newKey, order } from '../support/shop.js';
import { makeKey } from '../support/keys.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const vouchers = stack.vouchers();
const database = await openInspector(stack, 'vouchers');
after(() => database.close());

const DAY_MS = 24 * 60 * 60 * 1000;
const CODE =
  /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z*~$=U]$/;

/** The vouchers that an order has earned so far. */
const of = (orderId) => vouchers.all('/v1/vouchers', { order_id: orderId });

const earned = (orderId) =>
  waitFor(`the voucher of order ${orderId}`, async (seen) => {
    const found = await of(orderId);
    seen(found);
    return found[0];
  });

const read = async (idOrCode) =>
  expectStatus(await vouchers.get(`/v1/vouchers/${encodeURIComponent(idOrCode)}`), 200).json;

const untilStatus = (id, status) =>
  waitUntilEqual(`the status of voucher ${id}`, async () => (await read(id)).status, status);

const typesOf = async (id) => {
  const sql = 'SELECT type FROM events WHERE subject = $1 ORDER BY subject_version';
  return (await database.rows(sql, [id])).map((event) => event.type);
};

describe('earning', () => {
  const rows = [
    [9999, 'EUR', 0],
    [10000, 'EUR', 0],
    [10001, 'EUR', 1],
    [10 ** 12, 'EUR', 1],
    [10001, 'USD', 0],
    [10001, 'JPY', 0],
    [0, 'EUR', 0],
  ];

  test('only an order of more than EUR 100.00 that is sent earns a voucher', async () => {
    const sent = [];
    for (const [amount, currency, count] of rows) {
      sent.push([await shop.sendOrder(amount, { currency }), count]);
    }
    const unsent = await shop.createOrder(invoice(10001));
    await untilQuiet(stack);
    for (const [{ id, total_amount, currency }, count] of sent) {
      assert.equal((await of(id)).length, count, `${total_amount} ${currency}`);
    }
    assert.equal((await of(unsent.id)).length, 0, 'not sent yet');
  });

  test('a voucher is worth EUR 5.00 for a year, and knows its order and its customer', async () => {
    const sent = await shop.sendOrder(13700, { customer: { id: 'frieda' } });
    const voucher = await read((await earned(sent.id)).id);
    assert.equal(voucher.value_amount, 500);
    assert.equal(voucher.currency, 'EUR');
    assert.equal(voucher.status, 'active');
    assert.equal(voucher.order_id, sent.id);
    assert.equal(voucher.customer_id, 'frieda');
    assert.match(voucher.code, CODE);
    const days = (Date.parse(voucher.expires_at) - Date.parse(voucher.created_at)) / DAY_MS;
    assert.equal(days, 365);
    assert.deepEqual(await typesOf(voucher.id), ['voucher.issued']);
  });

  test('the total counts, not a single line', async () => {
    const line = (unit_amount, quantity) => ({ sku: 'S', name: 'N', quantity, unit_amount });
    const body = (...lines) => order({ payment_terms: 'invoice', lines });
    const over = await shop.createOrder(body(line(3334, 3)));
    const exact = await shop.createOrder(body(line(5000, 1), line(2500, 2)));
    for (const { id } of [over, exact]) await shop.move(id, 'sent');
    await earned(over.id);
    await untilQuiet(stack);
    assert.equal((await of(exact.id)).length, 0);
  });

  test('moving on does not earn a second one', async () => {
    const { id } = await shop.sendOrder(10001);
    await earned(id);
    await shop.move(id, 'sent');
    await shop.move(id, 'delivered');
    await untilQuiet(stack);
    assert.equal((await of(id)).length, 1);
  });
});

describe('rules', () => {
  const operator = stack.vouchers(stack.env.CHECKOUT_OPERATOR_KEY);
  const rule = (overrides) => ({
    currency: 'USD',
    threshold_amount: 5000,
    value_amount: 250,
    valid_days: 30,
    ...overrides,
  });

  test('there is one rule from the start: EUR, above 100.00, worth 5.00', async () => {
    const rules = await operator.all('/v1/voucher_rules');
    const seeded = rules.find((each) => each.currency === 'EUR');
    assert.equal(seeded.threshold_amount, 10000);
    assert.equal(seeded.value_amount, 500);
    assert.equal(seeded.valid_days, 365);
  });

  test('a rule added by an operator counts for orders sent from then on', async () => {
    const before = await shop.sendOrder(5001, { currency: 'USD' });
    await untilQuiet(stack);
    expectStatus(await operator.post('/v1/voucher_rules', rule()), 201);
    const exact = await shop.sendOrder(5000, { currency: 'USD' });
    const over = await shop.sendOrder(5001, { currency: 'USD' });
    const voucher = await read((await earned(over.id)).id);
    assert.equal(voucher.currency, 'USD');
    assert.equal(voucher.value_amount, 250);
    await untilQuiet(stack);
    assert.equal((await of(exact.id)).length, 0, 'strictly above');
    assert.equal((await of(before.id)).length, 0, 'sent before the rule');
  });

  test('a rule that is sent again under its key is the rule that was added, and no second', async () => {
    const key = newKey();
    const sent = rule({ currency: 'CHF' });
    const first = expectStatus(await operator.post('/v1/voucher_rules', sent, { key }), 201);
    assert.equal(first.headers['idempotent-replayed'], undefined);
    const again = expectStatus(await operator.post('/v1/voucher_rules', sent, { key }), 201);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.deepEqual(again.json, first.json);
    const other = await operator.post('/v1/voucher_rules', rule({ currency: 'SEK' }), { key });
    expectProblem(other, 422, 'idempotency_key_reused');
    expectProblem(await operator.post('/v1/voucher_rules', sent, { key: newKey() }), 409);
  });

  test('a second rule for a currency is a conflict', async () => {
    expectProblem(await operator.post('/v1/voucher_rules', rule({ currency: 'EUR' })), 409);
  });

  test('a rule with wrong members names each of them', async () => {
    const wrong = rule({
      currency: 'usd',
      threshold_amount: -1,
      value_amount: 0,
      valid_days: 4000,
    });
    const answer = await operator.post('/v1/voucher_rules', { ...wrong, color: 'red' });
    expectProblem(answer, 422, undefined, [
      '/currency',
      '/threshold_amount',
      '/value_amount',
      '/valid_days',
      '/color',
    ]);
  });

  test('a shop can not add rules', async () => {
    expectProblem(await vouchers.post('/v1/voucher_rules', rule()), 403, 'missing_scope');
  });
});

describe('reading', () => {
  test('a key of all merchants lists the vouchers of each, by order, customer and status', async () => {
    const everyone = stack.vouchers(await makeKey(stack, '*', ['vouchers:read']));
    const customer = { id: 'of everyone' };
    const [first, second] = [await shop.sendOrder(10001, { customer }), await shop.sendOrder(10001)];
    const [mine, other] = [await earned(first.id), await earned(second.id)];
    const idsOf = async (query) => (await everyone.all('/v1/vouchers', query)).map(({ id }) => id);
    assert.deepEqual(await idsOf({ order_id: first.id }), [mine.id]);
    assert.deepEqual(await idsOf({ customer_id: 'of everyone' }), [mine.id]);
    const active = await idsOf({ status: 'active' });
    assert.ok([mine.id, other.id].every((id) => active.includes(id)));
    assert.deepEqual(await idsOf({ order_id: first.id, status: 'voided' }), []);
  });

  test('a voucher is found by its id, and by its code in every spelling', async () => {
    const { id } = await earned((await shop.sendOrder(10001)).id);
    const { code } = await read(id);
    const spellings = [
      code,
      code.toLowerCase(),
      code.replaceAll('-', ''),
      code.toLowerCase().replaceAll('-', ''),
      code.replaceAll('1', 'l').replaceAll('0', 'o'),
      code.replaceAll('1', 'I').replaceAll('0', 'O'),
      id.toUpperCase(),
    ];
    for (const spelling of spellings) assert.equal((await read(spelling)).id, id, spelling);
  });

  test('a mistyped code is told from its check symbol, one that nobody has is not found', async () => {
    const { code } = await read((await earned((await shop.sendOrder(10001)).id)).id);
    const digit = code[0] === '7' ? '8' : '7';
    const mistyped = await vouchers.get(`/v1/vouchers/${digit}${code.slice(1)}`);
    expectProblem(mistyped, 422, 'code_invalid');
    for (const wrong of [code.slice(0, -1), '0000-0000-0000-0', 'x']) {
      expectProblem(await vouchers.get(`/v1/vouchers/${wrong}`), 404);
    }
  });

  test('lists mask the code, and so do all events but voucher.issued', async () => {
    const sent = await shop.sendOrder(10001);
    const listed = await earned(sent.id);
    const { code, id } = await read(listed.id);
    assert.doesNotMatch(JSON.stringify(listed), new RegExp(code.slice(0, 9)));
    assert.ok(!JSON.stringify(listed).includes(code.replaceAll('-', '')));
    assert.match(listed.code, /[*•X]/, 'something stands for what is hidden');
    await shop.move(sent.id, 'returned');
    await untilStatus(id, 'voided');
    const events = await database.rows(
      'SELECT type, data::text AS data FROM events WHERE subject = $1 ORDER BY sequence',
      [id],
    );
    assert.ok(events[0].data.includes(code), 'voucher.issued has the whole code');
    assert.ok(!events[1].data.includes(code), `${events[1].type} shows the code`);
  });

  test('a list has exactly the vouchers that its filters keep, newest first', async () => {
    const customer = { id: 'list-maker' };
    const orders = [];
    for (let i = 0; i < 3; i++) orders.push(await shop.sendOrder(10001 + i, { customer }));
    await untilQuiet(stack);
    const query = { customer_id: 'list-maker' };
    const list = await vouchers.all('/v1/vouchers', query);
    assert.deepEqual(
      list.map((voucher) => voucher.order_id).sort(),
      orders.map((each) => each.id).sort(),
    );
    const ids = list.map((voucher) => voucher.id);
    assert.deepEqual(ids, ids.toSorted().toReversed());
    const paged = await vouchers.all('/v1/vouchers', { ...query, limit: 1 });
    assert.deepEqual(paged, list);
    assert.deepEqual(await vouchers.all('/v1/vouchers', { ...query, status: 'voided' }), []);
    expectProblem(await vouchers.get('/v1/vouchers?status=lost&limit=0'), 422, undefined, [
      '?status',
      '?limit',
    ]);
  });

  test("another merchant's voucher is missing, by id and by code", async () => {
    const { id } = await earned((await shop.sendOrder(10001)).id);
    const { code } = await read(id);
    const other = vouchers.as(await makeKey(stack, 'other', ['vouchers:read']));
    const missing = await other.get('/v1/vouchers/01940000-0000-7000-8000-00000000dead');
    for (const name of [id, code]) {
      const answer = await other.get(`/v1/vouchers/${name}`);
      const { detail, title } = expectProblem(answer, 404);
      assert.equal(title, missing.json.title);
      assert.equal(detail.replace(name, ''), missing.json.detail.replace(/[0-9a-f-]{36}/, ''));
    }
    assert.deepEqual(await other.all('/v1/vouchers'), []);
  });
});

describe('ending', () => {
  test('the voucher of a returned order is voided, before or after delivery', async () => {
    for (const path of [['returned'], ['delivered', 'returned']]) {
      const { id } = await shop.sendOrder(10001);
      const voucher = await earned(id);
      for (const status of path) await shop.move(id, status);
      await untilStatus(voucher.id, 'voided');
      assert.deepEqual(await typesOf(voucher.id), ['voucher.issued', 'voucher.voided']);
    }
  });

  test('a canceled invoice order earns none', async () => {
    const { id } = await shop.createOrder(invoice(10001));
    await shop.move(id, 'canceled');
    await untilQuiet(stack);
    assert.deepEqual(await of(id), []);
  });

  test('a voucher expires when its time is over, and is announced', async () => {
    const { id } = await earned((await shop.sendOrder(10001)).id);
    const clockmaker = await openSuperuser(stack, 'vouchers');
    try {
      await clockmaker.rows(
        "UPDATE vouchers SET expires_at = now() - interval '1 second' WHERE id = $1",
        [id],
      );
    } finally {
      await clockmaker.close();
    }
    await waitUntilEqual(`voucher ${id}`, async () => (await read(id)).status, 'expired', {
      within: 30_000,
    });
    assert.deepEqual(await typesOf(id), ['voucher.issued', 'voucher.expired']);
  });
});

describe('exactly once', () => {
  test('a log replayed from 0 issues nothing twice and voids nothing', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => shop.sendOrder(10001 + i)));
    await untilQuiet(stack);
    const state = () => database.rows('SELECT id, status, version FROM vouchers ORDER BY id');
    const before = await state();
    assert.ok(before.length >= 20);

    await stack.kill('voucher-service', 'SIGTERM');
    const god = await openSuperuser(stack, 'vouchers');
    await god.rows('UPDATE consumer_position SET sequence = 0');
    await god.close();
    stack.start('voucher-service');
    await stack.ready('voucher-service');
    const more = await shop.sendOrder(10001);
    await earned(more.id);
    await untilQuiet(stack);

    const same = (await state()).filter((voucher) => before.some(({ id }) => id === voucher.id));
    assert.deepEqual(same, before);
    assert.equal((await state()).length, before.length + 1);
    await expectCleanAudit(stack);
  });
});
