/*
 * Slow and silent clients at the edge: they cost a connection there, and nobody behind it notices.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { expectStatus, invoice } from '../support/shop.js';
import { SlowClients, expectHealthy, timeRequests } from '../support/slow.js';
import { startStack } from '../support/stack.js';
import { Door } from '../support/wire_door.js';

/* How long they are looked at: long enough for every slow client to drip many times. */
const LOOK_MS = 4000;

const stack = await startStack();
after(() => stack.stop());

const url = stack.env.CHECKOUT_URL;
const shop = stack.shop(url);
const orders = await openInspector(stack, 'orders');
after(() => orders.close());
const door = new Door({ url, key: stack.env.CHECKOUT_API_KEY, orders, edge: true });

const healthy = async () => {
  expectStatus(await shop.post('/v1/orders', invoice(1)), 201);
  expectStatus(await shop.get('/v1/orders?limit=5'), 200);
};

const look = () => {
  const until = performance.now() + LOOK_MS;
  return timeRequests(healthy, () => performance.now() < until);
};

test('200 slow heads and 200 slow bodies leave healthy requests a p99 below 200 ms', async (t) => {
  const slow = await SlowClients.open(door, { heads: 200, bodies: 200 });
  try {
    await expectHealthy(t, look);
    assert.ok(slow.open >= 400, `only ${slow.open} were still there: nobody was kept waiting`);
  } finally {
    slow.close();
  }
});

test('10,000 connections that say nothing leave healthy requests a p99 below 200 ms', async (t) => {
  const wires = await Promise.all(Array.from({ length: 10_000 }, () => door.connect()));
  try {
    /* Who said nothing for 10 s is closed, and the first of them may have come as long ago. */
    const silent = wires.filter((wire) => !wire.ended).length;
    t.diagnostic(`${silent} of them are there at once`);
    assert.ok(silent > 5000, `only ${silent} were there at once`);
    await expectHealthy(t, look);
  } finally {
    for (const wire of wires) wire.close();
  }
});
