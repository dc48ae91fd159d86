/*
 * A backlog: the broker and the consumers are away while events are written; then all come back, and
 * the time counts until every event is published and has taken effect. Beside it what the broker alone
 * passes on, from one client to another.
 */
import { waitFor } from '../../support/wait.js';
import { headOf, positionOf } from '../../support/audit.js';
import { brokerAlone } from '../broker_alone.js';
import { times, whole } from '../figures.js';
import { watchMemory } from '../processes.js';

const EVENTS = 100_000;
const EVENTS_QUICK = 10_000;
const DATABASES = ['orders', 'vouchers', 'payments'];
const AWAY = ['voucher-service', 'payment-service'];
const CONNECTIONS = 64;
const GOAL_PER_S = 20_000;
const GIVE_UP_MS = 600_000;

const lag = async (database) => Number(await database.value('SELECT coalesce(sum(lag), 0) FROM ops.relay_lag'));

async function write(bench, orders, count) {
  const from = await headOf(orders);
  while ((await headOf(orders)) - from < count) await bench.orders(CONNECTIONS);
  return headOf(orders);
}

async function bringBack(bench) {
  bench.stack.start('broker');
  for (const name of AWAY) bench.stack.start(name);
  await Promise.all(AWAY.map((name) => bench.stack.ready(name)));
}

export const backlog = {
  id: 'backlog',
  what: 'events/s through relay and consumers, from a backlog of 100,000',
  goal: 'at least 20,000 events/s, memory flat',
  async run(bench) {
    const opened = await Promise.all(DATABASES.map((name) => bench.inspector(name)));
    const databases = Object.fromEntries(DATABASES.map((name, i) => [name, opened[i]]));
    try {
      return await drain(bench, databases);
    } finally {
      await Promise.all(opened.map((database) => database.close()));
    }
  },
};

/** Seconds until the relay and each consumer have come to the head. */
async function untilWorkedOff(databases, head) {
  const from = performance.now();
  const at = {};
  const look = async () => {
    const positions = {
      relay: head - (await lag(databases.orders)),
      vouchers: await positionOf(databases.vouchers),
      payments: await positionOf(databases.payments),
    };
    for (const [name, position] of Object.entries(positions)) {
      if (position >= head) at[name] ??= (performance.now() - from) / 1000;
    }
    return Object.keys(at).length === Object.keys(positions).length;
  };
  await waitFor('the backlog to be worked off', look, { within: GIVE_UP_MS, every: 10 });
  return at;
}

async function drain(bench, databases) {
  const events = bench.quick ? EVENTS_QUICK : EVENTS;
  await bench.quiet();
  for (const name of [...AWAY, 'broker']) await bench.stack.kill(name, 'SIGTERM');
  const before = await headOf(databases.orders);
  const head = await write(bench, databases.orders, events);
  await bringBack(bench);
  const watched = ['order-service', ...AWAY];
  const { result: at, idle, loaded } = await watchMemory(bench.stack, watched, () => untilWorkedOff(databases, head));
  const alone = await brokerAlone(bench, events);
  return figuresOf({ count: head - before, at, alone, idle, loaded });
}

function figuresOf({ count, at, alone, idle, loaded }) {
  const perSecond = count / Math.max(...Object.values(at));
  const grown = Math.max(...Object.keys(idle).map((name) => loaded[name] - idle[name]));
  const each = Object.entries(at).map(([name, seconds]) => `${name} ${whole(count / seconds)}/s`);
  return {
    value: `${whole(perSecond)} events/s`,
    met: perSecond >= GOAL_PER_S,
    detail:
      `${whole(count)} events; ${each.join(', ')}; at most ${grown.toFixed(1)} MB more than before; ` +
      `${times(perSecond / alone)} the broker alone (${whole(alone)} messages/s to one subscriber)`,
    perSecond,
    seconds: at,
    alone,
    memory: { idle, loaded },
  };
}
