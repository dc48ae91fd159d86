/*
 * An order's way through its states: every pair of states, by every way in, over HTTP; expiry of
 * what nobody pays.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { expectProblem, expectStatus, invoice, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const EXPIRY_S = 4;

const stack = await startStack({ ORDER_EXPIRY_S: String(EXPIRY_S) });
after(() => stack.stop());

const shop = stack.shop();
const orders = await openInspector(stack, 'orders');
after(() => orders.close());

const typesOf = async (id) => {
  const sql = 'SELECT type FROM events WHERE subject = $1 ORDER BY subject_version';
  return (await orders.rows(sql, [id])).map((event) => event.type);
};

/* How to bring an order into each state that can be reached without a payment. */
const free = { lines: [{ sku: 'GIFT', name: 'Gift', quantity: 1, unit_amount: 0 }] };
const expired = (async () => {
  const { id } = await shop.createOrder(order());
  return id;
})();

const ways = {
  'pending, prepaid': { make: () => shop.createOrder(order()) },
  'pending, invoice': { make: () => shop.createOrder(invoice(10001)) },
  'paid, nothing due': { make: () => shop.createOrder(order(free)) },
  sent: { make: () => shop.sendOrder(10001) },
  delivered: { make: () => along('sent', 'delivered') },
  'returned from sent': { make: () => along('sent', 'returned') },
  'returned from delivered': { make: () => along('sent', 'delivered', 'returned') },
  'canceled, prepaid': { make: () => moved(order(), 'canceled') },
  'canceled, invoice': { make: () => moved(invoice(500), 'canceled') },
  expired: { make: async () => untilExpired(await expired) },
};

async function along(...path) {
  return moved(invoice(10001), ...path);
}

async function moved(body, ...path) {
  const { id } = await shop.createOrder(body);
  for (const status of path) await shop.move(id, status);
  return shop.order(id);
}

function untilExpired(id) {
  return waitFor(
    'an unpaid order to expire',
    async (seen) => {
      const found = await shop.order(id);
      seen(found.status);
      return found.status === 'expired' && found;
    },
    { within: EXPIRY_S * 1000 + 10_000 },
  );
}

/* What a client may ask for from each of them; everything else is refused. */
const allowed = {
  'pending, prepaid': ['canceled'],
  'pending, invoice': ['sent', 'canceled'],
  'paid, nothing due': ['sent', 'canceled'],
  sent: ['delivered', 'returned'],
  delivered: ['returned'],
  'returned from sent': [],
  'returned from delivered': [],
  'canceled, prepaid': [],
  'canceled, invoice': [],
  expired: [],
};

const REQUESTABLE = ['sent', 'delivered', 'returned', 'canceled'];
const ALL = ['pending', 'paid', ...REQUESTABLE, 'expired'];

describe('every pair of states', () => {
  for (const [name, way] of Object.entries(ways)) {
    for (const to of ALL) {
      if (to === name.split(/[ ,]/)[0]) continue;
      if (allowed[name].includes(to)) {
        test(`an order that is ${name} becomes ${to}, with one event`, () => expectMove(way, to));
      } else {
        test(`an order that is ${name} does not become ${to}`, () => expectRefusal(name, way, to));
      }
    }
  }
});

async function expectMove(way, to) {
  const before = await way.make();
  const events = await typesOf(before.id);
  const answer = expectStatus(await shop.patch(`/v1/orders/${before.id}`, { status: to }), 200);
  assert.equal(answer.json.status, to);
  assert.equal(answer.json.version, before.version + 1);
  assert.deepEqual(await typesOf(before.id), [...events, `order.${to}`]);
  assert.equal(answer.headers.etag, `"${before.version + 1}"`);
}

