/*
 * Bad input: a 4xx problem that names every wrong field, nothing stored, never a 5xx; and every text
 * that is accepted comes back byte for byte.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import fc from 'fast-check';

import { subscribe } from '../support/bus.js';
import { openInspector } from '../support/database.js';
import { badBodies, badFields, naughtyTexts } from '../support/naughty.js';
import { runSeed } from '../support/random.js';
import { expectProblem, expectStatus, invoice, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const operator = stack.vouchers(stack.env.CHECKOUT_OPERATOR_KEY);
const orders = await openInspector(stack, 'orders');
const vouchers = await openInspector(stack, 'vouchers');
after(() => Promise.all([orders.close(), vouchers.close()]));

const rowsOf = async () =>
  JSON.stringify([
    await orders.rows(
      'SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM idempotency_keys) AS keys',
    ),
    await vouchers.rows(
      'SELECT (SELECT count(*) FROM vouchers) AS vouchers, (SELECT count(*) FROM voucher_rules) AS rules',
    ),
  ]);

const target = await shop.createOrder(invoice(100));

/** Every route that takes a body. */
const routes = {
  'POST /v1/orders': (body, options) => shop.post('/v1/orders', body, options),
  'PATCH /v1/orders/{id}': (body, options) => shop.patch(`/v1/orders/${target.id}`, body, options),
  'POST /v1/voucher_rules': (body, options) => operator.post('/v1/voucher_rules', body, options),
};

/* A body is read before a code is looked for. */
const merchant = stack.vouchers();
for (const action of ['reserve', 'release', 'redemptions']) {
  routes[`POST /v1/vouchers/{code}/${action}`] = (body, options) =>
    merchant.post(`/v1/vouchers/0000-0000-0000-0/${action}`, body, options);
}

/** Does what `work` says, and nothing may be stored by it. */
async function storingNothing(work) {
  const before = await rowsOf();
  await work();
  assert.equal(await rowsOf(), before, 'something was stored');
}

