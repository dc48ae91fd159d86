/*
 * Settings: what orders and changes per second become when one setting is another than delivered. Each
 * variant has a stack of its own, started anew in each round, so that what the machine does besides meets
 * all of them. Settings of Postgres are told apart: the yardstick would have them as well.
 *
 *     node settings.mjs [--rounds N] [--seconds N] [--connections N] [--only TEXT]
 */
import { parseArgs } from 'node:util';

import { urlFor, withDatabase } from '../support/database.js';
import { invoice } from '../support/shop.js';
import { waitFor } from '../support/wait.js';
import { Bench } from './bench.js';
import { median, times, whole } from './figures.js';
import { Pending } from './measures/changes.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '128' },
    only: { type: 'string', default: '' },
  },
});
const connections = Number(options.connections);

const service = (name, value) => ({ name: `${name}=${value}`, settings: { [name]: value } });
const server = (name, value) => ({ name: `Postgres: ${name} = ${value}`, server: { [name]: value } });
const table = (name, value) => ({
  name: `Postgres: fillfactor of ${name} = ${value}`,
  statement: `ALTER TABLE ${name} SET (fillfactor = ${value})`,
});

const AS_DELIVERED = { name: 'as delivered' };
const variants = [
  service('JOURNAL_WRITERS', '1'),
  service('JOURNAL_WRITERS', '4'),
  service('HTTP_THREADS', '140'),
  server('wal_compression', 'lz4'),
  server('wal_buffers', '64MB'),
  server('shared_buffers', '2GB'),
  server('commit_delay', '200'),
  server('wal_init_zero', 'off'),
  table('orders', '80'),
].filter(({ name }) => name.includes(options.only));

/** Sets it, and starts the server anew: some are read at no other time. */
async function apply(bench, { server: wanted = {}, statement }) {
  const { stack } = bench;
  const as = (database, text) => withDatabase(urlFor(stack, 'postgres', database), (session) => session.rows(text));
  if (statement) await as('orders', statement);
  for (const [name, value] of Object.entries(wanted)) await as('postgres', `ALTER SYSTEM SET ${name} = '${value}'`);
  if (Object.keys(wanted).length === 0) return;
  await stack.kill('postgres', 'SIGINT');
  stack.start('postgres');
  await waitFor('an order to be taken', async () => (await bench.shop.post('/v1/orders', invoice(1))).status === 201,
                { within: 30_000 });
}

/* Rows that were changed in their page, without a new entry in any index. */
async function inPlace(bench) {
  const database = await bench.inspector('orders');
  try {
    const [row] = await database.rows(`SELECT n_tup_upd AS changed, n_tup_hot_upd AS hot FROM pg_stat_user_tables
                                       WHERE relname = 'orders'`);
    return Number(row.hot) / Number(row.changed);
  } finally {
    await database.close();
  }
}

async function measure(variant) {
  const bench = await Bench.open({ rounds: 1, seconds: Number(options.seconds), clients: [], connections: [],
                                   settings: variant.settings });
  try {
    await apply(bench, variant);
    await bench.orders(connections);
    await bench.quiet();
    const orders = await bench.orders(connections);
    await bench.quiet();
    const changes = await bench.load('changes', connections, { IDS: await new Pending(bench).file() });
    await bench.quiet();
    return { orders: orders.perSecond, p99: orders.p99, changes: changes.perSecond, hot: await inPlace(bench) };
  } finally {
    await bench.close({ audit: false });
  }
}

const runs = new Map([AS_DELIVERED, ...variants].map((variant) => [variant.name, []]));
for (let round = 0; round < Number(options.rounds); round++) {
  for (const variant of [AS_DELIVERED, ...variants]) {
    const seen = await measure(variant);
    runs.get(variant.name).push(seen);
    process.stderr.write(`${round} ${variant.name}: ${JSON.stringify(seen)}\n`);
  }
}

const middle = (name, what) => median(runs.get(name).map((run) => run[what]));
console.log('| setting | orders/s | | p99 | changes/s | | rows changed in place |\n|---|---|---|---|---|---|---|');
for (const name of runs.keys()) {
  const cell = (what) => `${whole(middle(name, what))} | ${times(middle(name, what) / middle(AS_DELIVERED.name, what))}`;
  console.log(`| ${name} | ${cell('orders')} | ${middle(name, 'p99').toFixed(1)} ms | ${cell('changes')} | ` +
              `${Math.round(middle(name, 'hot') * 100)} % |`);
}
