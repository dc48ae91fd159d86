/*
 * Reads: one order by its id, and a customer's newest, against pgbench selecting the same rows.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { against, median, ms, times } from '../figures.js';
import { byTurns } from '../turns.js';

const IDS = 20_000;

async function read(bench, scenario, settings) {
  await bench.yardstick.pick();
  const { ours, theirs } = await byTurns(bench.rounds, {
    theirs: { counts: bench.clients, run: (count) => bench.yardstick.run(scenario, count, bench.seconds) },
    ours: { counts: bench.connections, run: (count) => bench.load(scenario, count, settings) },
  });
  const ratio = ours.perSecond / theirs.perSecond;
  const p99 = median(ours.runs.map((run) => run.p99));
  const detail = `p99 ${ms(p99)}; ${against(ours, theirs, 'reads/s')}`;
  return { value: times(ratio), detail, ratio, p99, ours, theirs };
}

/** A file of ids of orders from all over the table. */
export async function someIds(bench) {
  const orders = await bench.inspector('orders');
  try {
    const there = await orders.value("SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'orders'::regclass");
    const share = Math.min(100, (100 * 2 * IDS) / there);
    const sql = `SELECT id FROM orders TABLESAMPLE SYSTEM (${share}) WHERE stream = 0 LIMIT ${IDS}`;
    const file = path.join(bench.stack.directory, 'read-ids.txt');
    writeFileSync(file, `${(await orders.rows(sql)).map(({ id }) => id).join('\n')}\n`);
    return file;
  } finally {
    await orders.close();
  }
}

export const getOrder = {
  id: 'get_order',
  what: 'GET of an order, against a SELECT of it',
  goal: 'told',
  run: async (bench) => read(bench, 'get', { IDS: await someIds(bench) }),
};

export const listOrders = {
  id: 'list_orders',
  what: "GET of a customer's orders, against a SELECT of them",
  goal: 'told',
  run: (bench) => read(bench, 'list', {}),
};
