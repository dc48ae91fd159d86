/*
 * Connection floods at a service itself: more clients than it has threads or descriptors, most of
 * whom say nothing. Healthy requests keep being answered, and nothing dies.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { expectStatus, invoice } from '../support/shop.js';
import { timeRequests } from '../support/slow.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';
import { requestText } from '../support/wire.js';
import { Door } from '../support/wire_door.js';

/* However many are before it, nobody waits longer for a program that no sanitizer slows down. */
const WITHIN_MS = 5000;
const PATIENCE_MS = WITHIN_MS * SLOWDOWN;

const DESCRIPTORS = 256;

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const orders = await openInspector(stack, 'orders');
after(() => orders.close());
const door = new Door({ url: stack.env.ORDER_URL, key: stack.env.CHECKOUT_API_KEY, orders });
const get = requestText('GET /v1/orders?limit=1 HTTP/1.1', door.standard);

/* Less than the time for which a connection may say nothing when others wait: WATCHDOG_SILENT_MS. */
const SILENT_MS = 200;

/** Connections that say nothing; what is not taken yet waits in the kernel, as it would. */
function flood(count) {
  const wires = [];
  for (let i = 0; i < count; i++) door.connect().then((wire) => wires.push(wire), () => {});
  return { wires, close: () => wires.forEach((wire) => wire.close()) };
}

/**
 * Creates and reads on a new connection, as somebody would who comes now; who was too slow to ask, and
 * closed for it, comes again.
 */
async function healthy() {
  const from = performance.now();
  const wire = await door.connect();
  try {
    wire.send(door.order(door.newBody().body), get);
    const silent = performance.now() - from;
    const first = await wire.answer().catch((error) => {
      if (silent < SILENT_MS || !/closed after ""/.test(error.message)) throw error;
    });
    if (!first) return healthy();
    assert.equal(first.status, 201);
    assert.equal((await wire.answer()).status, 200);
  } finally {
    wire.close();
  }
}

async function expectHealthy(t) {
  const until = performance.now() + 3000;
  const times = await timeRequests(healthy, () => performance.now() < until);
  t.diagnostic(`${times.length} clients, the slowest waited ${times.at(-1).toFixed(0)} ms`);
  assert.ok(times.length >= 16, `${times.length} clients were served`);
  assert.ok(times.at(-1) < PATIENCE_MS, `one waited ${times.at(-1)} ms`);
}

test('10,000 connections that say nothing keep nobody out', async (t) => {
  const idle = flood(10_000);
  try {
    await waitFor('more connections than threads', () => idle.wires.length > 600);
    await expectHealthy(t);
  } finally {
    idle.close();
  }
});

/** Asks on a connection that it keeps; who was too slow to ask, and closed for it, comes again. */
function served() {
  const ask = async (seen) => {
    const wire = await door.connect();
    wire.send(get);
    const { status } = await wire.answer();
    seen(status);
    return status === 200 && wire;
  };
  return waitFor('an answer', ask, { within: WITHIN_MS });
}

test('400 clients that keep their connections are all served by 256 threads', async () => {
  const from = performance.now();
  const wires = await Promise.all(Array.from({ length: 400 }, served));
  const took = performance.now() - from;
  for (const wire of wires) wire.close();
  assert.ok(took < PATIENCE_MS, `the last waited ${took} ms`);
});

test('with 256 descriptors the service takes no more than it can, and lives', async (t) => {
  await stack.kill('order-service');
  const recipe = stack.recipes.get('order-service');
  const limited = `ulimit -n ${DESCRIPTORS}; exec "$0"`;
  const argv = ['sh', '-c', limited, recipe.program, ...recipe.argv.slice(1)];
  const child = stack.startFrom('order-service', { ...recipe, program: '/bin/sh' }, { argv });
  await stack.ready('order-service');
  const pid = child.pid;
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max open files +256 /);

  const idle = flood(1000);
  let most = 0;
  const count = () => (most = Math.max(most, readdirSync(`/proc/${pid}/fd`).length));
  const timer = setInterval(count, 20);
  try {
    await waitFor('more connections than descriptors', () => idle.wires.length > DESCRIPTORS);
    await expectHealthy(t);
  } finally {
    clearInterval(timer);
    idle.close();
  }
  t.diagnostic(`at most ${most} descriptors`);
  assert.ok(most < DESCRIPTORS, `${most} descriptors`);
  assert.equal(child.exitCode, null);
  const created = expectStatus(await shop.post('/v1/orders', invoice(1)), 201).json;
  assert.deepEqual(await shop.order(created.id), created);
});
