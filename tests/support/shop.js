/*
 * A shop: what a client of the HTTP API does, over connections that it keeps.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { inspect } from 'node:util';

import { checkAnswer } from './api_documents.js';
import { checkProblem } from './problem.js';

/** Longer than any deadline of a service: who exceeds it hangs. */
const PATIENCE_MS = 15_000;

/** One caller with one key. Answers are { status, headers, bytes, text, json }. */
export class Shop {
  constructor({ url, key, connections = 64 }) {
    this.url = url;
    this.key = key;
    /* Idle connections are given up before the server does it, so that no request meets a close. */
    this.agent = new http.Agent({ keepAlive: true, maxSockets: connections, timeout: 400 });
  }

  /** The same server as somebody else; `undefined` sends no key. */
  as(key) {
    return Object.assign(Object.create(Shop.prototype), this, { key });
  }

  /** The same caller at another address. */
  at(url) {
    return Object.assign(Object.create(Shop.prototype), this, { url });
  }

  close() {
    this.closed = true;
    this.agent.destroy();
  }

  /** `body` may be an object (sent as JSON), text or bytes; `key` is the Idempotency-Key. */
  async request(method, path, { body, key, headers = {}, patience = PATIENCE_MS } = {}) {
    const bytes = bytesOf(body);
    const all = { ...headers };
    if (this.key !== undefined) all.authorization ??= `Bearer ${this.key}`;
    if (key !== undefined) all['idempotency-key'] = key;
    if (bytes !== undefined) {
      all['content-type'] ??= 'application/json';
      all['content-length'] ??= String(bytes.length);
    }
    const url = new URL(this.url);
    const options = {
      agent: this.agent,
      hostname: url.hostname,
      port: url.port,
      path,
      method,
      headers: all,
      signal: AbortSignal.timeout(patience),
    };
    const answer = await exchange(options, bytes);
    checkAnswer(method, path, answer);
    return answer;
  }

  get(path, options) {
    return this.request('GET', path, options);
  }

  post(path, body, options) {
    return this.request('POST', path, { ...options, body });
  }

  patch(path, body, options) {
    return this.request('PATCH', path, { ...options, body });
  }

  /** Creates an order and returns it. */
  async createOrder(body = order(), options) {
    const answer = await this.post('/v1/orders', body, options);
    expectStatus(answer, 201);
    return answer.json;
  }

  /** Moves an order and returns it. */
  async move(id, status, options) {
    const answer = await this.patch(`/v1/orders/${id}`, { status }, options);
    expectStatus(answer, 200);
    return answer.json;
  }

  /** An invoice order of that many cents, marked sent. */
  async sendOrder(cents, overrides, options) {
    const created = await this.createOrder(invoice(cents, overrides), options);
    return this.move(created.id, 'sent');
  }

  async order(id) {
    const answer = await this.get(`/v1/orders/${id}`);
    expectStatus(answer, 200);
    return answer.json;
  }

  /** Every element of a list, page by page. */
  async all(path, query = {}) {
    const found = [];
    let cursor;
    do {
      const parameters = new URLSearchParams({ ...query, ...(cursor ? { cursor } : {}) });
      const answer = await this.get(`${path}?${parameters}`);
      expectStatus(answer, 200);
      found.push(...answer.json.data);
      const next = answer.json.next_cursor;
      assert.ok(next === null || next !== cursor, `${path}: a page leads back to itself`);
      cursor = next;
    } while (cursor);
    return found;
  }
}

/** A valid order body of EUR 137.00; overrides replace members, undefined removes one. */
export function order(overrides = {}) {
  return {
    customer: { id: 'customer-1' },
    currency: 'EUR',
    lines: [{ sku: 'LAMP-1', name: 'Desk lamp', quantity: 2, unit_amount: 6850 }],
    ...overrides,
  };
}

/** An invoice order of exactly that many minor units. */
export function invoice(amount, overrides = {}) {
  return order({
    lines: [{ sku: 'ITEM-1', name: 'Item', quantity: 1, unit_amount: amount }],
    payment_terms: 'invoice',
    ...overrides,
  });
}

export const newKey = () => randomUUID();

export function expectStatus(answer, status) {
  assert.equal(answer.status, status, `${answer.what} answered ${answer.status}: ${answer.text}`);
  return answer;
}

/**
 * The answer is a problem document (RFC 9457) with this status and code; `pointers`, when given,
 * are exactly the wrong fields that it lists. Returns the document.
 */
export function expectProblem(answer, status, code, pointers) {
  expectStatus(answer, status);
  checkProblem(answer);
  if (code !== undefined) assert.equal(answer.json.code, code, answer.text);
  if (pointers !== undefined) {
    const named = (answer.json.errors ?? []).map((field) => field.pointer);
    assert.deepEqual([...new Set(named)].sort(), [...pointers].sort(), answer.text);
  }
  return answer.json;
}

function bytesOf(body) {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function exchange(options, bytes) {
  return new Promise((resolve, reject) => {
    const what = `${options.method} ${options.path.slice(0, 200)}`;
    const fail = (error) => reject(new Error(`${what}: ${error.message}`, { cause: error }));
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => resolve(answerOf(what, response, Buffer.concat(chunks))));
    });
    request.on('error', fail);
    request.end(bytes);
  });
}

function answerOf(what, response, bytes) {
  const text = bytes.toString('utf8');
  return {
    what,
    status: response.statusCode,
    headers: response.headers,
    bytes,
    text,
    get json() {
      try {
        return JSON.parse(text);
      } catch (error) {
        throw new Error(`${what}: not JSON (${error.message}): ${inspect(text)}`);
      }
    },
  };
}
