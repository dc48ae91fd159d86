/*
 * Orders over HTTP: what a shop can create, read and change, and how it is told what was wrong.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { expectProblem, expectStatus, invoice, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const orders = await openInspector(stack, 'orders');
after(() => orders.close());

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const DAY_MS = 24 * 60 * 60 * 1000;

const eventsOf = (id) =>
  orders.rows(
    'SELECT type, subject_version AS version, data::text AS data FROM events WHERE subject = $1 ' +
      'ORDER BY subject_version',
    [id],
  );

describe('creating', () => {
  test('an order is created pending, with its total computed from its lines', async () => {
    const lines = [
      { sku: 'A', name: 'First', quantity: 3, unit_amount: 1999 },
      { sku: 'B', name: 'Second', quantity: 1, unit_amount: 0 },
      { sku: 'A', name: 'First again', quantity: 10000, unit_amount: 1 },
    ];
    const answer = expectStatus(await shop.post('/v1/orders', order({ lines })), 201);
    const created = answer.json;

    assert.match(created.id, UUID_V7);
    assert.equal(created.version, 1);
    assert.equal(created.status, 'pending');
    assert.equal(created.payment_status, 'unpaid');
    assert.equal(created.currency, 'EUR');
    assert.equal(created.total_amount, 3 * 1999 + 10000);
    assert.equal(created.amount_due, created.total_amount);
    assert.deepEqual(created.lines, lines);
    assert.deepEqual(created.metadata, {});
    assert.match(created.created_at, TIME);
    assert.equal(created.updated_at, created.created_at);
    assert.equal(answer.headers.etag, '"1"');
  });

  test('an order reads back as it was answered, and its event has the same bytes', async () => {
    const created = await shop.post('/v1/orders', order({ metadata: { b: '2', a: '1' } }));
    const read = await shop.get(`/v1/orders/${created.json.id}`);
    assert.deepEqual(expectStatus(read, 200).json, created.json);
    assert.equal(read.headers.etag, '"1"');
    assert.equal(created.headers.location, `/v1/orders/${created.json.id}`);
    assert.deepEqual(await eventsOf(created.json.id), [
      { type: 'order.created', version: 1, data: created.text },
    ]);
  });

  test('optional members are kept as they were sent', async () => {
    const body = order({
      customer: { id: 'c-9', email: 'c9@example.com' },
      client_reference: 'basket 17',
      metadata: { channel: 'web' },
    });
    const created = await shop.createOrder(body);
    assert.deepEqual(created.customer, body.customer);
    assert.equal(created.client_reference, 'basket 17');
    assert.deepEqual(created.metadata, body.metadata);
  });

  test('a total_amount that is not the sum of the lines is refused', async () => {
    expectStatus(await shop.post('/v1/orders', order({ total_amount: 13700 })), 201);
    for (const wrong of [13699, 13701, 0]) {
      const answer = await shop.post('/v1/orders', order({ total_amount: wrong }));
      expectProblem(answer, 422, undefined, ['/total_amount']);
    }
  });

  test('an order may be worth nothing, and up to 10^15, and no more', async () => {
    assert.equal((await shop.createOrder(invoice(0))).total_amount, 0);
    const most = { sku: 'X', name: 'Ship', quantity: 1000, unit_amount: 10 ** 12 };
    assert.equal((await shop.createOrder(order({ lines: [most] }))).total_amount, 10 ** 15);
    const cent = { sku: 'Y', name: 'Cent', quantity: 1, unit_amount: 1 };
    const answer = await shop.post('/v1/orders', order({ lines: [most, cent] }));
    expectProblem(answer, 422);
  });

  test('prepaid orders expire after a day unless paid, invoice orders do not', async () => {
    const prepaid = await shop.createOrder(order());
    assert.equal(prepaid.payment_terms, 'prepaid');
    assert.equal(Date.parse(prepaid.expires_at) - Date.parse(prepaid.created_at), DAY_MS);
    const same = await shop.createOrder(order({ payment_terms: 'prepaid' }));
    assert.equal(same.payment_terms, 'prepaid');
    const onAccount = await shop.createOrder(order({ payment_terms: 'invoice' }));
    assert.equal(onAccount.payment_terms, 'invoice');
    assert.equal(onAccount.expires_at ?? null, null);
  });

  test('an order of 500 lines fits, one of 501 does not', async () => {
    const lines = (count) =>
      Array.from({ length: count }, (_, i) => ({
        sku: `SKU-${String(i).padStart(6, '0')}`,
        name: `A thing with a name, number ${i}`,
        quantity: 1 + (i % 3),
        unit_amount: 100 + i,
      }));
    const created = await shop.createOrder(order({ lines: lines(500) }));
    assert.equal(created.lines.length, 500);
    assert.deepEqual(created.lines, lines(500));
    expectProblem(await shop.post('/v1/orders', order({ lines: lines(501) })), 422, undefined, [
      '/lines',
    ]);
  });

  test('a body may have 64 KiB and not a byte more', async () => {
    const body = JSON.stringify(order());
    const padded = (size) => body.slice(0, -1) + ' '.repeat(size - body.length) + '}';
    expectStatus(await shop.post('/v1/orders', padded(65536)), 201);
    expectProblem(await shop.post('/v1/orders', padded(65537)), 413);
  });
});

describe('changing metadata', () => {
  const patch = (id, metadata, options) => shop.patch(`/v1/orders/${id}`, { metadata }, options);

  test('metadata is merged: members are set, replaced, and removed by null', async () => {
    const { id } = await shop.createOrder(order({ metadata: { a: '1', b: '2', c: '3' } }));
    const answer = expectStatus(await patch(id, { a: null, b: 'two', d: '4' }), 200);
    assert.deepEqual(answer.json.metadata, { b: 'two', c: '3', d: '4' });
    assert.equal(answer.json.version, 2);
    assert.equal(answer.headers.etag, '"2"');
    const events = await eventsOf(id);
    assert.deepEqual(
      events.map((event) => event.type),
      ['order.created', 'order.updated'],
    );
    assert.equal(events[1].data, answer.text);
  });

  test('a merge that changes nothing is answered and announces nothing', async () => {
    const { id } = await shop.createOrder(order({ metadata: { a: '1' } }));
    for (const same of [{ a: '1' }, { missing: null }, {}]) {
      const answer = expectStatus(await patch(id, same), 200);
      assert.equal(answer.json.version, 1);
    }
    assert.equal((await eventsOf(id)).length, 1);
  });

  test('metadata holds 50 pairs of strings, counted after the merge', async () => {
    const pairs = (count) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
    const { id } = await shop.createOrder(order({ metadata: pairs(50) }));
    expectProblem(await patch(id, { more: 'x' }), 422, undefined, ['/metadata']);
    expectStatus(await patch(id, { k0: null, more: 'x' }), 200);
    expectProblem(await shop.post('/v1/orders', order({ metadata: pairs(51) })), 422, undefined, [
      '/metadata',
    ]);
    expectProblem(await patch(id, { n: 1 }), 422, undefined, ['/metadata/n']);
  });

  test('nothing but status and metadata can be changed', async () => {
    const { id } = await shop.createOrder();
    const body = { lines: [], total_amount: 1, currency: 'USD', customer: { id: 'x' }, version: 9 };
    const answer = await shop.patch(`/v1/orders/${id}`, { metadata: { a: '1' }, ...body });
    expectProblem(
      answer,
      422,
      undefined,
      Object.keys(body).map((name) => `/${name}`),
    );
    assert.equal((await shop.order(id)).version, 1);
  });
});

describe('conditions', () => {
  test('If-Match lets a change through only at the version it names', async () => {
    const { id } = await shop.createOrder(invoice(100));
    const change = (etag, metadata) =>
      shop.patch(`/v1/orders/${id}`, { metadata }, { headers: { 'if-match': etag } });
    expectProblem(await change('"2"', { a: '1' }), 412, 'version_stale');
    expectProblem(await change('W/"1"', { a: '1' }), 412, 'version_stale');
    assert.equal((await shop.order(id)).version, 1);

    expectStatus(await change('"1"', { a: '1' }), 200);
    expectProblem(await change('"1"', { a: '2' }), 412, 'version_stale');
    expectStatus(await change('"7", "2"', { a: '2' }), 200);
    expectStatus(await change('*', { a: '3' }), 200);
    assert.equal((await shop.order(id)).version, 4);
  });

  test('an If-Match that cannot be read is malformed', async () => {
    const { id } = await shop.createOrder();
    for (const header of ['1', '"1', 'x"1"', '"1" "2"']) {
      const headers = { 'if-match': header };
      const answer = await shop.patch(`/v1/orders/${id}`, { metadata: { a: '1' } }, { headers });
      expectProblem(answer, 400);
    }
  });
});

describe('answers', () => {
  test('a refused order names every wrong field at once', async () => {
    const answer = await shop.post('/v1/orders', {
      customer: { id: '', email: 7, phone: '1' },
      currency: 'EURO',
      lines: [
        { sku: 'A', name: 'ok', quantity: 0, unit_amount: -1 },
        { name: 'x'.repeat(201), quantity: 10001, unit_amount: 10 ** 12 + 1, color: 'red' },
      ],
      payment_terms: 'later',
      client_reference: '',
      metadata: { a: 1 },
      status: 'sent',
      merchant_id: 'somebody',
    });
    expectProblem(answer, 422, undefined, [
      '/customer/id',
      '/customer/email',
      '/customer/phone',
      '/currency',
      '/lines/0/quantity',
      '/lines/0/unit_amount',
      '/lines/1/sku',
      '/lines/1/name',
      '/lines/1/quantity',
      '/lines/1/unit_amount',
      '/lines/1/color',
      '/payment_terms',
      '/client_reference',
      '/metadata/a',
      '/status',
      '/merchant_id',
    ]);
  });

  test('errors are problem documents, whatever went wrong', async () => {
    const { id } = await shop.createOrder();
    const missing = '01940000-0000-7000-8000-00000000dead';
    expectProblem(await shop.get(`/v1/orders/${missing}`), 404);
    expectProblem(await shop.get('/v1/orders/not-an-id'), 404);
    expectProblem(await shop.patch(`/v1/orders/${missing}`, { status: 'sent' }), 404);
    expectProblem(await shop.get('/v1/order'), 404);
    expectProblem(await shop.get('/V1/orders'), 404);
    expectProblem(await shop.post('/v1/orders', '{"customer":'), 400, 'json_malformed');
    expectProblem(await shop.post('/v1/orders', ''), 400);
    expectProblem(await shop.patch(`/v1/orders/${id}`, {}), 422);
    const text = { headers: { 'content-type': 'text/plain' } };
    expectProblem(await shop.post('/v1/orders', order(), text), 415);
  });

  test('a method that a path does not have is answered 405 with those it has', async () => {
    const { id } = await shop.createOrder();
    const put = await shop.request('PUT', `/v1/orders/${id}`, { body: order() });
    expectProblem(put, 405);
    const allowed = put.headers.allow.split(/\s*,\s*/).sort();
    assert.deepEqual(
      allowed.filter((method) => method !== 'OPTIONS'),
      ['GET', 'HEAD', 'PATCH'],
    );
    expectProblem(await shop.request('DELETE', '/v1/orders'), 405);
  });

  test('HEAD answers as GET would, without the body', async () => {
    const { id } = await shop.createOrder();
    const get = await shop.get(`/v1/orders/${id}`);
    const head = expectStatus(await shop.request('HEAD', `/v1/orders/${id}`), 200);
    assert.equal(head.bytes.length, 0);
    assert.equal(head.headers['content-length'], String(get.bytes.length));
    assert.equal(head.headers.etag, get.headers.etag);
  });

  test('every answer carries a Request-Id of its own', async () => {
    const answers = [
      await shop.post('/v1/orders', order()),
      await shop.get('/v1/orders'),
      await shop.post('/v1/orders', '{'),
      await shop.as(undefined).get('/v1/orders'),
      await shop.get('/nowhere'),
      await shop.get('/livez'),
    ];
    const ids = answers.map((answer) => answer.headers['request-id']);
    for (const id of ids) assert.match(id ?? '', UUID_V7);
    assert.equal(new Set(ids).size, ids.length);
  });
});

