/*
 * Events: what a subscriber that knows only `mqtt` and `cloudevents` receives, and what the feed says.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { headOf, untilQuiet } from '../support/audit.js';
import { connect, subscribe } from '../support/bus.js';
import { openInspector } from '../support/database.js';
import { loginOf, makeKey } from '../support/keys.js';
import { checkEvent } from '../support/schemas.js';
import { expectProblem, expectStatus, invoice, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const vouchers = stack.vouchers();
const orders = await openInspector(stack, 'orders');
const voucherLog = await openInspector(stack, 'vouchers');
after(() => Promise.all([orders.close(), voucherLog.close()]));

const otherKey = await makeKey(stack, 'other', [
  'orders:read',
  'orders:write',
  'orders:fulfil',
  'vouchers:read',
  'events:read',
]);
const other = shop.as(otherKey);

const ALL = 'checkout/v1/#';
const tcp = await subscribe(stack.env.MQTT_URL, stack.login, ALL);
const ws = await subscribe(stack.env.MQTT_WS_URL, stack.login, ALL);
const everything = await subscribe(stack.env.MQTT_URL, stack.login, '#');
const stranger = await subscribe(stack.env.MQTT_URL, loginOf(otherKey), ['#', ALL]);
after(() => Promise.all([tcp, ws, everything, stranger].map((each) => each.close())));

/** Every event of a merchant in both logs, as rows. */
async function logOf(merchant) {
  const sql = `SELECT id, sequence, type, subject, subject_version AS version, merchant_id AS merchant,
                      traceparent, data::text AS data, $2 AS source
               FROM events WHERE merchant_id = $1 ORDER BY sequence`;
  return [
    ...(await orders.rows(sql, [merchant, '/order-service'])),
    ...(await voucherLog.rows(sql, [merchant, '/voucher-service'])),
  ];
}

/** The business of this file: every event type that this version has. */
async function makeEveryKindOfEvent(at) {
  const { id } = await at.sendOrder(10001, { metadata: { a: '1' } });
  await at.patch(`/v1/orders/${id}`, { metadata: { a: '2' } });
  await at.move(id, 'delivered');
  await waitFor('the voucher to be issued', async () => {
    const sql = 'SELECT 1 FROM vouchers WHERE order_id = $1';
    return (await voucherLog.rows(sql, [id])).length === 1;
  });
  await at.move(id, 'returned');
  const canceled = await at.createOrder(order());
  await at.move(canceled.id, 'canceled');
  const free = { lines: [{ sku: 'G', name: 'Gift', quantity: 1, unit_amount: 0 }] };
  await at.createOrder(order(free));
}

before(async () => {
  await makeEveryKindOfEvent(shop);
  await makeEveryKindOfEvent(other);
  await Promise.all(Array.from({ length: 60 }, (_, i) => shop.sendOrder(9990 + i)));
  await untilQuiet(stack);
});

/** Waits until a subscriber has every event of the log, and compares each with its row. */
async function expectWholeLog(subscriber, merchant) {
  const log = await logOf(merchant);
  const got = () => new Set(subscriber.events.map((event) => event.id)).size;
  await waitUntilEqual('the number of events received', got, log.length);
  const byId = new Map(subscriber.messages.map((message) => [message.event?.id, message]));
  for (const row of log) expectMessage(byId.get(row.id), row);
  return log;
}

function expectMessage(message, row) {
  assert.ok(message, `${row.type} ${row.subject} was not received`);
  const { event, topic, properties } = message;
  const [subject, happening] = row.type.split('.');
  assert.equal(topic, `checkout/v1/${row.merchant}/${subject}/${row.subject}/${happening}`);
  assert.equal(properties.contentType, 'application/cloudevents+json; charset=utf-8');
  assert.equal(message.qos, 1);
  assert.equal(message.retain, false);
  assert.equal(event.type, row.type);
  assert.equal(event.source, row.source);
  assert.equal(event.subject, row.subject);
  assert.equal(event.sequence, String(row.sequence).padStart(20, '0'));
  assert.equal(event.subjectversion, row.version);
  assert.equal(event.merchantid, row.merchant);
  assert.equal(event.traceparent, row.traceparent);
  assert.equal(event.stream, 0);
  assert.ok(message.text.includes(row.data), 'the data is the very text of the log');
}

