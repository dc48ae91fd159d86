/*
 * Card payments per second against the simulated bank, which answers at once: each is recorded, asked
 * of the bank, recorded by the bank, and recorded again.
 */
import { median, ms, percent, times, whole } from '../figures.js';
import { byTurns } from '../turns.js';

/* Calls of banks hold half of the service's threads at most; whoever comes beyond them is told 503. */
const CALLS_MAX = 128;

export const payments = {
  id: 'payments',
  what: 'card payments/s, against orders/s',
  goal: 'at least 0.5 x',
  async run(bench) {
    const { PAYMENT_URL: url } = bench.stack.env;
    const { paid, ordered } = await byTurns(
      bench.rounds,
      {
        ordered: { counts: [bench.best.count], run: (count) => bench.orders(count) },
        paid: { counts: bench.connections.filter((count) => count <= CALLS_MAX), run: (count) => bench.load('payments', count, { url, KEYED: 'yes' }) },
      },
      () => bench.quiet(),
    );
    await expectPaid(bench);
    const ratio = paid.perSecond / ordered.perSecond;
    const detail =
      `${whole(paid.perSecond)} payments/s, p99 ${ms(median(paid.runs.map((run) => run.p99)))} ` +
      `(${paid.count} connections, ± ${percent(paid.spread / 2)}) against ${whole(ordered.perSecond)} orders/s`;
    return { value: times(ratio), met: ratio >= 0.5, detail, ratio, paid, ordered };
  },
};

/** 2xx may also be "processing" or "failed": each must have succeeded. */
async function expectPaid(bench) {
  const database = await bench.inspector('payments');
  const rows = await database
    .rows('SELECT status, count(*) AS count FROM payments GROUP BY status')
    .finally(() => database.close());
  if (rows.some(({ status }) => status !== 'succeeded')) throw new Error(JSON.stringify(rows));
}
