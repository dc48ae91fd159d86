/*
 * Processes die in the middle of work: what was answered is there, and nothing happened twice.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit, expectGaplessLog, expectLoadStored } from '../support/audit.js';
import { openInspector } from '../support/database.js';
import { Load } from '../support/load.js';
import { Random, runSeed } from '../support/random.js';
import { invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, within } from '../support/wait.js';

const ROUNDS = Number(process.env.TEST_CRASHES ?? 20);
const DRAIN_MS = 10_000;
const FIRST_ANSWER_MS = 10_000;

const stack = await startStack();
after(() => stack.stop());

const seed = runSeed();
const services = ['order-service', 'voucher-service'];

test(`each service is killed ${ROUNDS} times under load: the audit is clean, no answer is missing (seed ${seed})`, async (t) => {
  const random = new Random(`crashes ${seed}`);
  const load = new Load([stack.shop()], { seed, perSecond: 200, clients: 24 });
  const slowest = { ms: 0 };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of services) {
        const enough = load.answers + random.between(10, 120);
        await waitFor(`answer ${enough}`, () => load.answers >= enough, { every: 1 });
        await stack.kill(name);
        stack.start(name);
        const from = performance.now();
        await stack.ready(name, { within: FIRST_ANSWER_MS, every: 10 });
        slowest.ms = Math.max(slowest.ms, performance.now() - from);
      }
    }
  } finally {
    await load.stop();
  }
  t.diagnostic(`${load.answers} answers; the slowest start took ${Math.round(slowest.ms)} ms`);
  assert.equal(load.unanswered.length, 0, 'every request was answered in the end');
  await expectLoadStored(stack, load);
  for (const name of ['orders', 'vouchers']) await expectGaplessLog(stack, name);
  await expectCleanAudit(stack);
});

test('SIGTERM under load answers every accepted request and exits with 0 within 10 s', async () => {
  const orders = await openInspector(stack, 'orders');
  try {
    for (let round = 0; round < 3; round++) {
      await stack.kill('order-service', 'SIGTERM');
      const child = stack.start('order-service');
      await stack.ready('order-service');
      const clients = new ImpatientClients(48);
      await waitFor('200 answers', () => clients.answered >= 200, { every: 1 });
      const ended = new Promise((done) =>
        child.once('exit', (code, signal) => done({ code, signal })),
      );
      const from = performance.now();
      child.kill('SIGTERM');
      const how = await within(DRAIN_MS, 'the order-service to exit', ended);
      assert.deepEqual(how, { code: 0, signal: null });
      const sent = await clients.end();
      await expectNoSilentEffect(orders, sent);
      assert.ok(performance.now() - from < DRAIN_MS);
      stack.start('order-service');
      await stack.ready('order-service');
    }
  } finally {
    await orders.close();
  }
});

/** Clients that create orders as fast as they can and never repeat: until the door is shut. */
class ImpatientClients {
  constructor(count) {
    this.shop = stack.shop();
    this.answered = 0;
    this.requests = [];
    this.clients = Array.from({ length: count }, () => this.live());
  }

  async live() {
    for (;;) {
      const request = { reference: newKey() };
      this.requests.push(request);
      try {
        const body = invoice(10001, { client_reference: request.reference });
        const answer = await this.shop.post('/v1/orders', body, { key: request.reference });
        request.status = answer.status;
        this.answered++;
        if (answer.status !== 201) return;
      } catch (error) {
        request.error = error;
        return;
      }
    }
  }

  async end() {
    await within(DRAIN_MS, 'the clients to end', Promise.all(this.clients));
    return this.requests;
  }
}

/** Who got no answer, or a refusal, has no order; who got a 201 has one. */
async function expectNoSilentEffect(orders, requests) {
  const stored = new Set(
    (
      await orders.rows(
        'SELECT client_reference AS reference FROM orders WHERE client_reference = ANY ($1)',
        [requests.map((request) => request.reference)],
      )
    ).map((row) => row.reference),
  );
  for (const request of requests) {
    assert.ok(
      stored.has(request.reference) === (request.status === 201),
      `status ${request.status}, error ${request.error?.message}, stored ${stored.has(request.reference)}`,
    );
    if (request.status !== undefined)
      assert.ok([201, 503].includes(request.status), request.status);
  }
}

test('SIGTERM lets the voucher-service finish its batch and exit with 0', async () => {
  await stack.kill('voucher-service', 'SIGTERM');
  const child = stack.start('voucher-service');
  await stack.ready('voucher-service');
  const load = new Load([stack.shop()], { perSecond: 150 });
  try {
    await waitFor('100 answers', () => load.answers >= 100);
    const ended = new Promise((done) =>
      child.once('exit', (code, signal) => done({ code, signal })),
    );
    child.kill('SIGTERM');
    assert.deepEqual(await within(DRAIN_MS, 'the voucher-service to exit', ended), {
      code: 0,
      signal: null,
    });
  } finally {
    stack.start('voucher-service');
    await load.stop();
  }
  await stack.ready('voucher-service');
  await expectCleanAudit(stack);
});
