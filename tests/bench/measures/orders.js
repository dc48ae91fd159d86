/*
 * Orders per second over HTTP, each committed with its event, against the yardstick; what the services
 * need for it; and how long an order takes, at half that load and for one client alone.
 */
import { against, median, ms, percent, times, whole } from '../figures.js';
import { processorTime, watchMemory } from '../processes.js';
import { byTurns } from '../turns.js';

const SERVICES = ['order-service', 'payment-service', 'voucher-service'];

async function compare(bench, keyed) {
  const { ours, theirs } = await byTurns(
    bench.rounds,
    {
      theirs: { counts: bench.clients, run: (count) => bench.yardstick.run(keyed ? 'keyed' : 'order', count, bench.seconds) },
      ours: { counts: bench.connections, run: (count) => bench.orders(count, keyed ? { KEYED: 'yes' } : {}) },
    },
    () => bench.quiet(),
  );
  return { ours, theirs, ratio: ours.perSecond / theirs.perSecond };
}

export const orders = {
  id: 'orders',
  what: 'orders/s over HTTP, against one transaction per order',
  goal: 'at least 2.0 x, aiming at 3 x',
  async run(bench) {
    const { result, idle, loaded } = await watchMemory(bench.stack, SERVICES, () => compare(bench, false));
    const { ours, theirs, ratio } = result;
    bench.best = ours;
    return { value: times(ratio), met: ratio >= 2, detail: against(ours, theirs, 'orders/s'), ratio, ours, theirs, memory: { idle, loaded } };
  },
};

export const keyedOrders = {
  id: 'keyed_orders',
  what: 'the same with an Idempotency-Key on both sides',
  goal: 'at least 2.0 x',
  async run(bench) {
    const { ours, theirs, ratio } = await compare(bench, true);
    return { value: times(ratio), met: ratio >= 2, detail: against(ours, theirs, 'orders/s'), ratio, ours, theirs };
  },
};

/** Where a second of the processors goes while orders are taken: microseconds per order and process. */
export const costs = {
  id: 'costs',
  what: 'processor time per order, of all processes',
  goal: 'told',
  async run(bench) {
    const before = await processorTime(bench.stack);
    const { requests } = await bench.orders(bench.best.count);
    const during = await processorTime(bench.stack);
    await bench.quiet();
    const after = await processorTime(bench.stack);
    const perOrder = (from, to) =>
      Object.fromEntries(Object.entries(to).map(([name, us]) => [name, (us - (from[name] ?? 0)) / requests]));
    const total = perOrder(before, after);
    const detail = Object.entries(total)
      .toSorted((a, b) => b[1] - a[1])
      .map(([name, us]) => `${name} ${us.toFixed(1)}`)
      .join(', ');
    const sum = Object.values(total).reduce((a, b) => a + b, 0);
    return { value: `${sum.toFixed(1)} µs`, detail, total, while_taking: perOrder(before, during) };
  },
};

/** Connections pause between requests so that half of the best rate comes in. */
export const halfLoad = {
  id: 'half_load',
  what: 'p99 of creating an order, at half that load',
  goal: 'under 10 ms',
  async run(bench) {
    const { count, perSecond, runs } = bench.best;
    /* A connection has a request every `every` ms, and the answer takes its part of that. */
    const every = (count / (perSecond / 2)) * 1000;
    const pause = Math.max(1, Math.round(every - median(runs.map(({ p50 }) => p50)) / 2));
    const list = [];
    for (let round = 0; round < bench.rounds; round++) {
      list.push(await bench.orders(count, { PAUSE_MS: String(pause) }));
      await bench.quiet();
    }
    const p99 = median(list.map((run) => run.p99));
    const reached = median(list.map((run) => run.perSecond));
    const detail = `${whole(reached)} orders/s, ${percent(reached / perSecond)} of the best; p50 ${ms(median(list.map((run) => run.p50)))}`;
    return { value: ms(p99), met: p99 < 10, detail, p99, reached, runs: list };
  },
};

export const alone = {
  id: 'alone',
  what: 'one client alone: an order, against one transaction',
  goal: 'under 2 x',
  async run(bench) {
    const { ours, theirs } = await byTurns(
      bench.rounds,
      {
        theirs: { counts: [1], run: (count) => bench.yardstick.run('order', count, bench.seconds) },
        ours: { counts: [1], run: (count) => bench.orders(count) },
      },
      () => bench.quiet(),
    );
    const ratio = theirs.perSecond / ours.perSecond;
    const mean = (side) => median(side.runs.map((run) => run.mean));
    return { value: times(ratio), met: ratio < 2, detail: `${ms(mean(ours))} against ${ms(mean(theirs))}`, ratio, ours, theirs };
  },
};

/** What the services have in memory: as they start, and at most while orders were taken. */
export const memory = {
  id: 'memory',
  what: 'resident memory of a service, idle / under load',
  goal: '15 / 60 MB',
  async run(bench) {
    const { idle, loaded } = bench.results.orders.memory;
    const detail = SERVICES.map((name) => `${name} ${idle[name].toFixed(1)} / ${loaded[name].toFixed(1)}`).join(', ');
    const most = (figures) => Math.max(...Object.values(figures));
    const met = most(idle) <= 15 && most(loaded) <= 60;
    return { value: `${most(idle).toFixed(1)} / ${most(loaded).toFixed(1)} MB`, met, detail, idle, loaded };
  },
};

