/*
 * Lists of orders: filters, and pages that neither lose nor double a row while orders arrive.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { makeKey } from '../support/keys.js';
import { expectProblem, expectStatus, invoice, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const ids = (list) => list.map((item) => item.id);
const newestFirst = (list) => list.toReversed();

/** A moment that differs from every time before and after it by at least a millisecond. */
async function betweenMoments() {
  const from = Date.now();
  await waitFor('the clock to move on', () => Date.now() > from + 1, { every: 1 });
  const moment = new Date(from + 1);
  await waitFor('the clock to move on', () => Date.now() > from + 2, { every: 1 });
  return moment.toISOString();
}

const fixture = (async () => {
  const early = [];
  for (let i = 0; i < 6; i++) {
    const body = invoice(100 + i, {
      customer: { id: i % 2 === 0 ? 'even' : 'odd' },
      client_reference: i < 2 ? 'basket A' : `basket ${i}`,
    });
    early.push(await shop.createOrder(body));
  }
  const moment = await betweenMoments();
  const late = [];
  for (let i = 0; i < 4; i++) {
    const customer = { id: i % 2 === 0 ? 'even' : 'odd' };
    late.push(await shop.createOrder(order({ customer })));
  }
  await shop.move(early[0].id, 'sent');
  await shop.move(early[1].id, 'sent');
  await shop.move(late[0].id, 'canceled');
  return { early, late, moment, all: [...early, ...late] };
})();

describe('filters', () => {
  /* Filter, and which orders of the fixture it keeps. */
  const rows = [
    [{}, () => true],
    [{ status: 'sent' }, (o, f) => ids(f.early.slice(0, 2)).includes(o.id)],
    [{ status: 'canceled' }, (o, f) => o.id === f.late[0].id],
    [{ status: 'expired' }, () => false],
    [{ customer_id: 'even' }, (o) => o.customer.id === 'even'],
    [{ customer_id: 'nobody' }, () => false],
    [{ client_reference: 'basket A' }, (o) => o.client_reference === 'basket A'],
    [{ client_reference: 'basket 3' }, (o) => o.client_reference === 'basket 3'],
    [(f) => ({ created_after: f.moment }), (o, f) => ids(f.late).includes(o.id)],
    [(f) => ({ created_before: f.moment }), (o, f) => ids(f.early).includes(o.id)],
    [
      (f) => ({ created_after: f.moment, customer_id: 'odd' }),
      (o, f) => ids(f.late).includes(o.id) && o.customer.id === 'odd',
    ],
    [
      (f) => ({ created_before: f.moment, status: 'sent', customer_id: 'even' }),
      (o, f) => o.id === f.early[0].id,
    ],
    [{ client_reference: 'basket A', status: 'pending' }, () => false],
  ];

  for (const [filter, keeps] of rows) {
    const label = typeof filter === 'function' ? Object.keys(filter({})) : JSON.stringify(filter);
    test(`a list filtered by ${label} has exactly those orders, newest first`, async () => {
      const f = await fixture;
      const query = typeof filter === 'function' ? filter(f) : filter;
      const expected = ids(newestFirst(f.all.filter((o) => keeps(o, f))));
      assert.deepEqual(ids(await shop.all('/v1/orders', query)), expected);
      assert.deepEqual(ids(await shop.all('/v1/orders', { ...query, limit: 1 })), expected);
    });
  }

  test('elements of a list are the orders as they are read alone', async () => {
    await fixture;
    const list = expectStatus(await shop.get('/v1/orders?limit=100'), 200).json;
    assert.deepEqual(Object.keys(list).sort(), ['data', 'next_cursor']);
    for (const item of list.data) assert.deepEqual(item, await shop.order(item.id));
  });

  test('a wrong parameter is named, and so are those nobody knows', async () => {
    const wrong = [
      ['limit=0', '?limit'],
      ['limit=101', '?limit'],
      ['limit=ten', '?limit'],
      ['limit=1&limit=2', '?limit'],
      ['cursor=nonsense', '?cursor'],
      ['status=lost', '?status'],
      ['created_after=yesterday', '?created_after'],
      ['created_before=2026-13-01T00:00:00Z', '?created_before'],
      ['offset=10', '?offset'],
      [`customer_id=${'x'.repeat(201)}`, '?customer_id'],
    ];
    for (const [query, pointer] of wrong) {
      const answer = await shop.get(`/v1/orders?${query}`);
      assert.ok([400, 422].includes(answer.status), `${query}: ${answer.status} ${answer.text}`);
      expectProblem(answer, answer.status, undefined, [pointer]);
    }
    expectProblem(await shop.get('/v1/orders?limit=0&offset=1&status=x'), 422, undefined, [
      '?limit',
      '?offset',
      '?status',
    ]);
  });
});

