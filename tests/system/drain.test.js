/*
 * The drain: told to stop with all kinds of connections open, the service finishes what it was
 * given, tells the others, and ends.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { SlowClients } from '../support/slow.js';
import { waitFor, within } from '../support/wait.js';
import { requestText } from '../support/wire.js';
import { Door } from '../support/wire_door.js';

const END_MS = 10_000 * SLOWDOWN;
const PIPELINED = 40;

const stack = await startStack();
after(() => stack.stop());

const orders = await openInspector(stack, 'orders');
after(() => orders.close());
const door = new Door({ url: stack.env.ORDER_URL, key: stack.env.CHECKOUT_API_KEY, orders });
const get = requestText('GET /v1/orders?limit=1 HTTP/1.1', door.standard);

await stack.kill('order-service');
const { HEALTH_PORT } = stack.recipes.get('order-service').environment;
const ready = `http://127.0.0.1:${HEALTH_PORT}/readyz`;

const connect = (count) => Promise.all(Array.from({ length: count }, () => door.connect()));

/** Connections that were served once and are kept. */
async function openKept(count) {
  const wires = await connect(count);
  for (const wire of wires) wire.send(get);
  for (const wire of wires) assert.equal((await wire.answer()).status, 200);
  return wires;
}

/** Connections that send many orders in one go; the references of each, in their order. */
async function openPipelined(count) {
  const wires = await connect(count);
  return wires.map((wire) => {
    const sent = Array.from({ length: PIPELINED }, () => door.newBody());
    wire.send(sent.map(({ body }) => door.order(body)).join(''));
    return { wire, references: sent.map(({ reference }) => reference) };
  });
}

/** Every answer until the connection is closed; a part of one is a failure. */
async function answersOf(wire) {
  await wire.closed();
  const answers = [];
  for (let answer; (answer = wire.take(false)); ) answers.push(answer);
  assert.equal(wire.received.length, 0, `half an answer: ${wire.received}`);
  return answers;
}

test('SIGTERM answers what kept, pipelined and slow connections have sent', async () => {
  const child = stack.start('order-service');
  await stack.ready('order-service');
  const exit = once(child, 'exit');
  const kept = await openKept(30);
  const slow = await SlowClients.open(door, { heads: 20, bodies: 20 });
  const pipelined = await openPipelined(20);
  await pipelined[0].wire.answer(); /* they are under way */
  const from = performance.now();
  child.kill('SIGTERM');
  child.kill('SIGTERM');
  await waitFor('the drain', async () => (await fetch(ready)).status === 503, { every: 5 });
  for (const wire of kept.slice(0, 10)) wire.send(get);
  try {
    for (const { wire, references } of pipelined) {
      const answers = await answersOf(wire);
      const done = answers.filter((answer) => answer.status === 201);
      const named = done.map((answer) => answer.json.client_reference);
      const before = wire === pipelined[0].wire ? 1 : 0; /* that one was read already */
      assert.deepEqual(named, references.slice(before, before + named.length));
      for (const reference of references.slice(before + named.length)) {
        assert.equal(await door.countOf(reference), 0, 'stored, and not answered');
      }
      assert.ok(answers.slice(done.length).every((answer) => answer.status === 503));
    }
    for (const wire of kept.slice(0, 10)) {
      const answers = await answersOf(wire);
      assert.equal(answers.length, 1, 'asked while draining, and answered');
      assert.ok([200, 503].includes(answers[0].status), answers[0].what);
      assert.equal(answers[0].headers.connection, 'close');
    }
    for (const wire of slow.bodies) {
      const [answer] = await answersOf(wire);
      assert.ok([400, 408, 503].includes(answer?.status), answer?.what);
    }
    const [code] = await within(END_MS, 'the service to end', exit);
    assert.equal(code, 0);
    const took = performance.now() - from;
    assert.ok(took < END_MS, `it took ${took} ms`);
    for (const wire of [...kept, ...slow.heads]) await wire.closed();
  } finally {
    slow.close();
    for (const wire of kept) wire.close();
  }
});
