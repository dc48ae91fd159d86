/*
 * The benchmark: each measure of the design, ours and the yardstick by turns in one run.
 *
 *     node bench.mjs [--quick] [--rounds N] [--seconds N] [--measure ID,...] [--out DIRECTORY] [--list]
 *
 * Writes bench.json and bench.md to the directory, and prints the table. Fails when an answer was
 * wrong, a connection broke, or the audit afterwards is not clean; a goal that was missed is told in
 * the table. Needs wrk and pgbench, and a machine that does nothing else meanwhile.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { Bench } from './bench.js';
import { describeMachine, loadBefore } from './machine.js';
import { backlog } from './measures/backlog.js';
import { changes } from './measures/changes.js';
import { idleConnections } from './measures/edge.js';
import { plainHttp } from './measures/http.js';
import { alone, costs, halfLoad, keyedOrders, memory, orders } from './measures/orders.js';
import { payments } from './measures/payments.js';
import { getOrder, listOrders } from './measures/reads.js';
import { start } from './measures/start.js';
import { idleVoucher, loadedVoucher } from './measures/vouchers.js';
import { reportOf, tableOf } from './report.js';

/* In this order: `orders` finds the best count of connections, which others go on with. */
const MEASURES = [
  start, idleVoucher, orders, memory, costs, keyedOrders, halfLoad, alone, plainHttp, changes, loadedVoucher,
  payments, getOrder, listOrders, backlog, idleConnections,
];

const NEEDS_ORDERS = new Set([memory, costs, halfLoad, plainHttp, payments]);

const THOROUGH = { rounds: 3, seconds: 4, connections: [16, 64, 128, 256], clients: [1, 8, 16, 32, 64] };
const QUICK = { rounds: 1, seconds: 2, connections: [64, 128], clients: [16, 32], quick: true };
const QUICK_MEASURES = [start, idleVoucher, orders, memory, costs, alone, getOrder];

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    measure: { type: 'string' },
    out: { type: 'string', default: '.' },
    list: { type: 'boolean', default: false },
  },
});

function chosen() {
  if (options.measure === undefined) return options.quick ? QUICK_MEASURES : MEASURES;
  const ids = options.measure.split(',');
  const unknown = ids.filter((id) => !MEASURES.some((measure) => measure.id === id));
  if (unknown.length > 0) {
    console.error(`There is no measure ${unknown}; there are: ${MEASURES.map(({ id }) => id).join(', ')}.`);
    process.exit(2);
  }
  const asked = MEASURES.filter(({ id }) => ids.includes(id));
  return asked.some((measure) => NEEDS_ORDERS.has(measure)) && !asked.includes(orders) ? [orders, ...asked] : asked;
}

function planOf() {
  const plan = options.quick ? QUICK : THOROUGH;
  return {
    ...plan,
    rounds: Number(options.rounds ?? plan.rounds),
    seconds: Number(options.seconds ?? plan.seconds),
    results: {},
  };
}

/* What else was measured is worth keeping. */
function failed(error) {
  process.exitCode = 1;
  return { value: 'failed', met: false, detail: error.message };
}

async function measureAll(bench, measures) {
  const results = [];
  for (const { id, what, goal, run } of measures) {
    const from = performance.now();
    const result = { id, what, goal, ...(await run(bench).catch(failed)) };
    bench.results[id] = result;
    results.push(result);
    bench.say(`${what}: ${result.value} (${result.detail}) [${((performance.now() - from) / 1000).toFixed(0)} s]`);
  }
  return results;
}

function write(report) {
  mkdirSync(options.out, { recursive: true });
  writeFileSync(path.join(options.out, 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(path.join(options.out, 'bench.md'), reportOf(report));
  console.error(`Written to ${options.out}: bench.json, bench.md.`);
}

async function main() {
  const measures = chosen();
  const plan = planOf();
  const load = loadBefore();
  const bench = await Bench.open(plan);
  let results;
  try {
    results = await measureAll(bench, measures);
  } finally {
    await bench.close();
  }
  const { rounds, seconds } = plan;
  const command = `./checkout bench${process.argv.length > 2 ? ` ${process.argv.slice(2).filter((_, i, all) => all[i] !== '--out' && all[i - 1] !== '--out').join(' ')}` : ''}`;
  write({ date: new Date().toISOString().slice(0, 10), command, machine: describeMachine(), load, rounds, seconds, results });
  console.log(tableOf(results));
}

if (options.list) {
  for (const { id, what, goal } of MEASURES) console.log(`${id.padEnd(18)} ${what} (${goal})`);
} else {
  await main();
}