test('a key of all merchants lists the orders of each, and of one customer at several', async () => {
  const mine = await shop.createOrder(order({ customer: { id: 'of two shops' } }));
  const other = stack.shop(undefined, await makeKey(stack, 'other', ['orders:write', 'orders:read']));
  const theirs = await other.createOrder(order({ customer: { id: 'of two shops' } }));
  const everyone = stack.shop(undefined, await makeKey(stack, '*', ['orders:read']));
  const query = { customer_id: 'of two shops' };
  assert.deepEqual(ids(await everyone.all('/v1/orders', query)), [theirs.id, mine.id]);
  assert.deepEqual(ids(await everyone.all('/v1/orders', { ...query, limit: 1 })), [theirs.id, mine.id]);
  assert.deepEqual(ids(await other.all('/v1/orders')), [theirs.id]);
  assert.deepEqual(ids(await shop.all('/v1/orders', query)), [mine.id]);
});

describe('pages', () => {
  test('a page has 20 rows unless told otherwise, at most 100, and no cursor after the last', async () => {
    await fixture;
    while (ids(await shop.all('/v1/orders')).length < 25) await shop.createOrder(invoice(1));
    const first = expectStatus(await shop.get('/v1/orders'), 200).json;
    assert.equal(first.data.length, 20);
    assert.equal(typeof first.next_cursor, 'string');
    const rest = await shop.get(`/v1/orders?limit=100&cursor=${first.next_cursor}`);
    assert.equal(expectStatus(rest, 200).json.next_cursor, null);
  });

  test('a page that ends with the last row says that nothing follows', async () => {
    const reference = 'exactly four';
    for (let i = 0; i < 4; i++) {
      await shop.createOrder(invoice(i, { client_reference: reference }));
    }
    const query = new URLSearchParams({ client_reference: reference, limit: '4' });
    const page = expectStatus(await shop.get(`/v1/orders?${query}`), 200).json;
    assert.equal(page.data.length, 4);
    assert.equal(page.next_cursor, null);
  });

  test('no row is lost or doubled while orders are being created', async () => {
    const mark = { customer: { id: 'pages' } };
    const before = await Promise.all(
      Array.from({ length: 150 }, (_, i) => shop.createOrder(invoice(i, mark))),
    );
    let creating = true;
    let created = 0;
    const writers = Array.from({ length: 4 }, async () => {
      while (creating) {
        await shop.createOrder(invoice(1, mark));
        created++;
      }
    });
    try {
      for (const limit of [1, 7, 100]) {
        const found = ids(await shop.all('/v1/orders', { customer_id: 'pages', limit }));
        assert.equal(new Set(found).size, found.length, `limit ${limit}: a row came twice`);
        assert.deepEqual(found, found.toSorted().toReversed(), 'newest first');
        const missing = before.filter((item) => !found.includes(item.id));
        assert.deepEqual(missing, [], `limit ${limit}: rows are missing`);
      }
    } finally {
      creating = false;
      await Promise.all(writers);
    }
    assert.ok(created > 10, 'orders were created meanwhile');
  });
});
