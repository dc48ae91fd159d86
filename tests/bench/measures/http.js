/*
 * What HTTP leaves: orders against a handler of the same server that reads them and stores nothing.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';

import { buildDirectory } from '../../support/launcher.js';
import { waitFor } from '../../support/wait.js';
import { percent, times, whole } from '../figures.js';
import { byTurns } from '../turns.js';

/* Of the stack's range, where no process of it listens. */
const PORT_OFFSET = 37;

export const plainHttp = {
  id: 'plain_http',
  what: 'orders/s, against the same server storing nothing',
  goal: 'told',
  async run(bench) {
    const port = bench.stack.portBase + PORT_OFFSET;
    const url = `http://127.0.0.1:${port}`;
    const program = spawn(path.join(buildDirectory(), 'tests/bench/plain_http'), [String(port)], { stdio: 'ignore' });
    try {
      await waitFor('the plain handler', async () => (await fetch(url)).status === 404);
      return await compare(bench, url);
    } finally {
      program.kill('SIGTERM');
    }
  },
};

async function compare(bench, url) {
  const { ours, plain } = await byTurns(
    bench.rounds,
    {
      plain: { counts: bench.connections, run: (count) => bench.orders(count, { url }) },
      ours: { counts: [bench.best.count], run: (count) => bench.orders(count) },
    },
    () => bench.quiet(),
  );
  const ratio = ours.perSecond / plain.perSecond;
  const detail =
    `${whole(ours.perSecond)} orders/s against ${whole(plain.perSecond)} requests/s ` +
    `(${plain.count} connections, ± ${percent(plain.spread / 2)})`;
  return { value: times(ratio), detail, ratio, ours, plain };
}
