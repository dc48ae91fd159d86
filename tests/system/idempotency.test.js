/*
 * Idempotency-Key: one effect and one answer, however often and by however many it is asked.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { expectProblem, expectStatus, invoice, newKey, order } from '../support/shop.js';
import { makeKey } from '../support/keys.js';
import { startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const orders = await openInspector(stack, 'orders');
after(() => orders.close());

const REPLAYED = 'idempotent-replayed';

const countOf = async (reference) =>
  Number(
    await orders.value('SELECT count(*) FROM orders WHERE client_reference = $1', [reference]),
  );
const eventsOf = async (id) =>
  Number(await orders.value('SELECT count(*) FROM events WHERE subject = $1', [id]));

function expectReplay(answer, first) {
  assert.equal(answer.status, first.status);
  assert.equal(answer.text, first.text, 'a replay has the same bytes');
  assert.equal(answer.headers[REPLAYED], 'true');
}

describe('creating', () => {
  test('50 requests with one key make one order, one event and one answer', async () => {
    const key = newKey();
    const body = invoice(10001, { client_reference: key });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => shop.post('/v1/orders', body, { key })),
    );
    const fresh = answers.filter((answer) => answer.headers[REPLAYED] === undefined);
    assert.equal(fresh.length, 1, 'exactly one was not a replay');
    for (const answer of answers) {
      expectStatus(answer, 201);
      assert.equal(answer.text, fresh[0].text);
      if (answer !== fresh[0]) expectReplay(answer, fresh[0]);
    }
    assert.equal(await countOf(key), 1);
    assert.equal(await eventsOf(fresh[0].json.id), 1);
  });

  test('a repeat is answered as the first was, also after the order has moved on', async () => {
    const key = newKey();
    const body = invoice(100);
    const first = expectStatus(await shop.post('/v1/orders', body, { key }), 201);
    await shop.move(first.json.id, 'sent');
    const repeat = await shop.post('/v1/orders', body, { key });
    expectReplay(repeat, first);
    assert.equal(repeat.json.status, 'pending');
    assert.equal(repeat.headers.etag, first.headers.etag);
  });

  test('the same key with another body is refused and changes nothing', async () => {
    const key = newKey();
    const reference = newKey();
    await shop.createOrder(invoice(100, { client_reference: reference }), { key });
    const other = invoice(101, { client_reference: reference });
    expectProblem(await shop.post('/v1/orders', other, { key }), 422, 'idempotency_key_reused');
    assert.equal(await countOf(reference), 1);
  });

  test('of 40 requests with one key and two bodies one body wins', async () => {
    const key = newKey();
    const bodies = [1, 2].map((amount) => invoice(amount, { client_reference: key }));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => shop.post('/v1/orders', bodies[i % 2], { key })),
    );
    const won = answers.filter((answer) => answer.status === 201);
    assert.equal(new Set(won.map((answer) => answer.text)).size, 1);
    assert.equal(won.length, 20);
    for (const answer of answers.filter((each) => each.status !== 201)) {
      expectProblem(answer, 422, 'idempotency_key_reused');
    }
    assert.equal(await countOf(key), 1);
  });

  test('a refused request does not use its key up', async () => {
    const key = newKey();
    expectProblem(await shop.post('/v1/orders', order({ currency: 'XXX' }), { key }), 422);
    const answer = expectStatus(await shop.post('/v1/orders', order(), { key }), 201);
    assert.equal(answer.headers[REPLAYED], undefined);
  });

  test('requests without a key are each an order of their own', async () => {
    const reference = newKey();
    const body = invoice(100, { client_reference: reference });
    await Promise.all([shop.createOrder(body), shop.createOrder(body), shop.createOrder(body)]);
    assert.equal(await countOf(reference), 3);
  });
});

describe('spelling', () => {
  test('a key in quotes and the same key bare are one key', async () => {
    const key = newKey();
    const first = expectStatus(await shop.post('/v1/orders', order(), { key }), 201);
    expectReplay(await shop.post('/v1/orders', order(), { key: `"${key}"` }), first);
    const escaped = await shop.post('/v1/orders', order(), { key: `"a\\"${key}"` });
    expectReplay(await shop.post('/v1/orders', order(), { key: `"a\\"${key}"` }), escaped);
  });

  test('a key has 1 to 255 printable characters', async () => {
    for (const key of [
      'x',
      'k'.repeat(255),
      '!#$%&()*+,-./:;<=>?@[]^_`{|}~',
      `"${'q'.repeat(255)}"`,
    ]) {
      expectStatus(await shop.post('/v1/orders', order(), { key }), 201);
    }
    for (const key of ['', '""', 'k'.repeat(256), '"open', '"a" "b"', '"a";b=1']) {
      const answer = await shop.post('/v1/orders', order(), { key });
      expectProblem(answer, 400, 'idempotency_key_invalid');
    }
    for (const key of ['caf\u00e9', 'tab\there']) {
      expectProblem(await shop.post('/v1/orders', order(), { key }), 400);
    }
  });
});

describe('changing', () => {
  const patch = (id, body, options) => shop.patch(`/v1/orders/${id}`, body, options);

  test('a repeated PATCH is answered as the first, also after the order has moved on', async () => {
    const { id } = await shop.createOrder(invoice(10001));
    const key = newKey();
    const first = expectStatus(await patch(id, { status: 'sent' }, { key }), 200);
    await shop.move(id, 'delivered');
    const repeat = await patch(id, { status: 'sent' }, { key });
    expectReplay(repeat, first);
    assert.equal(repeat.json.status, 'sent');
    assert.equal(repeat.headers.etag, '"2"');
    assert.equal((await shop.order(id)).status, 'delivered');
    assert.equal(await eventsOf(id), 3);
  });

  test('50 PATCHes with one key are one change', async () => {
    const { id } = await shop.createOrder(invoice(10001));
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => patch(id, { metadata: { parcel: 'P' } }, { key })),
    );
    for (const answer of answers) assert.equal(expectStatus(answer, 200).json.version, 2);
    assert.equal(new Set(answers.map((answer) => answer.text)).size, 1);
    assert.equal(await eventsOf(id), 2);
  });

  test('a stale version does not burn the key', async () => {
    const { id } = await shop.createOrder(invoice(10001));
    const key = newKey();
    const body = { metadata: { a: '1' } };
    const stale = await patch(id, body, { key, headers: { 'if-match': '"9"' } });
    expectProblem(stale, 412, 'version_stale');
    const answer = expectStatus(
      await patch(id, body, { key, headers: { 'if-match': '"1"' } }),
      200,
    );
    assert.equal(answer.headers[REPLAYED], undefined);
    assert.equal(answer.json.version, 2);
    const repeat = await patch(id, body, { key, headers: { 'if-match': '"1"' } });
    expectReplay(repeat, answer);
  });

  test('clients that collide over a version burn no key: each gets through with its own', async () => {
    const { id } = await shop.createOrder(invoice(10001));
    const bodies = Array.from({ length: 20 }, (_, i) => ({ metadata: { [`k${i}`]: 'v' } }));
    const keys = bodies.map(() => newKey());
    const send = (body, i) => patch(id, body, { key: keys[i] });
    let pending = bodies.map((body, i) => i);
    for (let round = 0; round < 20 && pending.length > 0; round++) {
      const answers = await Promise.all(pending.map((i) => send(bodies[i], i)));
      pending = pending.filter((_, n) => answers[n].status === 409 || answers[n].status === 503);
      for (const answer of answers) assert.ok([200, 409, 503].includes(answer.status), answer.text);
    }
    assert.deepEqual(pending, []);
    const final = await shop.order(id);
    assert.equal(Object.keys(final.metadata).length, 20);
    assert.equal(final.version, 21);
    assert.equal(await eventsOf(id), 21);
  });

  test('an illegal move does not burn the key', async () => {
    const { id } = await shop.createOrder(invoice(100));
    const key = newKey();
    expectProblem(await patch(id, { status: 'delivered' }, { key }), 409);
    await shop.move(id, 'sent');
    const answer = expectStatus(await patch(id, { status: 'delivered' }, { key }), 200);
    assert.equal(answer.headers[REPLAYED], undefined);
  });

  test('a repeat of a change that found things as it wanted them is the same answer', async () => {
    const metadata = { b: '1', a: '2' };
    const created = await shop.createOrder(invoice(100, { metadata }));
    const sent = await shop.sendOrder(100);
    for (const [id, body, next] of [
      [created.id, { metadata }, 'sent'],
      [sent.id, { status: 'sent' }, 'delivered'],
    ]) {
      const key = newKey();
      const first = expectStatus(await patch(id, body, { key }), 200);
      await shop.move(id, next);
      expectReplay(await patch(id, body, { key }), first);
    }
  });
});

describe('scope', () => {
  test('the same key on another path is another key', async () => {
    const key = newKey();
    const [one, two] = [await shop.createOrder(invoice(1)), await shop.createOrder(invoice(2))];
    await shop.createOrder(invoice(3), { key });
    await shop.move(one.id, 'sent', { key });
    await shop.move(two.id, 'sent', { key });
    assert.equal(await eventsOf(one.id), 2);
    assert.equal(await eventsOf(two.id), 2);
  });

  test("two merchants' keys do not meet", async () => {
    const other = shop.as(await makeKey(stack, 'other', ['orders:read', 'orders:write']));
    const key = newKey();
    const mine = await shop.createOrder(invoice(1), { key });
    const theirs = expectStatus(await other.post('/v1/orders', invoice(1), { key }), 201);
    assert.equal(theirs.headers[REPLAYED], undefined);
    assert.notEqual(theirs.json.id, mine.id);
  });
});
