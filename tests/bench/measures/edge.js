/*
 * Idle connections at the edge: what 1,000 clients that keep theirs open cost the others.
 */
import net from 'node:net';

import { median, ms, times } from '../figures.js';

const IDLE = 1000;
const CONNECTIONS = 8;

/** Opens connections that each ask once and then say nothing. */
async function openIdle(url) {
  const { hostname, port } = new URL(url);
  const ask = `GET /healthz HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`;
  return Promise.all(
    Array.from({ length: IDLE }, () =>
      new Promise((resolve, reject) => {
        const socket = net.connect(Number(port), hostname, () => socket.write(ask));
        socket.once('data', () => resolve(socket));
        socket.once('error', reject);
      }),
    ),
  );
}

export const idleConnections = {
  id: 'idle_connections',
  what: '1,000 idle connections at the edge: p99 of the others',
  goal: 'at most 2 x',
  async run(bench) {
    const { CHECKOUT_URL: url } = bench.stack.env;
    const busy = () => bench.load('edge', CONNECTIONS, { url });
    const p99 = { without: [], beside: [] };
    for (let round = 0; round < bench.rounds; round++) {
      p99.without.push((await busy()).p99);
      const sockets = await openIdle(url);
      p99.beside.push((await busy()).p99);
      const left = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length;
      sockets.forEach((socket) => socket.destroy());
      if (left < IDLE) throw new Error(`${IDLE - left} idle connections were closed`);
    }
    const ratio = median(p99.beside) / median(p99.without);
    return { value: times(ratio), met: ratio <= 2, detail: `${ms(median(p99.beside))} against ${ms(median(p99.without))}`, ratio, p99 };
  },
};
