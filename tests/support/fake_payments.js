/*
 * A payment-service that a test plays: it has a log of events like the real one, and payments,
 * attempts and refunds to be asked for.
 *
 * What it logs is pulled by the order-service, at the latest when that asks for the log's head. To be
 * quick, it is published as well where the bus knows a payment-service.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { publish } from './bus.js';
import { send } from './fake_vouchers.js';

export class FakePayments {
  static async start() {
    const fake = new FakePayments();
    await new Promise((done) => fake.server.listen(0, '127.0.0.1', done));
    return fake;
  }

  constructor() {
    this.log = [];
    this.payments = [];
    this.attempts = [];
    this.refunds = [];
    this.asked = [];
    this.mood = undefined;
    this.away = false;
    this.missed = 0;
    this.server = http.createServer((request, response) => this.serve(request, response));
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /**
   * `mood(request, response)` answers instead, except to who follows the log. While it is `away`,
   * nobody is answered, and how often is counted in `missed`.
   */
  serve(request, response) {
    if (this.away) {
      this.missed += 1;
      return request.socket.destroy();
    }
    const { pathname, searchParams: query } = new URL(request.url, this.url);
    const follows = pathname === '/v1/events' && !query.has('subjects');
    if (follows) return send(response, 200, this.page(this.log, query));
    this.asked.push({ path: request.url, headers: request.headers });
    if (this.mood) return this.mood(request, response);
    const answer = this.answerTo(pathname, query);
    return send(response, answer ? 200 : 404, answer ?? { code: 'not_found', status: 404 });
  }

  answerTo(pathname, query) {
    const ofOrder = (each) => each.order_id === query.get('order_id');
    const [, attempted] = /^\/v1\/payments\/([^/]+)\/attempts$/.exec(pathname) ?? [];
    if (attempted) {
      return { data: this.attempts.filter((attempt) => attempt.payment_id === attempted) };
    }
    if (pathname === '/v1/payments') return newestFirst(this.payments.filter(ofOrder), query);
    if (pathname === '/v1/refunds') return newestFirst(this.refunds.filter(ofOrder), query);
    if (pathname === '/v1/events') {
      const subjects = query.get('subjects').split(',');
      return this.page(this.log.filter((event) => subjects.includes(event.subject)), query);
    }
    return undefined;
  }

  page(log, query) {
    const after = Number(query.get('after') ?? 0);
    const limit = Number(query.get('limit') ?? 1000);
    const data = log.filter((event) => Number(event.sequence) > after).slice(0, limit);
    const last = data.length === limit ? Number(data.at(-1).sequence) : this.log.length;
    return { data, head: this.log.length, announced: this.log.length, next_after: last };
  }

  /** Logs events of payments or refunds, in this order, and publishes them if it can. */
  async tell(stack, ...events) {
    for (const event of events) {
      event.sequence = String(this.log.length + 1).padStart(20, '0');
      this.log.push(event);
    }
    await this.publish(stack, events);
    return events;
  }

  async publish(stack, events) {
    const secret = path.join(stack.home, 'secrets', 'broker-payment-service');
    if (!existsSync(secret)) return;
    const login = { username: 'payment-service', password: readFileSync(secret, 'utf8').trim() };
    const messages = events.map((event) => ({
      topic: topicOf(event),
      payload: JSON.stringify(event),
    }));
    await publish(stack.env.MQTT_URL, login, messages);
  }
}

function newestFirst(data, query) {
  const limit = Number(query.get('limit') ?? 20);
  const page = data.toReversed().slice(0, limit);
  return { data: page, next_cursor: data.length > limit ? 'more' : null };
}

const topicOf = ({ type, merchantid, subject }) =>
  `checkout/v1/${merchantid}/${type.split('.')[0]}/${subject}/${type.split('.')[1]}`;

const CARD = {
  brand: 'visa',
  number: '************4242',
  last4: '4242',
  exp_month: 12,
  exp_year: 2030,
  fingerprint: 'f'.repeat(64),
};

/** A payment's public object: one that is processing all of the order, with `changes`. */
export function paymentOf(order, changes = {}) {
  const now = new Date().toISOString();
  return {
    id: randomUUID(),
    merchant_id: order.merchant_id,
    version: 1,
    status: 'processing',
    order_id: order.id,
    amount: order.amount_due,
    currency: order.currency,
    capture_method: 'automatic',
    payment_method: { type: 'card', card: CARD },
    amount_captured: 0,
    amount_refunded: 0,
    refund_status: 'none',
    dispute_status: 'none',
    orphaned: false,
    gateway: 'bank-a',
    failure: null,
    next_action: null,
    created_at: now,
    updated_at: now,
    expires_at: null,
    ...changes,
  };
}

/** The payment's next version. */
export function later(payment, changes) {
  const updated_at = new Date().toISOString();
  return { ...payment, version: payment.version + 1, updated_at, ...changes };
}

/** Captured, all of it or `amount`. */
export const succeeded = (payment, amount = payment.amount) =>
  later(payment, { status: 'succeeded', amount_captured: amount });

export const refunded = (payment, amount = payment.amount_captured) =>
  later(payment, {
    amount_refunded: amount,
    refund_status: amount === payment.amount_captured ? 'full' : 'partial',
  });

export function refundOf(payment, changes = {}) {
  const now = new Date().toISOString();
  return {
    id: randomUUID(),
    merchant_id: payment.merchant_id,
    version: 1,
    status: 'pending',
    payment_id: payment.id,
    order_id: payment.order_id,
    amount: payment.amount_captured,
    currency: payment.currency,
    reason: 'requested by customer',
    failure: null,
    created_at: now,
    updated_at: now,
    ...changes,
  };
}

export function attemptOf(payment, changes = {}) {
  const now = new Date().toISOString();
  return {
    id: randomUUID(),
    payment_id: payment.id,
    refund_id: null,
    operation: 'authorize',
    gateway: 'bank-a',
    status: 'approved',
    amount: payment.amount,
    currency: payment.currency,
    bank_id: `op_${randomBytes(6).toString('hex')}`,
    failure: null,
    skipped: [],
    tries: 0,
    trace_id: randomBytes(16).toString('hex'),
    created_at: now,
    updated_at: now,
    ...changes,
  };
}

/** The CloudEvent that tells of an object's version; `type` is "payment.succeeded". */
export function eventOf(type, object, changes = {}) {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: '/payment-service',
    type,
    subject: object.id,
    time: object.updated_at,
    datacontenttype: 'application/json',
    dataschema: `urn:checkout:v1:/schemas/${type.split('.')[0]}.json`,
    stream: 0,
    subjectversion: object.version,
    merchantid: object.merchant_id,
    traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
    data: object,
    ...changes,
  };
}

/** payment.<status>, of the version that it has. */
export const statusEvent = (payment) => eventOf(`payment.${payment.status}`, payment);
export const updatedEvent = (payment) => eventOf('payment.updated', payment);
