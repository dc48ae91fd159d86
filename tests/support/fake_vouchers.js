/*
 * A voucher-service that a test plays: it answers as it is told, and remembers what it was asked.
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';

export class FakeVouchers {
  /** Starts one; `answer` may be replaced at any time. */
  static async start() {
    const fake = new FakeVouchers();
    await new Promise((done) => fake.server.listen(0, '127.0.0.1', done));
    return fake;
  }

  constructor() {
    this.asked = [];
    this.answer = reserved();
    this.server = http.createServer((request, response) => this.serve(request, response));
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  async serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const asked = {
      method: request.method,
      path: request.url,
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString() || 'null'),
    };
    this.asked.push(asked);
    await this.answer(asked, response);
  }

  /** What it was asked by `path` since the last take(). */
  take() {
    return this.asked.splice(0);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Reserves whatever it is asked for; `changes` to the voucher's public object. */
export function reserved(changes = {}) {
  return ({ body }, response) =>
    send(response, 200, {
      id: randomUUID(),
      status: 'reserved',
      version: 2,
      value_amount: 500,
      currency: body.currency,
      reservation: { holder: body.holder, expires_at: '2030-01-01T00:00:00.000Z' },
      ...changes,
    });
}

export function refused(status, code, detail = 'Because.') {
  return (asked, response) => send(response, status, { code, detail, status });
}

export function send(response, status, body) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
}