describe('on the bus', () => {
  test('a subscriber written only with mqtt and cloudevents receives every event over TCP', () =>
    expectWholeLog(tcp, 'demo'));

  test('a subscriber written only with mqtt and cloudevents receives every event over websockets', () =>
    expectWholeLog(ws, 'demo'));

  test('the CloudEvents SDK finds nothing wrong with any event', async () => {
    await expectWholeLog(tcp, 'demo');
    for (const { event } of tcp.messages) assert.ok(event.validate());
  });

  test('events of one producer arrive in the order of its log', async () => {
    await expectWholeLog(tcp, 'demo');
    for (const source of ['/order-service', '/voucher-service']) {
      const sequences = tcp.events
        .filter((event) => event.source === source)
        .map((e) => e.sequence);
      assert.deepEqual(sequences, sequences.toSorted(), source);
    }
  });

  test('every event type of this version is announced and follows its published schema', async () => {
    await expectWholeLog(tcp, 'demo');
    const types = new Set();
    for (const { event, text } of tcp.messages.filter((message) => message.event)) {
      checkEvent(JSON.parse(text));
      types.add(event.type);
    }
    assert.deepEqual([...types].sort(), [
      'order.canceled',
      'order.created',
      'order.delivered',
      'order.paid',
      'order.returned',
      'order.sent',
      'order.updated',
      'voucher.issued',
      'voucher.voided',
    ]);
  });

  test('one filter selects an order, a type or a merchant', async () => {
    const { id } = await shop.createOrder(invoice(1));
    const filters = {
      [`checkout/v1/demo/order/${id}/#`]: ['order.sent', 'order.delivered'],
      'checkout/v1/+/order/+/delivered': ['order.delivered'],
      'checkout/v1/demo/#': ['order.sent', 'order.delivered'],
      'checkout/v1/+/voucher/#': [],
    };
    const subscribers = await Promise.all(
      Object.keys(filters).map((filter) => subscribe(stack.env.MQTT_URL, stack.login, filter)),
    );
    try {
      await shop.move(id, 'sent');
      await shop.move(id, 'delivered');
      for (const [i, types] of Object.values(filters).entries()) {
        const got = () => subscribers[i].events.filter((e) => e.subject === id).map((e) => e.type);
        await waitUntilEqual(`what ${Object.keys(filters)[i]} delivers`, got, types);
      }
    } finally {
      await Promise.all(subscribers.map((each) => each.close()));
    }
  });
});

