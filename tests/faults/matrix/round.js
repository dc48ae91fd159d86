/*
 * A round: load, one fault at a random moment, its end, and the proof that nothing was lost or
 * doubled. The seed decides what is asked and when the fault begins.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { Random } from '../../support/random.js';
import { SLOWDOWN } from '../../support/slowdown.js';
import { invoice, newKey } from '../../support/shop.js';
import { waitFor } from '../../support/wait.js';

/* Answers before the fault, at random, and after it. */
const BEFORE = [20, 100];
const AFTER = 60;

/* What a service that is away for good would need; within the row's own promise it should be. */
const BACK_MS = 30_000;

/** Plays one round of `row` in `world`; what it saw, or the error that it ended with. */
export async function playRound(world, row, seed) {
  const from = performance.now();
  const pulled = await world.pulled();
  const seen = { row: row.id, seed };
  try {
    await strike(world, row, seed, seen);
    await world.expectWell();
    seen.pulled = Math.max(0, (await world.pulled()) - pulled);
    expectPromise(row, seen);
    seen.verdict = 'ok';
  } catch (error) {
    Object.assign(seen, { verdict: 'failed', error: error.message });
  }
  return { ...seen, seconds: Math.round((performance.now() - from) / 1000) };
}

async function strike(world, row, seed, seen) {
  const random = new Random(`${row.id} ${seed}`);
  world.startLoad(seed);
  try {
    await untilAnswers(world, random.between(...BEFORE));
    const from = performance.now();
    const lift = await row.begin(world, random);
    await pause((row.seconds ?? 0) * 1000);
    const lifted = row.seconds ? performance.now() : from;
    await lift();
    await untilServed(world);
    seen.recovery_ms = Math.round(performance.now() - lifted);
    await untilAnswers(world, AFTER);
  } finally {
    const { load, customers } = world;
    await world.stopLoad().finally(() => {
      seen.requests = load.requests.length + customers.made.size;
      seen.unknown = load.requests.filter((request) => request.attempts > 1).length;
    });
  }
}

async function untilAnswers({ load }, more) {
  const enough = load.answers + more;
  await waitFor(`answer ${enough}`, () => load.answers >= enough, { every: 1, within: BACK_MS });
}

/** An order, and a payment, are taken again. */
async function untilServed({ shop, till }) {
  const ask = async (send) => {
    const answer = await send();
    return answer.status === 201 || answer.status === 202;
  };
  await waitFor('an order to be taken', () => ask(() => shop.post('/v1/orders', invoice(1), { key: newKey() })), {
    within: BACK_MS,
  });
  await waitFor('a payment to be taken', () => ask(() => till.pay({ amount: 100, currency: 'EUR' })), {
    within: BACK_MS,
  });
}

function expectPromise({ promise }, { recovery_ms }) {
  const most = (promise.backWithinMs ?? BACK_MS) * SLOWDOWN;
  if (recovery_ms > most) throw new Error(`back after ${recovery_ms} ms, promised ${most} ms`);
}
