/*
 * The rows of the matrix: what goes wrong, one thing each. `begin(world, random)` makes it so and
 * answers how it ends: a function that lifts it and returns when the process or the connection is
 * back. `seconds` is how long it lasts; rows without it are over as soon as they began. `kind` is the
 * stack that they need (world.js), `promise` what must hold besides the invariants.
 *
 * Named crash points have files of their own beside this folder; what one request or one event does
 * by itself has tests/system.
 */
import { readdirSync, rmSync, cpSync, mkdirSync, chownSync, statSync } from 'node:fs';
import path from 'node:path';


import { clockAhead, clockToSet } from '../../support/clock.js';
import { isAlive } from '../../support/proc.js';
import { waitFor } from '../../support/wait.js';
import { busRows } from './bus.js';
import { crowdRows } from './crowds.js';
import { diskRows } from './disks.js';
import { SERVICES } from './world.js';

const STILL_S = 10;
const TWO_DAYS_S = 2 * 86_400;
const BACK_MS = 10_000;

/* Of a clock that is set while it runs. */
const STEP_S = 5;
const STEP_EVERY_MS = 500;

const killed = (name) => ({
  id: `kill ${name}`,
  what: `kill -9 of the ${name}`,
  promise: { backWithinMs: BACK_MS },
  async begin(world) {
    await world.stack.kill(name);
    return () => world.start(name);
  },
});

const terminated = (name) => ({
  id: `stop ${name}`,
  what: `SIGTERM of the ${name} under load`,
  async begin(world) {
    const from = performance.now();
    await world.stack.kill(name, 'SIGTERM');
    const took = performance.now() - from;
    if (took > BACK_MS) throw new Error(`it took ${took} ms to end`);
    return () => world.start(name);
  },
});

/** One of two instances stands still: the other takes over. */
const frozen = (service) => ({
  id: `freeze ${service}`,
  what: `SIGSTOP of one of two ${service} for ${STILL_S} s`,
  kind: 'twins',
  seconds: STILL_S,
  async begin(world, random) {
    const { thaw } = await world.stack.freeze(random.pick(world.instancesOf(service)));
    return thaw;
  },
});

const rolled = (service) => ({
  id: `roll ${service}`,
  what: `rolling restart of two ${service}`,
  kind: 'twins',
  async begin(world) {
    for (const name of world.instancesOf(service)) {
      await world.stack.kill(name, 'SIGTERM');
      await world.start(name);
    }
    return () => {};
  },
});

/** The broker dies, and comes back with its files as they were, as they were before, or with none. */
const brokerKilled = (how, change) => ({
  id: `kill broker, files ${how}`,
  what: `kill -9 of the broker, its files ${how}`,
  async begin(world) {
    const files = path.join(world.stack.home, 'broker', 'data');
    const before = change(world, files);
    await world.stack.kill('broker');
    before();
    return () => world.start('broker');
  },
});

function empty(directory) {
  for (const name of readdirSync(directory)) rmSync(path.join(directory, name));
}

/** Copies the files now, to be put back after the kill. */
function keepCopy(world, files) {
  const copy = path.join(world.stack.directory, 'broker-files');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  cpSync(files, copy, { recursive: true });
  return () => {
    empty(files);
    cpSync(copy, files, { recursive: true });
    const { uid, gid } = statSync(files);
    for (const name of readdirSync(files)) chownSync(path.join(files, name), uid, gid);
  };
}

const stoodStill = (name) => ({
  id: `freeze ${name}`,
  what: `SIGSTOP of the ${name} for ${STILL_S} s`,
  seconds: STILL_S,
  async begin(world) {
    const { thaw } = await world.stack.freeze(name);
    return thaw;
  },
});

const postgresKilled = {
  id: 'kill postgres',
  what: 'kill -9 of the whole Postgres',
  promise: { backWithinMs: BACK_MS },
  async begin({ stack }) {
    const pids = await stack.serverProcesses();
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
    await waitFor('Postgres to be gone', () => !pids.some(isAlive), { every: 5 });
    stack.spawned.delete('postgres');
    return () => stack.start('postgres');
  },
};

