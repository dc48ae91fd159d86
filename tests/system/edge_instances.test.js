/*
 * Two instances of both services behind the edge: they come and go, and clients see one service.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit, expectGaplessLog, expectLoadStored, untilQuiet } from '../support/audit.js';
import { openInspector } from '../support/database.js';
import { Load } from '../support/load.js';
import { expectStatus, invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const INSTANCES = ['order-service', 'order-service-1', 'voucher-service', 'voucher-service-1'];

const stack = await startStack({ CHECKOUT_INSTANCES: '2', REQUEST_TIMEOUT_MS: '2000' });
after(() => stack.stop());

const orders = await openInspector(stack, 'orders');
after(() => orders.close());

const edge = stack.shop(stack.env.CHECKOUT_URL);

/** Asks again and again, `ask(number)`, until it is stopped; keeps what was answered. */
class Asking {
  constructor(ask) {
    this.answers = [];
    this.stopped = false;
    this.done = this.run(ask);
    this.done.catch(() => {}); /* told by stop() */
  }

  async run(ask) {
    for (let number = 0; !this.stopped && !edge.closed; number++) {
      this.answers.push({ number, answer: await ask(number) });
      await new Promise((next) => setTimeout(next, 5));
    }
  }

  async stop() {
    this.stopped = true;
    await this.done;
    return this.answers;
  }
}

/** Every instance is ended with the signal and started again, one after the other, under load. */
async function rollingRestart(load, signal) {
  for (const name of INSTANCES) {
    const answers = load.answers + 40;
    await waitFor('load to flow', () => load.answers >= answers);
    await stack.kill(name, signal);
    const more = load.answers + 20;
    await waitFor('load to flow without it', () => load.answers >= more);
    stack.start(name);
    await stack.ready(name);
  }
  const answers = load.answers + 40;
  await waitFor('load to flow', () => load.answers >= answers);
}

/** All that was asked with a key got one answer, which is stored; nobody was cut off. */
async function expectAllWell(load) {
  await load.stop();
  assert.equal(load.unanswered.length, 0);
  const cut = load.requests.filter((request) => request.lastError !== undefined);
  assert.deepEqual(cut.slice(0, 3), [], `${cut.length} of ${load.requests.length} requests were cut off`);
  await untilQuiet(stack);
  await expectLoadStored(stack, load);
  for (const name of ['orders', 'vouchers']) await expectGaplessLog(stack, name);
  await expectCleanAudit(stack);
}

/** How many orders have that client_reference. */
const storedAs = async (reference) =>
  Number(await orders.value('SELECT count(*) FROM orders WHERE client_reference = $1', [reference]));

test('requests go to both instances', async () => {
  for (let i = 0; i < 20; i++) await edge.createOrder();
  for (const name of INSTANCES.slice(0, 2)) {
    const metrics = (await stack.shop(stack.urlOf(name)).get('/metrics')).text;
    assert.match(metrics, /status="201"/, name);
  }
});

test('a rolling restart under load: only 2xx or 503, nothing lost, nothing doubled, one answer per key', async () => {
  const load = new Load([edge], { perSecond: 120, clients: 16, repeats: 0.2 });
  const reads = new Asking(() => edge.get('/v1/voucher_rules'));
  const prefix = newKey();
  const unkeyed = new Asking((number) =>
    edge.post('/v1/orders', invoice(100, { client_reference: `${prefix}-${number}` })),
  );
  await rollingRestart(load, 'SIGTERM');
  for (const { answer } of await reads.stop()) expectStatus(answer, 200);
  const written = await unkeyed.stop();
  await expectAllWell(load);
  assert.ok(written.length > 20);
  for (const { number, answer } of written) {
    const stored = await storedAs(`${prefix}-${number}`);
    if (answer.status === 201) assert.equal(stored, 1);
    else if (expectStatus(answer, 503).json.code === 'outcome_unknown') assert.ok(stored <= 1);
    else assert.equal(stored, 0, answer.text);
  }
});

test('a kill -9 of each instance under load: what is asked with a key or only read is not noticed', async () => {
  const load = new Load([edge], { perSecond: 120, clients: 16, repeats: 0 });
  const reads = new Asking(() => edge.get('/v1/voucher_rules'));
  await rollingRestart(load, 'SIGKILL');
  for (const { answer } of await reads.stop()) expectStatus(answer, 200);
  const again = load.requests.filter((request) => request.attempts > 1);
  await expectAllWell(load);
  assert.deepEqual(again.slice(0, 3), [], `${again.length} requests were answered 503`);
});

test('a request that a frozen instance took is answered by the other one', async () => {
  const frozen = await stack.freeze('order-service-1');
  const keys = Array.from({ length: 16 }, newKey);
  const started = performance.now();
  const answers = await Promise.all(keys.map((key) => edge.post('/v1/orders', invoice(100, { client_reference: key }), { key })));
  assert.ok(performance.now() - started > 2000, 'none of them met the frozen one');
  frozen.thaw();
  for (const [i, answer] of answers.entries()) {
    expectStatus(answer, 201);
    assert.equal(expectStatus(await edge.post('/v1/orders', invoice(100, { client_reference: keys[i] }), { key: keys[i] }), 201).text, answer.text);
    assert.equal(await storedAs(keys[i]), 1);
  }
  await expectCleanAudit(stack);
});