async function expectRefusal(name, way, to) {
  const before = await way.make();
  const answer = await shop.patch(`/v1/orders/${before.id}`, { status: to });
  if (REQUESTABLE.includes(to)) {
    const problem = expectProblem(answer, 409, 'illegal_transition');
    assert.equal(problem.from, before.status);
    assert.equal(problem.to, to);
    assert.deepEqual([...problem.allowed].sort(), [...allowed[name]].sort());
  } else {
    expectProblem(answer, 422, undefined, ['/status']);
  }
  assert.deepEqual(await shop.order(before.id), before);
}

describe('moving', () => {
  test('an order that is there already is answered as it is, without an event', async () => {
    for (const path of [['sent'], ['sent', 'delivered'], ['sent', 'returned'], ['canceled']]) {
      const before = await along(...path);
      const events = await typesOf(before.id);
      const answer = await shop.patch(`/v1/orders/${before.id}`, { status: before.status });
      assert.deepEqual(expectStatus(answer, 200).json, before);
      assert.deepEqual(await typesOf(before.id), events);
    }
  });

  test('every move is announced, and an invoice order is sent whatever its total', async () => {
    const { id } = await along('sent', 'delivered', 'returned');
    assert.deepEqual(await typesOf(id), [
      'order.created',
      'order.sent',
      'order.delivered',
      'order.returned',
    ]);
    const worthless = await shop.sendOrder(0);
    assert.ok((await typesOf(worthless.id)).includes('order.sent'));
  });

  test('an order of which nothing is due is paid from the start', async () => {
    const created = await shop.createOrder(order(free));
    const now = await shop.order(created.id);
    assert.equal(now.status, 'paid');
    assert.equal(now.payment_status, 'paid');
    assert.deepEqual(await typesOf(created.id), ['order.created', 'order.paid']);
  });

  test('of ten clients that move an order at once each is answered, and one event is made', async () => {
    const { id } = await shop.createOrder(invoice(10001));
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => shop.patch(`/v1/orders/${id}`, { status: 'sent' })),
    );
    for (const answer of answers) assert.equal(expectStatus(answer, 200).json.version, 2);
    assert.deepEqual(await typesOf(id), ['order.created', 'order.sent']);
  });

  test('status and metadata change together, in one version', async () => {
    const { id } = await shop.createOrder(invoice(100));
    const body = { status: 'sent', metadata: { parcel: 'P-1' } };
    const answer = expectStatus(await shop.patch(`/v1/orders/${id}`, body), 200);
    assert.equal(answer.json.version, 2);
    assert.equal(answer.json.status, 'sent');
    assert.deepEqual(answer.json.metadata, { parcel: 'P-1' });
    assert.deepEqual(await typesOf(id), ['order.created', 'order.sent']);
  });

  test('a refused move changes no metadata either', async () => {
    const { id } = await shop.createOrder(order());
    const body = { status: 'sent', metadata: { parcel: 'P-1' } };
    expectProblem(await shop.patch(`/v1/orders/${id}`, body), 409, 'illegal_transition');
    assert.deepEqual((await shop.order(id)).metadata, {});
  });
});

describe('expiry', () => {
  test('a prepaid order that nobody pays expires in time, and is announced', async () => {
    const created = await shop.createOrder(order());
    const seconds = (Date.parse(created.expires_at) - Date.parse(created.created_at)) / 1000;
    assert.equal(seconds, EXPIRY_S);
    const found = await untilExpired(created.id);
    assert.equal(found.version, 2);
    assert.ok(
      Date.parse(found.updated_at) >= Date.parse(created.expires_at),
      'not before its time',
    );
    assert.deepEqual(await typesOf(created.id), ['order.created', 'order.expired']);
  });

  test('invoice orders and canceled ones do not expire', async () => {
    const open = await shop.createOrder(invoice(100));
    const canceled = await moved(order(), 'canceled');
    const last = await shop.createOrder(order());
    await untilExpired(last.id);
    assert.equal((await shop.order(open.id)).status, 'pending');
    assert.equal((await shop.order(canceled.id)).status, 'canceled');
  });
});
