/*
 * Endurance: minutes of steady load with a kill every half minute, while memory and descriptors of
 * the processes that are not killed have to stay as they are.
 *
 *     node endurance.mjs [--minutes N] [--seed N]
 *
 * Two instances of each service run; the second ones and the broker are killed, the first ones are
 * watched. What they use in the last quarter is compared with the second one: the first is for
 * caches and pools to fill. Prints a test's line for each figure.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { World, SERVICES } from './matrix/world.js';
import { residentKb } from '../support/proc.js';
import { Random, runSeed } from '../support/random.js';

const KILL_EVERY_S = 30;
const LOOK_EVERY_MS = 2000;
const RATE = { perSecond: 150, clients: 24 };
const GROWTH_MAX = 1.1;

/* A figure this small is noise: a page of memory, or a connection that comes and goes. */
const NOISE = { memory: 1024, descriptors: 3 };

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '20' }, seed: { type: 'string' } },
});
const seed = Number(options.seed ?? runSeed());
const lasts = Number(options.minutes) * 60_000;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** What is watched: of each first instance, memory (kB) and open descriptors. */
async function look(stack) {
  const of = async (name) => {
    const pid = await stack.pid(name);
    return [
      [`memory of ${name}`, residentKb(pid)],
      [`descriptors of ${name}`, readdirSync(`/proc/${pid}/fd`).length],
    ];
  };
  return Object.fromEntries((await Promise.all(SERVICES.map(of))).flat());
}

/** Kills one of those that may die, and starts it again. */
async function killOne(world, random) {
  const victim = random.pick([...SERVICES.map((service) => `${service}-1`), 'broker']);
  await world.stack.kill(victim);
  await world.start(victim);
}

async function endure(world, random) {
  const looks = [];
  const began = performance.now();
  let kills = 0;
  for (let now = 0; now < lasts; now = performance.now() - began) {
    if (now >= (kills + 1) * KILL_EVERY_S * 1000) {
      await killOne(world, random);
      kills++;
    }
    looks.push({ now, figures: await look(world.stack) });
    await pause(LOOK_EVERY_MS);
  }
  return { looks, kills };
}

const during = (looks, from, to, name) =>
  median(looks.filter(({ now }) => now >= from * lasts && now < to * lasts).map(({ figures }) => figures[name]));

/** A line for each figure; whether all of them are flat. */
function judge(looks) {
  let flat = true;
  for (const name of Object.keys(looks[0].figures)) {
    const before = during(looks, 0.25, 0.5, name);
    const after = during(looks, 0.75, 1, name);
    const good = after <= Math.max(before * GROWTH_MAX, before + NOISE[name.split(' ')[0]]);
    console.log(`${good ? 'ok' : 'not ok'} - ${name} is flat: ${before}, then ${after}`);
    flat &&= good;
  }
  return flat;
}

const world = await World.make('twins');
try {
  world.startLoad(seed, RATE);
  const { looks, kills } = await endure(world, new Random(`endurance ${seed}`));
  await world.stopLoad();
  const flat = judge(looks);
  await world.expectWell();
  const requests = world.load.requests.length + world.customers.made.size;
  console.log(`ok - after ${options.minutes} min, ${requests} requests and ${kills} kills (seed ${seed}) all is well`);
  process.exitCode = flat ? 0 : 1;
} catch (error) {
  console.log(`not ok - all is well (seed ${seed}): ${error.message}`);
  process.exitCode = 1;
} finally {
  await world.end();
}
