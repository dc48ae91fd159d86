/*
 * A collector of traces: takes OTLP over HTTP in JSON, and keeps what it was given.
 */
import { createServer } from 'node:http';

import { waitFor } from './wait.js';

/** Starts one at a port of its own, or at `port`. `answer` is the status that it gives. */
export async function startCollector(port = 0) {
  const collector = new Collector();
  await new Promise((listening, failed) => {
    collector.server.once('error', failed);
    collector.server.listen(port, '127.0.0.1', listening);
  });
  return collector;
}

class Collector {
  constructor() {
    this.requests = [];
    this.answer = 200;
    this.server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => this.take(request, Buffer.concat(chunks), response));
    });
  }

  take({ method, url, headers }, body, response) {
    this.requests.push({ method, url, type: headers['content-type'], text: body.toString(), answer: this.answer });
    response.writeHead(this.answer, { 'Content-Type': 'application/json' });
    response.end('{}');
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  get port() {
    return this.server.address().port;
  }

  /** Every span that was taken, with the service it is of and its attributes as an object. */
  get spans() {
    return this.requests.filter(({ answer }) => answer === 200).flatMap(({ text }) =>
      JSON.parse(text).resourceSpans.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) =>
          spans.map((span) => ({
            ...span,
            service: valuesOf(resource.attributes)['service.name'],
            attributes: valuesOf(span.attributes),
          })))));
  }

  spansOf(traceId) {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** The first span for which `wanted` is true. */
  waitFor(what, wanted, options) {
    return waitFor(what, (seen) => {
      seen(this.spans.slice(-8).map(({ service, name }) => `${service}: ${name}`));
      return this.spans.find(wanted);
    }, options);
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

function valuesOf(attributes) {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
}