describe('tracing', () => {
  const traceId = randomBytes(16).toString('hex');
  const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`;

  test('a traceparent travels from the request to voucher.issued', async () => {
    const headers = { traceparent };
    const { id } = await shop.createOrder(invoice(10001), { headers });
    await shop.move(id, 'sent', { headers });
    const vouchers = await openInspector(stack, 'vouchers');
    try {
      const issued = await waitFor('the voucher of a traced order', async () => {
        const sql = `SELECT traceparent FROM events WHERE type = 'voucher.issued'
                     AND data ->> 'order_id' = $1`;
        return (await vouchers.rows(sql, [id]))[0];
      });
      const sql = 'SELECT traceparent FROM events WHERE subject = $1 ORDER BY sequence';
      const chain = [...(await orders.rows(sql, [id])), issued].map((row) => row.traceparent);
      assert.equal(chain.length, 3);
      for (const link of chain) assert.equal(link.split('-')[1], traceId, chain.join(' '));
      assert.ok(!chain.includes(traceparent), 'each has a span of its own');
    } finally {
      await vouchers.close();
    }
  });

  test('a traceparent that is invalid or doubled starts a new trace', async () => {
    const zero = `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`;
    for (const wrong of [zero, `${traceparent}-extra`, traceparent.toUpperCase(), 'ff-x', '']) {
      const { id } = await shop.createOrder(order(), { headers: { traceparent: wrong } });
      const [event] = await orders.rows('SELECT traceparent FROM events WHERE subject = $1', [id]);
      assert.match(event.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
      assert.notEqual(event.traceparent.split('-')[1], traceId, wrong);
    }
  });
});
