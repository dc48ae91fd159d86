/*
 * What answers do not tell: whether somebody else's object is there, and what we are made of.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { untilQuiet } from '../support/audit.js';
import { openSuperuser } from '../support/database.js';
import { makeKey } from '../support/keys.js';
import { runProgram } from '../support/program.js';
import { expectProblem, expectStatus, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const nobody = '01940000-0000-7000-8000-00000000dead';

/* Requests of each kind in a round, and rounds: noise misses one of them, a leak none. */
const REQUESTS = 150;
const ROUNDS = 4;
const DIFFERENCE_MAX = 0.2;

/* Headers of one answer alone. */
const OWN = ['date', 'request-id', 'traceparent', 'content-length', 'keep-alive'];

const SECRETS_OF_OURS =
  /sqlstate|\b(42P01|23505|57P01)\b|libpq|postgres|relation "|column "|syntax error|\.[ch]:\d+|\/(usr|home|var|tmp|etc)\/|\bat 0x|civetweb|libcurl/i;

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const services = {
  'order-service': stack.env.ORDER_URL,
  'payment-service': stack.env.PAYMENT_URL,
  'voucher-service': stack.env.VOUCHER_URL,
};
const routes = [];
for (const [service, url] of Object.entries(services)) {
  const { stdout } = await runProgram(stack, service, ['--routes']);
  for (const route of JSON.parse(stdout)) routes.push({ service, url, ...route });
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

describe("another merchant's object", async () => {
  const stranger = stack.shop().as(await makeKey(stack, 'stranger', ['orders:read', 'payments:read', 'vouchers:read']));
  const order = await shop.sendOrder(10001);
  await untilQuiet(stack);
  const [voucher] = await stack.vouchers().all('/v1/vouchers', { order_id: order.id });
  const paying = stack.payments().post('/v1/payments', { amount: 4711, currency: 'EUR', payment_method: byCard() }, { key: newKey() });
  const payment = expectStatus(await paying, 201).json;
  const rows = [
    [stack.env.ORDER_URL, '/v1/orders', order.id],
    [stack.env.PAYMENT_URL, '/v1/payments', payment.id],
    [stack.env.VOUCHER_URL, '/v1/vouchers', voucher.id],
  ];

  for (const [url, list, id] of rows) {
    const ask = (which) => stranger.at(url).get(`${list}/${which}`);

    test(`${list}: has the same headers as a missing one`, async () => {
      const [theirs, missing] = [await ask(id), await ask(nobody)].map((answer) => {
        const problem = expectProblem(answer, 404);
        const kept = Object.entries(answer.headers).filter(([name]) => !OWN.includes(name));
        return { headers: Object.fromEntries(kept), ...problem, instance: undefined, length: answer.text.length };
      });
      assert.deepEqual(theirs, missing);
    });

    test(`${list}: is answered as fast as a missing one`, async (t) => {
      const seen = [];
      const signs = new Set();
      for (let round = 0; round < ROUNDS; round++) {
        const [theirs, missing] = await timesOf(ask, [id, nobody]);
        seen.push(`${theirs.toFixed(3)} ms and ${missing.toFixed(3)} ms`);
        t.diagnostic(seen.at(-1));
        if (Math.abs(theirs - missing) <= DIFFERENCE_MAX * Math.min(theirs, missing)) return;
        signs.add(Math.sign(theirs - missing));
        if (signs.size > 1) return; /* now the one, now the other: it tells nothing */
      }
      assert.fail(`it takes longer, or less long, in every round: ${seen.join(', ')}`);
    });
  }

  /** The median of each, asked by turns. */
  async function timesOf(ask, ids) {
    const times = ids.map(() => []);
    for (let i = 0; i < 2 * REQUESTS; i++) {
      const which = i % 2;
      const began = performance.now();
      assert.equal((await ask(ids[which])).status, 404);
      times[which].push(performance.now() - began);
    }
    return times.map(median);
  }
});

describe('no answer tells what we are made of', () => {
  const key = stack.env.CHECKOUT_API_KEY;

  /** What is said of whom and what, in whichever way it goes wrong. */
  function expectSilent(answer, { url, method, path: at }) {
    const about = `${method} ${url}${at}: ${JSON.stringify(answer.headers)} ${answer.text}`;
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', about);
    assert.equal(answer.headers['cache-control'], 'no-store', about);
    assert.doesNotMatch(answer.headers.server ?? '', /\d/, about);
    assert.equal(answer.headers['x-powered-by'], undefined, about);
    if (answer.status >= 400) assert.doesNotMatch(answer.text, SECRETS_OF_OURS, about);
  }

  const target = (route) => route.path.replace('{gateway}', 'bank-a').replace('{merchant_id}', 'demo').replace(/\{[^}]*\}/g, nobody);

  async function call(route, { as = key, body, headers, method = route.method, query = '', url = route.url } = {}) {
    const answer = await shop.at(url).as(as).request(method, target(route) + query, { body, headers, key: newKey() });
    expectSilent(answer, { ...route, url, method });
    return answer;
  }

  test('every route, in whatever way it is called wrongly', async () => {
    for (const route of routes) {
      await call(route, { as: undefined, body: route.body ? {} : undefined });
      await call(route, { body: route.body ? '{"a":' : undefined });
      await call(route, { body: route.body ? { "'; DROP TABLE orders; --": 1 } : undefined, query: "?cursor='%22--" });
      await call(route, { body: 'x', headers: { 'content-type': 'text/plain' } });
      await call(route, { method: 'DELETE' });
    }
  });

  test('nor the edge in front of them', async () => {
    for (const route of routes.filter(({ path: at }) => at.startsWith('/v1/'))) {
      await call(route, { url: stack.env.CHECKOUT_URL, as: undefined });
      await call(route, { url: stack.env.CHECKOUT_URL, method: 'DELETE' });
    }
  });

  test('nor a service whose database has lost a table, or is away', async () => {
    const read = routes.filter(({ method, path: at }) => method === 'GET' && ['/v1/orders', '/v1/payments', '/v1/vouchers'].includes(at));
    assert.equal(read.length, 3);
    const tables = { '/v1/orders': 'orders', '/v1/payments': 'payments', '/v1/vouchers': 'vouchers' };
    for (const route of read) {
      const table = tables[route.path];
      const god = await openSuperuser(stack, table);
      await god.rows(`ALTER TABLE ${table} RENAME TO gone`);
      assert.equal((await call(route)).status, 500);
      await god.rows(`ALTER TABLE gone RENAME TO ${table}`);
      await god.close();
      assert.equal((await call(route)).status, 200);
    }
    await stack.kill('postgres');
    for (const route of read) {
      await waitFor('503', async () => (await call(route)).status === 503);
    }
  });
});
