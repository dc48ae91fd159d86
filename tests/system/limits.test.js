/*
 * Limits: how often an address may come without a good key, and how often a key may ask.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { makeKey } from '../support/keys.js';
import { expectProblem, expectStatus, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const AUTH_FAILURES_MAX = 30;
const RATE_LIMIT_PER_KEY = 40;

/* How many ask at once: many times what a key may in a second, and what may come back meanwhile. */
const CROWD = 2000;

/* The voucher-service believes no proxy here. */
const stack = await startStack({
  AUTH_FAILURES_MAX,
  RATE_LIMIT_PER_KEY,
  VOUCHER_SERVICE_TRUSTED_PROXIES: '192.0.2.1',
});
after(() => stack.stop());
const shop = stack.shop();
const stranger = shop.as(`ck_nobody_${'x'.repeat(43)}`);

/** A request as it comes through a proxy of ours. */
const from = (address) => ({ headers: { 'x-forwarded-for': address } });

/** The value of a series of a service's metrics. */
async function metric(url, series) {
  const { text } = expectStatus(await shop.at(url).as(undefined).get('/metrics'), 200);
  return Number(text.split('\n').find((line) => line.startsWith(`${series} `))?.split(' ')[1]);
}

/** Fails to authenticate from there until the answer is no longer 401; counts the 401s. */
async function exhaust(at, address) {
  for (let failures = 0; failures <= 10 * AUTH_FAILURES_MAX; failures++) {
    const answer = await at.get('/v1/orders', from(address));
    if (answer.status !== 401) return { failures, answer };
  }
  throw new Error(`${address} may fail for ever`);
}

function expectTold(answer) {
  const { detail } = expectProblem(answer, 429, 'rate_limited');
  assert.match(answer.headers['retry-after'], /^[1-9][0-9]*$/);
  return detail;
}

describe('an address', () => {
  test('that fails too often is told to wait, and others are not', async () => {
    const { failures, answer } = await exhaust(stranger, '198.51.100.1');
    assert.ok(failures >= AUTH_FAILURES_MAX, `${failures} failures were answered`);
    assert.match(expectTold(answer), /no good API key/);
    expectTold(await shop.as(undefined).get('/v1/orders', from('198.51.100.1')));
    expectTold(await shop.as('nonsense').get('/v1/key', from('198.51.100.1')));
    expectProblem(await stranger.get('/v1/orders', from('198.51.100.2')), 401, 'key_invalid');
    const counted = 'checkout_rate_limited_total{by="address"}';
    assert.ok((await metric(stack.env.ORDER_URL, counted)) >= 3);
  });

  test('may try again when its time is over', async () => {
    const { answer } = await exhaust(stranger, '198.51.100.3');
    assert.ok(Number(answer.headers['retry-after']) <= 60 / AUTH_FAILURES_MAX + 1);
    await waitFor('another chance', async (seen) => {
      const { status } = await stranger.get('/v1/orders', from('198.51.100.3'));
      seen(status);
      return status === 401;
    });
  });

  test('that failed too often still lets in the keys that were good before, and no new ones', async () => {
    /* Made before: it takes time, in which an address is forgiven a failure. */
    const fresh = shop.as(await makeKey(stack, 'demo', ['orders:read']));
    expectStatus(await shop.get('/v1/orders', from('198.51.100.4')), 200);
    await exhaust(stranger, '198.51.100.4');
    expectStatus(await shop.get('/v1/orders', from('198.51.100.4')), 200);
    expectTold(await fresh.get('/v1/orders', from('198.51.100.4')));
    expectStatus(await fresh.get('/v1/orders', from('198.51.100.5')), 200);
  });

  test('is what a trusted proxy says last, whatever the client claims before', async () => {
    for (let i = 0; i < 2 * AUTH_FAILURES_MAX; i++) {
      await stranger.get('/v1/orders', from(`203.0.113.${i}, 198.51.100.6`));
    }
    expectTold(await stranger.get('/v1/orders', from('198.51.100.6')));
    expectProblem(await stranger.get('/v1/orders', from('198.51.100.6, 198.51.100.7')), 401);
  });

  test('is the other end of the connection for whoever is no trusted proxy', async () => {
    const at = stranger.at(stack.env.VOUCHER_URL);
    let refused;
    for (let i = 0; i <= 2 * AUTH_FAILURES_MAX && !refused; i++) {
      const answer = await at.get('/v1/vouchers', from(`198.51.100.${i}`));
      if (answer.status === 429) refused = answer;
    }
    expectTold(refused ?? assert.fail('every claim was believed'));
  });
});

describe('a key', () => {
  test('that asks too often is told to wait, and others are not', async () => {
    const key = await makeKey(stack, 'demo', ['orders:read']);
    const before = await metric(stack.env.ORDER_URL, 'checkout_rate_limited_total{by="key"}');
    const asking = shop.as(key);
    const answers = await Promise.all(Array.from({ length: CROWD }, () => asking.get('/v1/orders?limit=1')));
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length > 0, 'nobody had to wait');
    for (const answer of refused) assert.match(expectTold(answer), /at most 40 requests in a second/);
    const served = answers.filter(({ status }) => status !== 429);
    for (const answer of served) expectStatus(answer, 200);
    assert.ok(served.length >= RATE_LIMIT_PER_KEY, `${served.length} were served`);
    expectStatus(await shop.get('/v1/orders'), 200);
    const after = await metric(stack.env.ORDER_URL, 'checkout_rate_limited_total{by="key"}');
    assert.equal(after - before, refused.length);
    await waitFor('its turn', async () => (await asking.get('/v1/orders')).status === 200);
  });

  test('that asks who it is does not count', async () => {
    const asking = shop.as(await makeKey(stack, 'demo', ['orders:read']));
    const answers = await Promise.all(Array.from({ length: 500 }, () => asking.get('/v1/key')));
    for (const answer of answers) expectStatus(answer, 200);
    expectStatus(await asking.get('/v1/orders'), 200);
  });
});

/* The last one: here this very address is used up, from which all other tests come. */
test('at the edge an address can not pretend to be another, and is told to wait before its body is read', async () => {
  const at = stranger.at(stack.env.CHECKOUT_URL);
  expectStatus(await shop.at(stack.env.CHECKOUT_URL).get('/v1/orders'), 200);
  let refused;
  for (let i = 0; i <= 2 * AUTH_FAILURES_MAX && !refused; i++) {
    const answer = await at.post('/v1/orders', order(), from(`198.51.100.${i}`));
    if (answer.status === 429) refused = answer;
    else expectProblem(answer, 401, 'key_invalid');
  }
  expectTold(refused ?? assert.fail('every claim was believed'));
  const { id } = await shop.at(stack.env.CHECKOUT_URL).createOrder();
  assert.equal((await shop.order(id)).id, id);
});
