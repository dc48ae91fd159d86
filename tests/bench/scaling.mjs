/*
 * Scaling: how orders per second change with connections, lines of an order, orders in the table, and
 * instances. Writes scaling.json and a plot of each.
 *
 *     node scaling.mjs [--what connections,lines,tables,instances] [--rounds N] [--seconds N]
 *                      [--orders N,N,...] [--out DIRECTORY]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { Bench } from './bench.js';
import { fill } from './filling.js';
import { median, whole } from './figures.js';
import { describeMachine, loadBefore } from './machine.js';
import { someIds } from './measures/reads.js';
import { Pending } from './measures/changes.js';
import { plot } from './plot.js';

const CONNECTIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const LINES = [1, 10, 100, 500];
const INSTANCES = [1, 2, 4];
const AT = 64;

const { values: options } = parseArgs({
  options: {
    what: { type: 'string', default: 'connections,lines,tables,instances' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    orders: { type: 'string', default: '0,1000000,10000000' },
    out: { type: 'string', default: '.' },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

async function withBench(work, settings = {}) {
  const bench = await Bench.open({ rounds, seconds, clients: [], connections: [AT], settings });
  try {
    return await work(bench);
  } finally {
    await bench.close({ audit: !bench.filled });
  }
}

/** For each x, in turn, round after round: the median of what `run(x)` says per second. */
async function over(bench, xs, run) {
  const runs = new Map(xs.map((x) => [x, []]));
  for (let round = 0; round < rounds; round++) {
    for (const x of xs) {
      runs.get(x).push((await run(x)).perSecond);
      await bench.quiet();
    }
  }
  return [...runs].map(([x, list]) => [x, median(list)]);
}

const studies = {
  connections: () =>
    withBench(async (bench) => ({
      title: 'Orders per second by connections',
      xUnit: 'connections',
      yUnit: 'orders/s',
      lines: [{ name: 'orders', points: await over(bench, CONNECTIONS, (count) => bench.orders(count)) }],
    })),

  lines: () =>
    withBench(async (bench) => ({
      title: 'Orders per second by lines of an order',
      xUnit: 'lines',
      yUnit: 'orders/s',
      lines: [{ name: 'orders', points: await over(bench, LINES, (count) => bench.orders(AT, { LINES: String(count) })) }],
    })),

  tables: () =>
    withBench(async (bench) => {
      bench.filled = true;
      return {
        title: 'Requests per second by orders in the table',
        xUnit: 'orders in the table',
        yUnit: 'requests/s',
        lines: await tables(bench, options.orders.split(',').map(Number)),
      };
    }),

  instances: async () => ({
    title: 'Orders per second by instances of each service',
    xUnit: 'instances',
    yUnit: 'orders/s',
    lines: [{ name: 'orders', points: await instances() }],
  }),
};

/* Tables only grow, so here the sizes can not take turns. */
async function tables(bench, sizes) {
  const names = ['created', 'sent', 'read', 'listed'];
  const points = Object.fromEntries(names.map((name) => [name, []]));
  const pending = new Pending(bench);
  let filled = 0;
  for (const size of sizes) {
    if (size > filled) await fill(bench, filled, size);
    filled = size;
    const rates = await over(bench, names, async (name) => {
      if (name === 'created') return bench.orders(AT);
      if (name === 'sent') return bench.load('changes', AT, { IDS: await pending.file() });
      if (name === 'read') return bench.load('get', AT, { IDS: await someIds(bench) });
      return bench.load('list', AT);
    });
    for (const [name, rate] of rates) points[name].push([size, rate]);
    bench.say(`${whole(size)} orders: ${rates.map(([name, rate]) => `${name} ${whole(rate)}/s`).join(', ')}`);
  }
  return names.map((name) => ({ name, points: points[name] }));
}

async function instances() {
  const points = [];
  for (const count of INSTANCES) {
    const rate = await withBench(async (bench) => {
      const urls = Array.from({ length: count }, (_, i) => bench.stack.urlOf(i ? `order-service-${i}` : 'order-service'));
      const all = async () => {
        const runs = await Promise.all(urls.map((url) => bench.orders(Math.ceil(AT / count), { url })));
        return { perSecond: runs.reduce((sum, run) => sum + run.perSecond, 0) };
      };
      return (await over(bench, [count], all))[0];
    }, { CHECKOUT_INSTANCES: String(count) });
    points.push(rate);
  }
  return points;
}

mkdirSync(options.out, { recursive: true });
const machine = describeMachine();
const load = loadBefore();
const results = {};
for (const what of options.what.split(',')) {
  if (!(what in studies)) throw new Error(`there is no ${what}; there are: ${Object.keys(studies).join(', ')}`);
  results[what] = await studies[what]();
  writeFileSync(path.join(options.out, `scaling-${what}.svg`), plot(results[what]));
  for (const { name, points } of results[what].lines) {
    console.log(`${what}, ${name}: ${points.map(([x, y]) => `${whole(x)}: ${whole(y)}/s`).join(', ')}`);
  }
}
const report = { date: new Date().toISOString().slice(0, 10), machine, load, rounds, seconds, results };
writeFileSync(path.join(options.out, 'scaling.json'), `${JSON.stringify(report, null, 2)}\n`);
