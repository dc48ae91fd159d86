/*
 * From starting a service's program until it answers that it is ready.
 */
import { median } from '../figures.js';

const TIMES = 5;
const SERVICES = ['order-service', 'payment-service', 'voucher-service'];

async function startOnce(bench, name) {
  await bench.stack.kill(name, 'SIGTERM');
  const from = performance.now();
  bench.stack.start(name);
  await bench.stack.ready(name, { every: 2 });
  return (performance.now() - from) / 1000;
}

export const start = {
  id: 'start',
  what: 'start to ready, a service',
  goal: '0.3 s',
  async run(bench) {
    const seconds = {};
    for (const name of SERVICES) {
      const took = [];
      for (let i = 0; i < TIMES; i++) took.push(await startOnce(bench, name));
      seconds[name] = median(took);
    }
    const most = Math.max(...Object.values(seconds));
    const detail = Object.entries(seconds).map(([name, s]) => `${name} ${s.toFixed(2)} s`).join(', ');
    return { value: `${most.toFixed(2)} s`, met: most <= 0.3, detail, seconds };
  },
};