const postgresFrozen = {
  id: 'freeze postgres',
  what: `SIGSTOP of the whole Postgres for ${STILL_S} s`,
  seconds: STILL_S,
  begin: ({ stack }) => stack.freezeServer(),
};

/** What a network does between the services and a server. */
const network = (how, server, spoil, seconds) => ({
  id: `${how} ${server}`,
  what: `connections to ${server}: ${how}`,
  kind: 'proxied',
  seconds,
  async begin(world) {
    const proxy = world.proxies[server];
    spoil(proxy);
    return () => proxy.heal();
  },
});

const networkRows = ['postgres', 'broker', 'bank'].flatMap((server) => [
  network('cut', server, (proxy) => proxy.cut(), 3),
  network('half-open', server, (proxy) => proxy.silence(), STILL_S),
  network('held', server, (proxy) => proxy.hold(), STILL_S),
  network('slow', server, (proxy) => proxy.slow(20), STILL_S),
]);

/** One service lives at another time, for as long as the fault lasts. */
const clock = (service, seconds) => ({
  id: `clock ${service} ${seconds > 0 ? '+' : ''}${seconds} s`,
  what: `the clock of the ${service} is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`,
  seconds: 5,
  async begin(world) {
    await world.stack.kill(service, 'SIGTERM');
    await world.start(service, clockAhead(world.stack, seconds));
    return async () => {
      await world.stack.kill(service, 'SIGTERM');
      await world.start(service);
    };
  },
});

/** A clock that is set while its service runs, to and fro. */
const clockSteps = (service) => ({
  id: `clock steps ${service}`,
  what: `the clock of the ${service} is set by ${STEP_S} s, again and again`,
  seconds: 5,
  async begin(world, random) {
    const clock = clockToSet(world.stack, service);
    await world.stack.kill(service, 'SIGTERM');
    await world.start(service, clock.changes);
    const step = () => clock.set(random.pick([-STEP_S, 0, STEP_S]));
    const timer = setInterval(step, STEP_EVERY_MS).unref();
    return async () => {
      clearInterval(timer);
      await world.stack.kill(service, 'SIGTERM');
      await world.start(service);
    };
  },
});

/** What the simulated bank does wrong, as its control interface calls it. */
const bank = (what, ...faults) => ({
  id: `bank ${what}`,
  what: `the bank: ${what}`,
  seconds: 5,
  async begin(world) {
    for (const fault of faults) await world.till.fault({ share: [1, 3], ...fault });
    return () => world.till.noFaults();
  },
});

const bankRows = [
  bank('times out', { kind: 'timeout', operation: 'authorize' }),
  bank('answers 500', { kind: 'error_500' }),
  bank('approves and loses the answer', { kind: 'lose_answer' }),
  bank('answers late', { kind: 'answer_late', delay_ms: 4000 }),
  bank('acts late, from its socket', { kind: 'do_late', delay_ms: 4000 }),
  bank('webhook before the answer', { kind: 'webhook_before_answer' }),
  bank('webhooks three times', { kind: 'webhook_repeat', times: 3 }),
  bank('webhooks in another order', { kind: 'webhook_reorder' }),
  bank('forged webhooks', { kind: 'webhook_forged' }),
  bank('no webhooks, answers lost', { kind: 'webhook_drop' }, { kind: 'lose_answer' }),
];

export const ROWS = [
  ...[...SERVICES, 'bank-simulator'].map(killed),
  ...SERVICES.map(terminated),
  ...SERVICES.map(frozen),
  ...SERVICES.map(rolled),
  stoodStill('bank-simulator'),
  brokerKilled('kept', () => () => {}),
  brokerKilled('stale', keepCopy),
  brokerKilled('deleted', (_, files) => () => empty(files)),
  stoodStill('broker'),
  postgresKilled,
  postgresFrozen,
  ...networkRows,
  ...SERVICES.flatMap((service) => [clock(service, TWO_DAYS_S), clock(service, -TWO_DAYS_S)]),
  ...SERVICES.map(clockSteps),
  ...bankRows,
  ...busRows,
  ...crowdRows,
  ...diskRows,
].map((row) => ({ kind: 'plain', promise: {}, ...row }));
