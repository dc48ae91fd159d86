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

/** Events that nobody has taken notice of: the broker and the consumers are away, and wait to be brought back. */
export class Backlog {
  static async pileUp(bench, events = EVENTS) {
    const databases = await Promise.all(DATABASES.map((name) => bench.inspector(name)));
    const made = new Backlog(bench, Object.fromEntries(DATABASES.map((name, i) => [name, databases[i]])));
    try {
      await made.write(events);
    } catch (error) {
      await made.close();
      throw error;
    }
    return made;
  }

  constructor(bench, databases) {
    Object.assign(this, { bench, databases });
  }

  async write(events) {
    await this.bench.quiet();
    for (const name of [...AWAY, 'broker']) await this.bench.stack.kill(name, 'SIGTERM');
    const before = await headOf(this.databases.orders);
    do {
      await this.bench.orders(CONNECTIONS);
      this.head = await headOf(this.databases.orders);
    } while (this.head - before < events);
    this.count = this.head - before;
  }

  async bringBack() {
    const { stack } = this.bench;
    stack.start('broker');
    for (const name of AWAY) stack.start(name);
    await Promise.all(AWAY.map((name) => stack.ready(name)));
  }

  async positions() {
    const { orders, vouchers, payments } = this.databases;
    return {
      relay: this.head - (await lag(orders)),
      vouchers: await positionOf(vouchers),
      payments: await positionOf(payments),
    };
  }

  /** Seconds until the relay and each consumer have come to the head. */
  async untilWorkedOff() {
    const from = performance.now();
    const at = {};
    const look = async () => {
      const positions = await this.positions();
      for (const [name, position] of Object.entries(positions)) {
        if (position >= this.head) at[name] ??= (performance.now() - from) / 1000;
      }
      return Object.keys(at).length === Object.keys(positions).length;
    };
    await waitFor('the backlog to be worked off', look, { within: GIVE_UP_MS, every: 10 });
    return at;
  }

  async close() {
    await Promise.all(Object.values(this.databases).map((database) => database.close()));
  }
}

export const backlog = {
  id: 'backlog',
  what: 'events/s through relay and consumers, from a backlog of 100,000',
  goal: 'at least 20,000 events/s, memory flat',
  async run(bench) {
    const piled = await Backlog.pileUp(bench, bench.quick ? EVENTS_QUICK : EVENTS);
    try {
      return await drain(bench, piled);
    } finally {
      await piled.close();
    }
  },
};

async function drain(bench, piled) {
  await piled.bringBack();
  const watched = ['order-service', ...AWAY];
  const { result: at, idle, loaded } = await watchMemory(bench.stack, watched, () => piled.untilWorkedOff());
  const alone = await brokerAlone(bench, piled.count);
  return figuresOf({ count: piled.count, at, alone, idle, loaded });
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
