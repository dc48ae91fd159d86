/*
 * The database fails: a refusal in time instead of a hang, and what was answered is kept.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit, expectLoadStored } from '../support/audit.js';
import { Load } from '../support/load.js';
import { isAlive } from '../support/proc.js';
import { expectProblem, expectStatus, invoice, newKey } from '../support/shop.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

/* A request's deadline, and what the answer may take beyond it. */
const DEADLINE_MS = 3000;
const GRACE_MS = 1500 * SLOWDOWN;
const RECOVERY_MS = 10_000;

const stack = await startStack({ REQUEST_TIMEOUT_MS: String(DEADLINE_MS) });
after(() => stack.stop());

const shop = stack.shop();

const untilServed = () =>
  waitFor(
    'an order to be taken again',
    async (seen) => {
      const answer = await shop.post('/v1/orders', invoice(1));
      seen(answer.text);
      return answer.status === 201;
    },
    { within: RECOVERY_MS },
  );

test('a database that stands still makes 503 within the deadline, and the process still answers', async () => {
  const created = await shop.createOrder(invoice(10001));
  const thaw = await stack.freezeServer();
  const key = newKey();
  const body = invoice(10001, { client_reference: key });
  try {
    const requests = {
      create: () => shop.post('/v1/orders', body, { key }),
      change: () => shop.patch(`/v1/orders/${created.id}`, { status: 'sent' }, { key }),
      read: () => shop.get(`/v1/orders/${created.id}`),
      list: () => shop.get('/v1/orders'),
      vouchers: () => shop.at(stack.env.VOUCHER_URL).get('/v1/vouchers'),
    };
    await Promise.all(Object.entries(requests).map(([name, ask]) => expectTurnedAway(name, ask)));
    for (const url of [stack.env.ORDER_URL, stack.env.VOUCHER_URL]) {
      const from = performance.now();
      expectStatus(await shop.at(url).get('/livez'), 200);
      assert.ok(performance.now() - from < 500, 'liveness needs no database');
      expectStatus(await shop.at(url).get('/readyz'), 503);
    }
  } finally {
    thaw();
  }
  await untilServed();
  const again = expectStatus(await shop.post('/v1/orders', body, { key }), 201);
  const twice = await shop.all('/v1/orders', { client_reference: key });
  assert.deepEqual(
    twice.map((order) => order.id),
    [again.json.id],
    'the same key, one order, whatever became of the first request',
  );
  await expectCleanAudit(stack);
});

async function expectTurnedAway(name, ask) {
  const from = performance.now();
  const answer = await ask();
  const took = performance.now() - from;
  expectProblem(answer, 503);
  assert.ok(Number(answer.headers['retry-after']) > 0, `${name}: no Retry-After`);
  assert.ok(took < DEADLINE_MS + GRACE_MS, `${name}: answered after ${took} ms`);
}

test('with every worker waiting for the database, health still answers', async () => {
  const thaw = await stack.freezeServer();
  const waiting = [];
  try {
    const crowd = stack.shop(stack.env.ORDER_URL, stack.env.CHECKOUT_API_KEY, { connections: 300 });
    for (let i = 0; i < 300; i++) {
      waiting.push(answered(crowd).catch((error) => ({ error })));
    }
    await waitFor('liveness on the health port', async (seen) => {
      const answer = await shop.at(healthUrl()).get('/livez', { patience: 1000 });
      seen(answer.text);
      return answer.status === 200;
    });
    for (const answer of await Promise.all(waiting)) {
      if (answer.error) throw answer.error;
      expectProblem(answer, 503);
    }
  } finally {
    thaw();
    await Promise.all(waiting);
  }
  await untilServed();
});

test('a server that makes no new connections is read over those that there are', async () => {
  const { id } = await shop.createOrder(invoice(2));
  const head = await stack.freeze('postgres');
  try {
    const asked = Array.from({ length: 32 }, () => shop.get(`/v1/orders/${id}`));
    for (const answer of await Promise.all(asked)) expectStatus(answer, 200);
  } finally {
    head.thaw();
  }
});

/**
 * Where others wait for a thread, whoever has connected and says nothing is closed; a client among 300
 * of one process may be as slow as that, and asks again.
 */
function answered(crowd) {
  const key = newKey();
  const ask = () => crowd.post('/v1/orders', invoice(1), { key });
  return waitFor('an answer', ask, { within: 3 * DEADLINE_MS });
}

const healthUrl = () => `http://127.0.0.1:${stack.portBase + 15}`;

test('the whole server killed under load and started again: unknown commits are resolved', async () => {
  const load = new Load([stack.shop()], { perSecond: 150, clients: 24 });
  try {
    for (let round = 0; round < 4; round++) {
      const enough = load.answers + 100;
      await waitFor(`answer ${enough}`, () => load.answers >= enough);
      await killServer();
      stack.start('postgres');
      await untilServed();
    }
  } finally {
    await load.stop();
  }
  assert.equal(load.unanswered.length, 0);
  await expectLoadStored(stack, load);
  await expectCleanAudit(stack);
});

/** All of its processes at once, as a power cut would; back only when none is left. */
async function killServer() {
  const pids = await stack.serverProcesses();
  await stack.pid('postgres');
  for (const pid of pids) {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
  await waitFor('the server to be gone', () => !pids.some(isAlive), { every: 5 });
  stack.spawned.delete('postgres');
}
