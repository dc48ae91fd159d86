/*
 * Status changes: orders are marked sent, each with its event, and most of them earn a voucher.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { against, times } from '../figures.js';
import { byTurns } from '../turns.js';

/* Orders that a run may use up; more than it will. */
const MARGIN = 1.5;
const MAKING_CONNECTIONS = 64;
const PER_SECOND_AT_FIRST = 15_000;

/** Pending orders, made until there are enough, a file of their ids for each run. */
export class Pending {
  constructor(bench) {
    this.bench = bench;
    this.perSecond = PER_SECOND_AT_FIRST;
  }

  /** A file of ids that no other run has. */
  async file() {
    const wanted = Math.ceil(this.perSecond * this.bench.seconds * MARGIN);
    const orders = await this.bench.inspector('orders');
    try {
      let ids = await this.ids(orders, wanted);
      while (ids.length < wanted) {
        await this.bench.orders(MAKING_CONNECTIONS);
        await this.bench.quiet();
        ids = await this.ids(orders, wanted);
      }
      const file = path.join(this.bench.stack.directory, 'ids.txt');
      writeFileSync(file, `${ids.join('\n')}\n`);
      return file;
    } finally {
      await orders.close();
    }
  }

  /** The oldest pending ones: those of the run before are sent, and so no longer among them. */
  async ids(orders, limit) {
    const sql = "SELECT id FROM orders WHERE stream = 0 AND status = 'pending' ORDER BY id LIMIT $1";
    return (await orders.rows(sql, [limit])).map(({ id }) => id);
  }
}

export const changes = {
  id: 'changes',
  what: 'orders marked sent per second, against one transaction per change',
  goal: 'at least 2.0 x',
  async run(bench) {
    const pending = new Pending(bench);
    const sent = async (count) => {
      const run = await bench.load('changes', count, { IDS: await pending.file() });
      pending.perSecond = Math.max(pending.perSecond, run.perSecond);
      return run;
    };
    await bench.yardstick.pick();
    const { ours, theirs } = await byTurns(
      bench.rounds,
      {
        theirs: { counts: bench.clients, run: (count) => bench.yardstick.run('change', count, bench.seconds) },
        ours: { counts: bench.connections, run: sent },
      },
      () => bench.quiet(),
    );
    const ratio = ours.perSecond / theirs.perSecond;
    return { value: times(ratio), met: ratio >= 2, detail: against(ours, theirs, 'changes/s'), ratio, ours, theirs };
  },
};
