/*
 * A door: where requests come in as bytes - a service itself, or the edge in front of it - and what
 * became of them.
 */
import assert from 'node:assert/strict';

import { checkProblem } from './problem.js';
import { invoice, newKey } from './shop.js';
import { Wire, requestText } from './wire.js';

export class Door {
  /** `orders` is an inspector of the database; `edge` says that nginx reads first. */
  constructor({ url, key, orders, edge = false }) {
    Object.assign(this, { url, orders, edge });
    this.host = `Host: ${new URL(url).host}`;
    this.auth = `Authorization: Bearer ${key}`;
    this.json = 'Content-Type: application/json';
    this.standard = [this.host, this.auth, this.json];
  }

  connect() {
    return Wire.connect(this.url);
  }

  /** Sends bytes on a connection of their own and reads one answer; `shut`: nothing more comes. */
  async ask(text, { shut = false, head = false } = {}) {
    const wire = await this.connect();
    try {
      wire.send(text);
      if (shut) wire.shut();
      return await wire.answer({ head });
    } finally {
      wire.close();
    }
  }

  /** POST /v1/orders with a body, and headers beyond the standard ones. */
  order(body, ...headers) {
    const all = [...this.standard, `Content-Length: ${body.length}`, ...headers];
    return requestText('POST /v1/orders HTTP/1.1', all, body);
  }

  /** Asserts a problem: exactly that of `direct`, or behind nginx one of the statuses of `edge`. */
  expectProblem(answer, { direct, edge }, others = []) {
    const [status, code] = direct.split(' ');
    const statuses = this.edge ? (edge ?? [Number(status), 400]) : [Number(status)];
    const about = `${answer.what} ${answer.text}`;
    assert.ok([...statuses, ...others].includes(answer.status), about);
    if (answer.text === '' || answer.status < 300) return; /* of a HEAD, or understood by nginx */
    checkProblem(answer);
    if (!this.edge && answer.status === Number(status)) assert.equal(answer.json.code, code, about);
  }

  /** The service closes behind what it could not follow; nginx knows where the next one begins. */
  expectClosing(answer) {
    if (!this.edge) assert.equal(answer.headers.connection, 'close', answer.what);
  }

  /** What nginx takes for HTTP/0.9 it answers so: the document alone, and then it closes. */
  async expectBareProblem(text) {
    const wire = await this.connect();
    const problem = JSON.parse(await wire.send(text).closed());
    wire.close();
    assert.ok(problem.status >= 400 && problem.status < 500, problem.detail);
  }

  /** Sends a part of a request and shuts: refused as incomplete, or by nginx without a word. */
  async expectCut(text) {
    const wire = await this.connect();
    try {
      wire.send(text).shut();
      if (!this.edge) this.expectProblem(await wire.answer(), { direct: '400 body_incomplete' });
      await wire.closed();
    } finally {
      wire.close();
    }
  }

  async countOf(reference) {
    const text = 'SELECT count(*) FROM orders WHERE client_reference = $1';
    return Number(await this.orders.value(text, [reference]));
  }

  /** Everything that could have changed: how many orders there are, and how often they changed. */
  state() {
    return this.orders.value("SELECT count(*) || ' ' || coalesce(sum(version), 0) FROM orders");
  }

  /** An order that can be found again, as text. */
  newBody(reference = newKey()) {
    return { reference, body: JSON.stringify(invoice(1, { client_reference: reference })) };
  }
}
