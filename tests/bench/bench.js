/*
 * Bench: the stack that is measured, and what the measures share.
 *
 * Everything is the release build with the settings that a user gets, durability among them. The stack
 * is its own, on ports and in a home of its own.
 */
import { openInspector } from '../support/database.js';
import { order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { untilQuiet } from '../support/audit.js';
import { wrk } from './wrk.js';
import { Yardstick } from './yardstick.js';

/* How long the services may take to catch up with what a run left behind. */
const QUIET_MS = 600_000;

export class Bench {
  /** Options: `connections` and `clients` to try, `seconds` of a run, `rounds`, `settings` of the stack. */
  static async open(options) {
    const stack = await startStack(options.settings ?? {}, { fresh: true });
    const bench = Object.assign(new Bench(), options, { stack, shop: stack.shop() });
    try {
      await bench.shop.createOrder(patternOrder());
      bench.yardstick = await Yardstick.make(stack);
      return bench;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /** Orders over HTTP, and the other scenarios of requests.lua. */
  orders(connections, settings = {}) {
    return this.load('orders', connections, settings);
  }

  load(scenario, connections, { url = this.stack.env.ORDER_URL, ...settings } = {}) {
    const options = { connections, seconds: this.seconds, ...settings };
    return wrk(url, this.stack.env.CHECKOUT_API_KEY, scenario, options);
  }

  /** Waits until everything that was announced has taken effect; returns the seconds it took. */
  async quiet() {
    const from = performance.now();
    await untilQuiet(this.stack, { within: QUIET_MS });
    return (performance.now() - from) / 1000;
  }

  inspector(database) {
    return openInspector(this.stack, database);
  }

  say(text) {
    process.stderr.write(`${text}\n`);
  }

  /** The audit is the proof that fast did not mean careless. Throws what it says when it is not clean. */
  async close({ audit = true } = {}) {
    try {
      await this.quiet();
      if (audit) await this.stack.must(['audit'], { patience: QUIET_MS });
    } finally {
      await this.stack.stop();
    }
  }
}

/* Like those of requests.lua. */
function patternOrder() {
  const line = (i) => ({ sku: `SKU-${i}2345`, name: `Thing number ${i}`, quantity: 3, unit_amount: 5432 });
  return order({
    customer: { id: 'customer-123456', email: 'somebody@example.com' },
    payment_terms: 'invoice',
    lines: [1, 2, 3].map(line),
  });
}
