/*
 * Slow clients at a service itself: whoever sends byte by byte, or never reads, is cut off at the
 * request's deadline, and healthy requests do not notice.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { expectStatus, invoice } from '../support/shop.js';
import { SlowClients, expectHealthy, timeRequests } from '../support/slow.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';
import { requestText } from '../support/wire.js';
import { Door } from '../support/wire_door.js';

const DEADLINE_MS = 3000;

/* What the slow may have beyond the deadline: the watchdog's tick, and a machine that is busy. */
const LATE_MS = 3000 * SLOWDOWN;

const stack = await startStack({
  REQUEST_TIMEOUT_MS: String(DEADLINE_MS),
  KEEP_ALIVE_MS: String(DEADLINE_MS),
});
after(() => stack.stop());

const shop = stack.shop();
const orders = await openInspector(stack, 'orders');
after(() => orders.close());
const door = new Door({ url: stack.env.ORDER_URL, key: stack.env.CHECKOUT_API_KEY, orders });

const healthy = async () => {
  expectStatus(await shop.post('/v1/orders', invoice(1)), 201);
  expectStatus(await shop.get('/v1/orders?limit=5'), 200);
};

const first = await shop.createOrder(invoice(1));
const getOne = async () => expectStatus(await shop.get(`/v1/orders/${first.id}`), 200);

/** Requests that the service is at, beside the one that asks. */
async function running() {
  const answer = expectStatus(await shop.get('/metrics'), 200);
  return Number(/^checkout_http_requests_running (\d+)$/m.exec(answer.text)[1]) - 1;
}

/** Slow clients that are cut off in the end, and what the healthy had of it. */
async function lookAtSlowClients() {
  const slow = await SlowClients.open(door, { heads: 100, bodies: 100 });
  try {
    const from = performance.now();
    const times = await timeRequests(healthy, () => slow.open > 0);
    const took = performance.now() - from;
    assert.ok(took > DEADLINE_MS - 1000, `cut off after ${took} ms already`);
    assert.ok(took < DEADLINE_MS + LATE_MS, `the last was cut off after ${took} ms`);
    for (const wire of slow.bodies) {
      door.expectProblem(await wire.answer(), { direct: '408 body_timeout' });
    }
    return times;
  } finally {
    slow.close();
  }
}

test('100 slow heads and 100 slow bodies leave healthy requests a p99 below 200 ms', async (t) => {
  await expectHealthy(t, lookAtSlowClients);
  const { reference, body } = door.newBody();
  assert.equal((await door.ask(door.order(body))).status, 201);
  assert.equal(await door.countOf(reference), 1);
});

test('a head that drips is told that it came too slowly', async () => {
  const slow = await SlowClients.open(door, { heads: 3, bodies: 0 });
  try {
    for (const wire of slow.heads) {
      door.expectProblem(await wire.answer(), { direct: '408 request_timeout' });
    }
  } finally {
    slow.close();
  }
});

test('a connection that was served may not drip its next head for ever either', async () => {
  const wire = await door.connect();
  wire.send(requestText('GET /v1/orders?limit=1 HTTP/1.1', door.standard));
  assert.equal((await wire.answer()).status, 200);
  const drip = setInterval(() => wire.ended || wire.send('G'), 100);
  try {
    door.expectProblem(await wire.answer(), { direct: '408 request_timeout' });
    await wire.closed();
  } finally {
    clearInterval(drip);
    wire.close();
  }
});

/** Clients that ask and never read are cut off; what the healthy had of it until then. */
async function lookAtDeafClients() {
  const list = requestText('GET /v1/orders?limit=100 HTTP/1.1', door.standard);
  const wires = await Promise.all(Array.from({ length: 10 }, () => door.connect()));
  try {
    for (const wire of wires) {
      wire.socket.pause();
      wire.send(list.repeat(200));
    }
    await waitFor('all of them to be served', async () => (await running()) >= wires.length);
    let gone = false;
    const cut = waitUntilEqual('requests being served', running, 0, { within: 20_000 });
    cut.finally(() => (gone = true)).catch(() => {});
    const times = await timeRequests(getOne, () => !gone);
    await cut;
    return times;
  } finally {
    for (const wire of wires) wire.close();
  }
}

test('clients that never read their answers are cut off, and hold nobody', async (t) => {
  for (let i = 0; i < 100; i++) await shop.createOrder(invoice(1));
  await expectHealthy(t, lookAtDeafClients);
});
