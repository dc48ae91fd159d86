/*
 * A till: where orders are paid. What tests do with payments over HTTP, and what they ask of the
 * simulated bank behind it.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { openInspector } from './database.js';
import { expectStatus, newKey, order } from './shop.js';
import { waitFor } from './wait.js';

/** A card that every bank approves, and what may be said of others. */
export function card(number = '4242424242424242', overrides = {}) {
  const cvc = /^3[47]/.test(number) ? '8361' : '836';
  return { number, exp_month: 12, exp_year: 2034, cvc, ...overrides };
}

export function byCard(number, overrides) {
  return { type: 'card', card: card(number, overrides) };
}

export const byTransfer = { type: 'bank_transfer' };

/**
 * Starts payment-service anew with other banks: `change` gets each entry of the configuration, and
 * may change it. Breakers are closed afterwards, and know of no calls.
 */
export async function changeGateways(stack, change = () => {}) {
  const file = path.join(stack.home, 'gateways.json');
  const gateways = JSON.parse(readFileSync(file, 'utf8'));
  gateways.forEach(change);
  writeFileSync(file, JSON.stringify(gateways));
  await stack.kill('payment-service', 'SIGTERM');
  stack.start('payment-service');
  await stack.ready('payment-service');
}

/** Payments move on by themselves until they have one of these. */
const OPEN = ['processing'];

/** For changeGateways(): a bank is asked however often it fails. */
export const askAlways = (gateway) => (gateway.breaker = { calls_min: 10_000 });

/** What is sent for an order of that many cents. */
export function orderOf(cents, overrides = {}) {
  return order({ lines: [{ sku: 'ITEM-1', name: 'Item', quantity: 1, unit_amount: cents }], ...overrides });
}

export async function openTill(stack) {
  return new Till(stack, await openInspector(stack, 'payments'));
}

export class Till {
  constructor(stack, database) {
    this.stack = stack;
    this.database = database;
    this.shop = stack.shop();
    this.payments = stack.payments();
    this.bank = stack.bank();
  }

  close() {
    return this.database.close();
  }

  /** Looks at the database over another connection. */
  async reconnect() {
    await this.close();
    this.database = await openInspector(this.stack, 'payments');
  }

  /** An order of that many cents that somebody is to pay. */
  async order(cents = 13700, overrides = {}) {
    return this.shop.createOrder(orderOf(cents, overrides));
  }

  /** POST /v1/payments, whatever it answers. */
  post(body, options) {
    return this.payments.post('/v1/payments', body, { key: newKey(), ...options });
  }

  /** Pays an order, or an amount alone (then `what` has amount and currency); returns the answer. */
  pay(what, method = byCard(), overrides = {}, options = {}) {
    const body = what.id === undefined ? what : { order_id: what.id };
    return this.post({ ...body, payment_method: method, ...overrides }, options);
  }

  /** A payment that is there at once, of EUR unless said otherwise. */
  async paid(amount = 10000, overrides = {}, status = 'succeeded') {
    const answer = await this.pay({ amount, currency: 'EUR' }, byCard(), overrides);
    expectStatus(answer, 201);
    assert.equal(answer.json.status, status, answer.text);
    return answer.json;
  }

  authorized(amount = 10000, overrides = {}) {
    return this.paid(amount, { capture_method: 'manual', ...overrides }, 'authorized');
  }

  /** capture, cancel, refunds. */
  act(payment, what, body = {}, options = {}) {
    return this.payments.post(`/v1/payments/${payment.id}/${what}`, body, {
      key: newKey(),
      ...options,
    });
  }

  async read({ id }) {
    return expectStatus(await this.payments.get(`/v1/payments/${id}`), 200).json;
  }

  async attempts({ id }) {
    return expectStatus(await this.payments.get(`/v1/payments/${id}/attempts`), 200).json.data;
  }

  async refund({ id }) {
    return expectStatus(await this.payments.get(`/v1/refunds/${id}`), 200).json;
  }

  /** Waits until the payment has that status (or any that is final), and returns it. */
  until(payment, status, options) {
    return waitFor(
      `payment ${payment.id} to be ${status ?? 'final'}`,
      async (seen) => {
        const now = await this.read(payment);
        seen(now);
        return (status ? now.status === status : !OPEN.includes(now.status)) && now;
      },
      options,
    );
  }

  untilRefund(refund, status, options) {
    return waitFor(
      `refund ${refund.id} to be ${status}`,
      async (seen) => {
        const now = await this.refund(refund);
        seen(now);
        return now.status === status && now;
      },
      options,
    );
  }

  untilOrder({ id }, wanted, options) {
    return waitFor(
      `order ${id} to be ${JSON.stringify(wanted)}`,
      async (seen) => {
        const now = await this.shop.order(id);
        seen({ status: now.status, payment_status: now.payment_status });
        return Object.entries(wanted).every(([name, value]) => now[name] === value) && now;
      },
      options,
    );
  }

  /** The types of a payment's or a refund's events, in order. */
  async events({ id }) {
    const sql = 'SELECT type FROM events WHERE subject = $1 ORDER BY subject_version';
    return (await this.database.rows(sql, [id])).map((event) => event.type);
  }

  /* --- the bank ------------------------------------------------------------------------------- */

  /** Orders a fault; returns it with its id. */
  async fault(fault) {
    const answer = await this.bank.post('/control/faults', fault);
    assert.ok(answer.status < 300, `${answer.what}: ${answer.text}`);
    return answer.json;
  }

  async noFaults() {
    const answer = await this.bank.request('DELETE', '/control/faults');
    assert.ok(answer.status < 300, `${answer.what}: ${answer.text}`);
  }

  /** What came in at the bank, in order: of a reference, an account, an operation, ... */
  async calls(query = {}) {
    const answer = await this.bank.get(`/control/calls?${new URLSearchParams(query)}`);
    return expectStatus(answer, 200).json.data;
  }

  /** How often a bank has contradicted itself. */
  async contradictions() {
    const { text } = expectStatus(await this.payments.get('/metrics'), 200);
    return Number(/^checkout_bank_contradictions_total (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** The customer at the bank's page. */
  async challenge(payment, outcome) {
    const answer = await fetch(`${payment.next_action.url}/${outcome}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    assert.ok(answer.status < 400, `the challenge answered ${answer.status}`);
  }
}