describe('bodies that cannot be read', () => {
  for (const [route, send] of Object.entries(routes)) {
    for (const [name, body, statuses = [400]] of badBodies) {
      test(`${route} refuses a body that is ${name}`, () =>
        storingNothing(async () => {
          const answer = await send(body, { key: 'a key that is not used up' });
          assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.text}`);
          expectProblem(answer, answer.status);
        }));
    }
  }
});

describe('members that are wrong', () => {
  for (const [name, overrides, pointers] of badFields) {
    test(`an order is refused for ${name}, and the problem names it`, () =>
      storingNothing(async () => {
        const answer = await shop.post('/v1/orders', raw(order(overrides)));
        expectProblem(answer, 422, undefined, pointers);
      }));
  }

  /** JSON with literals that JavaScript has no number for: { $raw: '9223372036854775808' }. */
  function raw(body) {
    return JSON.stringify(body).replace(/\{"\$raw":"([^"]*)"\}/g, '$1');
  }

  test('each wrong member of 64 is named, and those beyond are counted', () =>
    storingNothing(async () => {
      const lines = Array.from({ length: 100 }, () => ({
        sku: 'A',
        name: 'B',
        quantity: 0,
        unit_amount: 1,
      }));
      const problem = expectProblem(await shop.post('/v1/orders', order({ lines })), 422);
      assert.equal(problem.errors.length + (problem.errors_omitted ?? 0), 100);
      assert.equal(problem.errors[63].pointer, '/lines/63/quantity');
    }));

  test('all that is wrong with a PATCH is named at once', () =>
    storingNothing(async () => {
      const body = { status: 'lost', metadata: { a: 1, b: [], '': 'x' }, lines: [] };
      const answer = await shop.patch(`/v1/orders/${target.id}`, body);
      expectProblem(answer, 422, undefined, [
        '/status',
        '/metadata/a',
        '/metadata/b',
        '/metadata/',
        '/lines',
      ]);
    }));
});

describe('ids in paths', () => {
  const rows = [
    'not-a-uuid',
    '0',
    '01940000-0000-7000-8000-00000000000',
    '01940000-0000-7000-8000-0000000000000',
    '{01940000-0000-7000-8000-000000000000}',
    'ffffffff-ffff-7fff-bfff-ffffffffffff',
    "1'%20OR%20'1'='1",
    '%F0%9F%92%A9',
    'a'.repeat(2000),
  ];
  /* An id of a voucher may be a code: who guesses is told to wait. */
  const unhurried = (ask) =>
    waitFor('an answer', async () => {
      const answer = await ask();
      return answer.status !== 429 && answer;
    });
  for (const id of rows) {
    test(`an order id that is ${id.slice(0, 40)} is not found`, () =>
      storingNothing(async () => {
        for (const answer of [
          await shop.get(`/v1/orders/${id}`),
          await shop.patch(`/v1/orders/${id}`, { status: 'sent' }),
          await shop.get(`/v1/orders/${id}/timeline`),
          await unhurried(() => operator.get(`/v1/vouchers/${id}`)),
        ]) {
          assert.ok([400, 404].includes(answer.status), `${answer.status} ${answer.text}`);
          expectProblem(answer, answer.status);
        }
      }));
  }
});

describe('texts', () => {
  test('every naughty text comes back byte for byte: answer, GET, list, event, feed', async () => {
    const subscriber = await subscribe(stack.env.MQTT_URL, stack.login, 'checkout/v1/demo/order/#');
    try {
      for (const text of naughtyTexts) await expectSameText(subscriber, text);
    } finally {
      await subscriber.close();
    }
  });

  async function expectSameText(subscriber, text) {
    const body = order({
      customer: { id: text },
      client_reference: text,
      lines: [{ sku: text, name: text, quantity: 1, unit_amount: 1 }],
      metadata: { [text]: text, note: text },
    });
    const created = expectStatus(await shop.post('/v1/orders', body), 201).json;
    const query = new URLSearchParams({ client_reference: text, customer_id: text });
    const listed = expectStatus(await shop.get(`/v1/orders?${query}`), 200).json.data;
    const message = await subscriber.waitFor(
      `the event of ${JSON.stringify(text)}`,
      (each) => each.event?.subject === created.id,
    );
    const sequence = Number(message.event.sequence);
    const feed = await shop.get(`/v1/events?stream=0&after=${sequence - 1}&limit=1`);
    const copies = {
      answer: created,
      GET: await shop.order(created.id),
      list: listed.find((each) => each.id === created.id),
      event: JSON.parse(message.text).data,
      feed: expectStatus(feed, 200).json.data[0].data,
    };
    for (const [where, copy] of Object.entries(copies)) {
      assert.ok(copy, `${where}: no order for ${JSON.stringify(text)}`);
      for (const found of [
        copy.customer.id,
        copy.client_reference,
        copy.lines[0].sku,
        copy.lines[0].name,
        copy.metadata.note,
      ]) {
        assert.deepEqual(Buffer.from(found), Buffer.from(text), where);
      }
      assert.equal(copy.metadata[text], text, where);
    }
  }

  test('any text of 1 to 200 characters is kept as it is', async () => {
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 200 })
      .filter((value) => !value.includes('\0') && value.isWellFormed());
    const property = fc.asyncProperty(text, async (value) => {
      const body = invoice(1, { client_reference: value, metadata: { value } });
      const created = expectStatus(await shop.post('/v1/orders', body), 201).json;
      const read = await shop.order(created.id);
      assert.equal(created.client_reference, value);
      assert.equal(read.client_reference, value);
      assert.equal(read.metadata.value, value);
    });
    await fc.assert(property, { numRuns: 100, seed: runSeed(), includeErrorInReport: true });
  });

  test('no JSON whatsoever makes an order by accident or an answer of 5xx', async () => {
    const property = fc.asyncProperty(fc.json({ maxDepth: 4 }), async (body) => {
      const answer = await shop.post('/v1/orders', body);
      assert.ok([400, 422].includes(answer.status), `${body} -> ${answer.status} ${answer.text}`);
      expectProblem(answer, answer.status);
    });
    await storingNothing(() => fc.assert(property, { numRuns: 200, seed: runSeed(), includeErrorInReport: true }));
  });

  test('no query string makes an answer of 5xx', async () => {
    const property = fc.asyncProperty(fc.webQueryParameters(), async (query) => {
      for (const path of ['/v1/orders', '/v1/events']) {
        const answer = await shop.get(`${path}?${query}`);
        if (answer.status !== 200) expectProblem(answer, answer.status);
        assert.ok(answer.status < 500, `${query} -> ${answer.text}`);
      }
    });
    await fc.assert(property, { numRuns: 100, seed: runSeed(), includeErrorInReport: true });
  });
});
