/*
 * Limits through the edge: whoever asks is the address that the edge saw, whatever they say.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';

import { expectProblem, expectStatus, invoice } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { Wire, requestText } from '../support/wire.js';

/* So few that the next is forgiven after 10 s only: later than a slow machine has asked them all. */
const AUTH_FAILURES_MAX = 6;
const PAGE = 'https://shop.example';

/* More than a worker takes at once from the kernel, and than a service has threads. */
const IDLE = 1000;

const stack = await startStack({ AUTH_FAILURES_MAX: String(AUTH_FAILURES_MAX), CORS_ORIGINS: `https://other.example,${PAGE}` });
after(() => stack.stop());

const edge = stack.shop(stack.env.CHECKOUT_URL);
const stranger = edge.as(`ck_nobody_${'x'.repeat(43)}`);

/** The same caller, from another address of this machine. */
function from(shop, localAddress) {
  const agent = new http.Agent({ keepAlive: true, localAddress });
  after(() => agent.destroy());
  return Object.assign(shop.as(shop.key), { agent });
}

test('a page of another origin may read what the edge refuses, if it may read the API', async () => {
  const refused = (origin) => stranger.post('/v1/orders', invoice(100), { headers: { origin } });
  const allowed = await refused(PAGE);
  expectProblem(allowed, 401, 'key_invalid');
  assert.equal(allowed.headers['access-control-allow-origin'], PAGE);
  assert.match(allowed.headers['access-control-expose-headers'], /Request-Id/);
  assert.equal(allowed.headers.vary, 'Origin');
  const other = await refused('https://evil.example');
  for (const name of ['access-control-allow-origin', 'access-control-expose-headers', 'vary']) {
    assert.equal(other.headers[name], undefined, name);
  }
  const served = await edge.get('/v1/orders', { headers: { origin: PAGE } });
  assert.equal(served.headers['access-control-allow-origin'], PAGE);
});

test('an address that fails too often is told to wait, with and without a body, whatever it says of itself', async () => {
  const other = from(stranger, '127.0.0.2');
  let failures = 0;
  for (; failures <= 2 * AUTH_FAILURES_MAX; failures++) {
    const headers = { 'x-forwarded-for': `198.51.100.${failures}`, forwarded: `for=198.51.100.${failures}` };
    const answer = failures % 2 ? await other.get('/v1/orders', { headers }) : await other.post('/v1/orders', invoice(100), { headers });
    if (answer.status !== 401) break;
  }
  assert.ok(failures >= AUTH_FAILURES_MAX && failures <= AUTH_FAILURES_MAX + 1, `${failures} failures`);
  for (const answer of [await other.get('/v1/orders'), await other.post('/v1/orders', invoice(100))]) {
    expectProblem(answer, 429, 'rate_limited');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
  }
  expectProblem(await from(stranger, '127.0.0.3').get('/v1/orders'), 401, 'key_invalid');
});

test('1,000 idle connections are kept, and others are served as before', async () => {
  const head = requestText('GET /v1/key HTTP/1.1', ['Host: x', `Authorization: Bearer ${stack.env.CHECKOUT_API_KEY}`]);
  const median = async () => {
    const times = [];
    for (let i = 0; i < 200; i++) {
      const started = performance.now();
      expectStatus(await edge.get('/v1/key'), 200);
      times.push(performance.now() - started);
    }
    return times.sort((a, b) => a - b)[100];
  };
  const alone = await median();
  const wires = [];
  while (wires.length < IDLE) {
    wires.push(...(await Promise.all(Array.from({ length: 50 }, () => Wire.connect(edge.url)))));
  }
  for (const wire of wires) assert.equal((await wire.send(head).answer()).status, 200);
  const crowded = await median();
  for (const wire of wires) assert.equal((await wire.send(head).answer()).status, 200);
  for (const wire of wires) wire.close();
  assert.ok(crowded < 3 * alone + 5, `${crowded.toFixed(2)} ms among ${IDLE} idle connections, ${alone.toFixed(2)} ms alone`);
});
