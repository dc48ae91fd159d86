/*
 * From "sent" to the voucher: from the PATCH being written to the socket until the voucher's row is
 * there for others to see, and until a subscriber of the bus has the event; with nothing else to do,
 * and while 1,000 orders a second come in.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { subscribe } from '../../support/bus.js';
import { expectStatus, invoice } from '../../support/shop.js';
import { ms, quantile, whole } from '../figures.js';

/* The first ones warm up. */
const WARM = 20;
const IDLE_ORDERS = 500;
const LOADED_ORDERS = 300;
const LOAD_PER_S = 1000;
const LOAD_CONNECTIONS = 16;

/* While others need the processors, the row is looked for with a pause, which adds up to so much. */
const LOOK_EVERY_MS = 0.3;

class Watch {
  static async open(bench) {
    const watch = new Watch();
    watch.shop = bench.stack.shop();
    watch.database = await bench.inspector('vouchers');
    watch.announced = new Map();
    watch.subscriber = await subscribe(bench.stack.env.MQTT_URL, bench.stack.login, 'checkout/v1/demo/voucher/+/issued');
    watch.subscriber.client.on('message', (topic, payload) => {
      watch.announced.set(JSON.parse(payload).data.order_id, performance.now());
    });
    return watch;
  }

  /** Sends an order; { row, event } in milliseconds. */
  async sendOne(every) {
    const { id } = await this.shop.createOrder(invoice(10001));
    const from = performance.now();
    const answer = this.shop.patch(`/v1/orders/${id}`, { status: 'sent' });
    const row = (await this.untilRow(id, from, every)) - from;
    expectStatus(await answer, 200);
    while (!this.announced.has(id)) await pause(1);
    return { row, event: this.announced.get(id) - from };
  }

  async untilRow(id, from, every) {
    const sql = 'SELECT 1 FROM vouchers WHERE stream = 0 AND order_id = $1';
    while ((await this.database.value(sql, [id])) === undefined) {
      if (performance.now() - from > 10_000) throw new Error(`no voucher for ${id}`);
      if (every > 0) await pause(every);
    }
    return performance.now();
  }

  async send(count, every) {
    const took = [];
    for (let i = 0; i < count + WARM; i++) took.push(await this.sendOne(every));
    return took.slice(WARM);
  }

  async close() {
    await this.subscriber.close();
    await this.database.close();
    this.shop.close();
  }
}

async function latencies(bench, count, every) {
  const watch = await Watch.open(bench);
  try {
    return await watch.send(count, every);
  } finally {
    await watch.close();
  }
}

function figuresOf(took, [p50Most, p99Most], more = '') {
  const of = (name, q) => quantile(took.map((each) => each[name]), q);
  const figures = { p50: of('row', 0.5), p99: of('row', 0.99), event_p50: of('event', 0.5), event_p99: of('event', 0.99) };
  return {
    value: `${ms(figures.p50)} / ${ms(figures.p99)}`,
    met: figures.p50 <= p50Most && figures.p99 <= p99Most,
    detail: `${took.length} orders; the event at a subscriber ${ms(figures.event_p50)} / ${ms(figures.event_p99)}${more}`,
    ...figures,
  };
}

export const idleVoucher = {
  id: 'idle_voucher',
  what: 'sent to the voucher row, idle: p50 / p99',
  goal: '3 / 8 ms',
  run: async (bench) => figuresOf(await latencies(bench, bench.quick ? 100 : IDLE_ORDERS, 0), [3, 8]),
};

export const loadedVoucher = {
  id: 'loaded_voucher',
  what: 'the same at 1,000 orders/s',
  goal: '4 / 15 ms',
  async run(bench) {
    const seconds = bench.quick ? 6 : 30;
    const every = (LOAD_CONNECTIONS / LOAD_PER_S) * 1000;
    const load = bench.orders(LOAD_CONNECTIONS, { seconds, threads: 1, PAUSE_MS: String(Math.round(every - 2)) });
    await pause(500);
    const took = await latencies(bench, bench.quick ? 50 : LOADED_ORDERS, LOOK_EVERY_MS);
    const { perSecond } = await load;
    return figuresOf(took, [4, 15], `; beside ${whole(perSecond)} orders/s`);
  },
};