describe('access to the bus', () => {
  test("a merchant's login receives only its own events, whatever it subscribes to", async () => {
    await expectWholeLog(stranger, 'other');
    await expectWholeLog(everything, 'demo');
    const merchants = (subscriber) => [...new Set(subscriber.events.map((e) => e.merchantid))];
    assert.deepEqual(merchants(stranger), ['other']);
    assert.deepEqual(merchants(everything), ['demo']);
    for (const { topic } of everything.messages) assert.match(topic, /^checkout\/v1\/demo\//);
  });

  test('nobody gets in without a login, or with a wrong password', async () => {
    const wrong = { username: stack.login.username, password: 'wrong' };
    await assert.rejects(connect(stack.env.MQTT_URL, wrong), /[Nn]ot authorized|Bad User/);
    await assert.rejects(connect(stack.env.MQTT_URL, {}), /[Nn]ot authorized|Bad User/);
    await assert.rejects(connect(stack.env.MQTT_WS_URL, wrong), /[Nn]ot authorized|Bad User/);
  });

  test("a merchant's login can not publish, not even its own events", async () => {
    const client = await connect(stack.env.MQTT_URL, stack.login);
    try {
      const { id } = await shop.createOrder(invoice(1));
      const topic = `checkout/v1/demo/order/${id}/forged`;
      const seen = tcp.messages.length;
      await assert.rejects(client.publishAsync(topic, '{}', { qos: 1 }), /[Nn]ot authorized/);
      await shop.move(id, 'canceled');
      await tcp.waitFor(
        'the event behind it',
        (m) => m.event?.subject === id && m.event.type === 'order.canceled',
      );
      assert.ok(!tcp.messages.slice(seen).some((message) => message.topic === topic));
    } finally {
      await client.endAsync(true);
    }
  });

  test('presence is retained per instance, and the last will takes it back', async () => {
    const operator = loginOf(stack.env.CHECKOUT_OPERATOR_KEY);
    const watcher = await subscribe(stack.env.MQTT_URL, operator, 'checkout/v1/service/#');
    try {
      const here = (name) => (message) =>
        message.topic.startsWith(`checkout/v1/service/${name}/`) && message.retain;
      const online = await watcher.waitFor('presence of order-service', here('order-service'));
      const present = await watcher.waitFor('presence of voucher-service', here('voucher-service'));
      assert.notEqual(online.payload.length, 0);
      const from = watcher.messages.length;
      await stack.kill('voucher-service');
      const left = () => watcher.messages.slice(from).find((m) => m.topic === present.topic);
      const gone = await waitFor('the last will of voucher-service', left);
      assert.notEqual(gone.text, present.text);
    } finally {
      stack.start('voucher-service');
      await stack.ready('voucher-service');
      await watcher.close();
    }
  });
});

describe('in the feed', () => {
  const operator = stack.shop(stack.env.ORDER_URL, stack.env.CHECKOUT_OPERATOR_KEY);
  const page = async (at, query) => expectStatus(await at.get(`/v1/events?${query}`), 200).json;

  async function wholeFeed(at, limit) {
    const found = [];
    let after = 0;
    for (;;) {
      const answer = await page(at, `stream=0&after=${after}&limit=${limit}`);
      found.push(...answer.data);
      assert.ok(answer.data.length <= limit);
      if (answer.next_after === answer.head) return { found, head: answer.head };
      assert.ok(answer.next_after > after, 'a page leads on');
      after = answer.next_after;
    }
  }

  test('an operator reads the whole log without a hole, page by page, up to the head', async () => {
    for (const [at, database] of [
      [operator, orders],
      [operator.at(stack.env.VOUCHER_URL), voucherLog],
    ]) {
      for (const limit of [7, 1000]) {
        const { found, head } = await wholeFeed(at, limit);
        assert.equal(head, await headOf(database));
        assert.deepEqual(
          found.map((event) => Number(event.sequence)),
          Array.from({ length: head }, (_, i) => i + 1),
        );
      }
    }
  });

  test('the feed has the same CloudEvents as the bus', async () => {
    await expectWholeLog(tcp, 'demo');
    const onBus = new Map(tcp.messages.map((message) => [message.event?.id, message.text]));
    const { found } = await wholeFeed(shop, 1000);
    const raw = (await shop.get('/v1/events?stream=0&after=0&limit=1000')).text;
    for (const event of found) {
      assert.deepEqual(JSON.parse(onBus.get(event.id)), event);
      assert.ok(raw.includes(onBus.get(event.id)), 'byte for byte');
    }
  });

  test("a merchant's key sees its own events only, and finds the end", async () => {
    for (const [at, merchant] of [
      [shop, 'demo'],
      [other, 'other'],
      [vouchers, 'demo'],
    ]) {
      const { found } = await wholeFeed(at, 10);
      const source = at === vouchers ? '/voucher-service' : '/order-service';
      const log = (await logOf(merchant)).filter((row) => row.source === source);
      assert.deepEqual(
        found.map((event) => event.id),
        log.map((row) => row.id),
      );
    }
  });

  test('wrong parameters are named, and a stream that is not there is empty or missing', async () => {
    const answer = await operator.get('/v1/events?stream=x&after=-1&limit=1001&page=2');
    expectProblem(answer, 422, undefined, ['?stream', '?after', '?limit', '?page']);
    const beyond = await page(operator, 'stream=0&after=999999999&limit=10');
    assert.deepEqual(beyond.data, []);
    assert.equal(beyond.head, await headOf(orders));
  });
});
