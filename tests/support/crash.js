/*
 * Crash points: a service that dies exactly between an effect and what must follow it, in a build
 * that has such points (`./checkout test faults` makes one).
 */
import assert from 'node:assert/strict';

import { runAlone } from './program.js';
import { waitFor } from './wait.js';

const HIT_MS = 30_000;
const FIRST_ANSWER_MS = 10_000;

/** What `--crash-points` lists, in order. */
export async function pointsOf(service) {
  const { stdout } = await runAlone(service, ['--crash-points']);
  const points = stdout.split('\n').filter((line) => line !== '');
  assert.notEqual(points.length, 0, `a build with crash points is needed: ./checkout test faults`);
  return points.sort();
}

/** A dead holder's lease lasts for 4 s more; instances.test.js waits for that, not every round here. */
const endLeases = (superuser) => superuser.rows('UPDATE leases SET expires_at = now()');

/**
 * Runs the service until it dies at the point, the `passing`th time that it comes by; then as usual,
 * until it answers. `reach` takes it there, again and again.
 */
export async function crashAt(stack, superuser, { service, point, passing, reach = () => {} }) {
  await stack.kill(service);
  await endLeases(superuser);
  const child = stack.start(service, { environment: { CRASH_POINT: `${point}:${passing}` } });
  const dead = () => child.exitCode !== null || child.signalCode !== null;
  try {
    await waitFor(
      `the ${service} to come by ${point}`,
      async () => {
        await reach();
        return dead();
      },
      { within: HIT_MS, every: 50 },
    );
    assert.equal(child.signalCode, 'SIGKILL', stack.said(service));
    const last = JSON.parse(stack.said(service).trim().split('\n').at(-1));
    assert.deepEqual([last.message, last.point, last.passing], ['crash point', point, passing]);
  } finally {
    if (!dead()) await stack.kill(service);
    await endLeases(superuser);
    stack.start(service);
    await stack.ready(service, { within: FIRST_ANSWER_MS });
  }
}
