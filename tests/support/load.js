/*
 * Steady load: clients that create orders and move them, keep a log of everything they asked and
 * were answered, and repeat with the same key whatever was left unanswered.
 *
 * The seed decides what is asked; only the order of arrival is left to chance.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { Random, runSeed } from './random.js';

/** A request is repeated for this long before it counts as never answered. */
const PATIENCE_MS = 30_000;

/** How long one attempt may take: longer than a service's own deadline. */
const ATTEMPT_MS = 12_000;

/** Between two attempts, so that a service that is away is not hammered. */
const RETRY_MS = 50;

/** What may happen to an invoice order, as paths through its states. */
const STORIES = [
  [],
  ['sent'],
  ['sent'],
  ['sent'],
  ['sent', 'delivered'],
  ['sent', 'delivered', 'returned'],
  ['sent', 'returned'],
  ['canceled'],
];

/** Most give their voucher back, so that it can be spent again. */
const STORIES_OF_SPENDERS = [['canceled'], ['canceled'], ['canceled'], ['canceled'], ['sent'], []];

export class Load {
  /**
   * `shops`: one per instance to ask; `perSecond`: requests of all clients together; `repeats` and
   * `prepaid`: how many of them are asked again, and are orders that nobody will pay; `voucher`:
   * asked for a voucher's code before each order, answers undefined for an order without one.
   */
  constructor(
    shops,
    {
      seed = runSeed(),
      perSecond = 100,
      clients = 12,
      repeats = 0.05,
      prepaid = 0,
      voucher = () => undefined,
    } = {},
  ) {
    this.shops = shops;
    this.seed = seed;
    this.interval = (1000 * clients) / perSecond;
    this.repeats = repeats;
    this.prepaid = prepaid;
    this.voucher = voucher;
    this.requests = [];
    this.unexpected = [];
    this.stopped = false;
    this.turn = 0;
    this.prefix = `load-${seed}-${Math.floor(performance.now())}`;
    this.clients = Array.from({ length: clients }, (_, i) => this.live(i));
  }

  /** Until it is stopped, or its stack is: a test that failed leaves no load behind. */
  get running() {
    return !this.stopped && !this.shops.some((shop) => shop.closed);
  }

  /** Requests that were answered 2xx. */
  get answered() {
    return this.requests.filter((request) => request.answer?.status < 300);
  }

  /** Requests that never got an answer that says what became of them. */
  get unanswered() {
    return this.requests.filter((request) => request.answer === undefined);
  }

  get answers() {
    return this.requests.reduce((sum, request) => sum + (request.answer ? 1 : 0), 0);
  }

  /** Orders that were refused for their voucher. */
  get refused() {
    return this.requests.filter((request) => request.answer?.status >= 300 && request.mayBeRefused);
  }

  /** Lets every client finish what it is at. */
  async stop() {
    this.stopped = true;
    await Promise.all(this.clients);
    return this;
  }

  async live(client) {
    const random = new Random(`${this.seed}/${client}`);
    let slot = performance.now() + random.below(Math.ceil(this.interval));
    const next = async () => {
      slot = Math.max(slot + this.interval, performance.now());
      await pause(slot - performance.now());
    };
    for (let number = 0; this.running; number++) {
      await next();
      await this.tell(random, `${this.prefix}-${client}-${number}`, next);
    }
  }

  /** One order's life; stops early when the load does. */
  async tell(random, reference, next) {
    const unpaid = random.chance(this.prepaid);
    const terms = { payment_terms: unpaid ? 'prepaid' : 'invoice' };
    const code = await this.voucher();
    if (code !== undefined) Object.assign(terms, { voucher_code: code, currency: 'EUR' });
    const created = await this.ask(random, {
      kind: 'create',
      method: 'POST',
      path: '/v1/orders',
      key: reference,
      body: randomOrder(random, reference, terms),
      mayBeRefused: code === undefined ? undefined : /"code":"voucher_/,
    });
    if (created.answer?.status !== 201 || unpaid) return;
    const { id, voucher } = JSON.parse(created.answer.text);
    for (const status of random.pick(voucher ? STORIES_OF_SPENDERS : STORIES)) {
      if (!this.running) return;
      await next();
      const moved = await this.ask(random, {
        kind: status,
        method: 'PATCH',
        path: `/v1/orders/${id}`,
        key: `${reference}-${status}`,
        body: JSON.stringify({ status }),
      });
      if (moved.answer?.status !== 200) return;
    }
  }

  /** Asks until there is an answer other than "away" or "unknown". */
  async ask(random, request) {
    this.requests.push(Object.assign(request, { attempts: 0, from: performance.now() }));
    while (performance.now() - request.from < PATIENCE_MS && !this.shops[0].closed) {
      const answer = await this.attempt(request);
      if (answer) {
        request.answer = answer;
        const refused = answer.status >= 300;
        if (refused && !request.mayBeRefused?.test(answer.text)) this.unexpected.push(request);
        else if (!refused && random.chance(this.repeats)) await this.repeat(request);
        return request;
      }
      await pause(RETRY_MS);
    }
    return request;
  }

  /** One attempt; undefined when its outcome is unknown or it was turned away for now. */
  async attempt(request) {
    request.attempts++;
    const started = performance.now();
    try {
      const shop = this.shops[this.turn++ % this.shops.length];
      const answer = await shop.request(request.method, request.path, {
        ...request,
        patience: ATTEMPT_MS,
      });
      request.ms = performance.now() - started;
      request.lastStatus = answer.status;
      if (answer.status === 503) return undefined;
      return { status: answer.status, text: answer.text, at: performance.now() };
    } catch (error) {
      request.lastError = error.message;
      return undefined;
    }
  }

  /** The same request again must get the same answer. */
  async repeat(request) {
    const again = await this.attempt(request);
    if (again && (again.status !== request.answer.status || again.text !== request.answer.text)) {
      this.unexpected.push({ ...request, again });
    }
  }
}

/** One to five lines around EUR 100, so that about half of the orders earn a voucher. */
function randomOrder(random, reference, terms) {
  const lines = Array.from({ length: random.between(1, 5) }, (_, i) => ({
    sku: `SKU-${random.below(500)}`,
    name: `Thing ${i}`,
    quantity: random.between(1, 3),
    unit_amount: random.below(4000),
  }));
  if (random.chance(0.1)) lines.splice(0, lines.length, line(random.pick([9999, 10000, 10001])));
  return JSON.stringify({
    customer: { id: `customer-${random.below(300)}`, email: 'somebody@example.com' },
    currency: random.chance(0.9) ? 'EUR' : 'USD',
    client_reference: reference,
    lines,
    ...terms,
  });
}

const line = (amount) => ({ sku: 'EDGE', name: 'Edge', quantity: 1, unit_amount: amount });
