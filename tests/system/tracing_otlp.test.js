/*
 * Traces, as an OpenTelemetry collector gets them: one from the request to the voucher, and nobody who
 * waits for the collector.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, test } from 'node:test';

import { untilQuiet } from '../support/audit.js';
import { startCollector } from '../support/collector.js';
import { runProgram } from '../support/program.js';
import { samplesOf } from '../support/prometheus.js';
import { expectStatus, invoice } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const SETTING = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const KINDS = { INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 };

/* Spans that wait in a process for the collector (trace_span.h). */
const TRACE_SPANS_MAX = 2048;

let collector = await startCollector();
const { port } = collector;
const stack = await startStack({ [SETTING]: `${collector.url}/` });
after(async () => {
  await stack.stop();
  await collector.close();
});

const shop = stack.shop();
const till = await openTill(stack);
after(() => till.close());

/** What a client begins: a trace with a span of its own. */
function newTrace(flags = '01') {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flags}` } };
}

/** The one span of that name in the trace, of that service. */
function spanOf(trace, service, name) {
  const found = collector.spansOf(trace.traceId).filter((span) => span.service === service && span.name === name);
  assert.equal(found.length, 1, `${found.length} spans "${name}" of the ${service}: ${said(trace)}`);
  return found[0];
}

const said = (trace) => collector.spansOf(trace.traceId).map(({ service, name }) => `${service}: ${name}`).join(', ');

const untilSpan = (trace, service, name) =>
  collector.waitFor(`the span "${name}" of the ${service}`, (span) =>
    span.traceId === trace.traceId && span.service === service && span.name === name);

/** [service, name, kind, index of the parent or the root's span id], each a span of the trace. */
function expectTree(trace, rows) {
  const spans = rows.map(([service, name]) => spanOf(trace, service, name));
  rows.forEach(([, name, kind, parent], i) => {
    assert.equal(spans[i].kind, KINDS[kind], name);
    assert.equal(spans[i].parentSpanId, typeof parent === 'number' ? spans[parent].spanId : parent, `parent of ${name}`);
    assert.match(spans[i].spanId, /^[0-9a-f]{16}$/);
    assert.ok(BigInt(spans[i].endTimeUnixNano) >= BigInt(spans[i].startTimeUnixNano), name);
  });
  return spans;
}

async function metricOf(service, name) {
  const { text } = expectStatus(await shop.at(stack.urlOf(service)).as(undefined).get('/metrics'), 200);
  return samplesOf(text).find((sample) => sample.name === name)?.value;
}

test('one trace leads from the POST to the voucher, and every span names what caused it', async () => {
  const trace = newTrace();
  const { id } = await shop.createOrder(invoice(13_700), { headers: trace.headers });
  await shop.move(id, 'sent', { headers: trace.headers });
  await untilSpan(trace, 'voucher-service', 'publish voucher.issued');
  await untilSpan(trace, 'payment-service', 'consume order.sent');
  await untilSpan(trace, 'order-service', 'publish order.sent');
  const spans = expectTree(trace, [
    ['order-service', 'POST /v1/orders', 'SERVER', trace.spanId],
    ['order-service', 'commit order.created', 'INTERNAL', 0],
    ['order-service', 'publish order.created', 'PRODUCER', 1],
    ['voucher-service', 'consume order.created', 'CONSUMER', 1],
    ['payment-service', 'consume order.created', 'CONSUMER', 1],
    ['order-service', 'PATCH /v1/orders/{id}', 'SERVER', trace.spanId],
    ['order-service', 'commit order.sent', 'INTERNAL', 5],
    ['order-service', 'publish order.sent', 'PRODUCER', 6],
    ['payment-service', 'consume order.sent', 'CONSUMER', 6],
    ['voucher-service', 'consume order.sent', 'CONSUMER', 6],
    ['voucher-service', 'commit voucher.issued', 'INTERNAL', 9],
    ['voucher-service', 'publish voucher.issued', 'PRODUCER', 10],
  ]);
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
  assert.equal(spans.length, collector.spansOf(trace.traceId).length, said(trace));
  assert.deepEqual(spans[0].attributes, {
    'http.request.method': 'POST', 'http.route': '/v1/orders', 'http.response.status_code': 201,
  });
  assert.equal(spans[10].attributes['checkout.subject'].length, id.length);
});

test('a payment is traced to the bank and back to its order', async () => {
  const trace = newTrace();
  const order = await till.order(13_700);
  const answer = await till.pay(order, undefined, {}, { headers: trace.headers });
  assert.equal(expectStatus(answer, 201).json.status, 'succeeded');
  await untilSpan(trace, 'order-service', 'consume payment.succeeded');
  await untilSpan(trace, 'payment-service', 'POST /v1/payments');
  const spans = expectTree(trace, [
    ['payment-service', 'POST /v1/payments', 'SERVER', trace.spanId],
    ['payment-service', 'commit payment.processing', 'INTERNAL', 0],
    ['payment-service', 'bank authorize', 'CLIENT', 0],
    ['payment-service', 'commit payment.succeeded', 'INTERNAL', 0],
    ['order-service', 'consume payment.succeeded', 'CONSUMER', 3],
  ]);
  assert.deepEqual(spans[2].attributes, { 'checkout.gateway': 'bank-a', 'checkout.outcome': 'approved' });
  assert.doesNotMatch(JSON.stringify(collector.requests), /4242424242424242|ck_[a-z0-9]+_/);
});

test('a trace that its client does not sample is passed on, and nobody collects it', async () => {
  const quiet = newTrace('00');
  const loud = newTrace();
  const made = await shop.post('/v1/orders', invoice(13_700), { headers: quiet.headers });
  assert.match(expectStatus(made, 201).headers.traceparent, new RegExp(`^00-${quiet.traceId}-[0-9a-f]{16}-00$`));
  await shop.createOrder(invoice(100), { headers: loud.headers });
  await untilSpan(loud, 'order-service', 'publish order.created');
  await untilSpan(loud, 'voucher-service', 'consume order.created');
  await untilQuiet(stack);
  assert.deepEqual(collector.spansOf(quiet.traceId), []);
});

test('an error of ours is a failed span with its code, one of the client is not failed', async () => {
  const trace = newTrace();
  expectStatus(await shop.get('/v1/orders/01940000-0000-7000-8000-00000000dead', { headers: trace.headers }), 404);
  const span = await untilSpan(trace, 'order-service', 'GET /v1/orders/{id}');
  assert.equal(span.attributes['error.type'], 'not_found');
  assert.equal(span.status, undefined);
});

test('what is asked is OTLP in JSON, and probes are no traces', async () => {
  for (const { method, url, type } of collector.requests) {
    assert.deepEqual([method, url, type], ['POST', '/v1/traces', 'application/json']);
  }
  assert.ok(collector.spans.every(({ name }) => !/livez|readyz|metrics/.test(name)));
});

describe('a collector', () => {
  const exported = () => metricOf('order-service', 'checkout_trace_spans_exported_total');
  const dropped = () => metricOf('order-service', 'checkout_trace_spans_dropped_total');

  /** So many spans, of requests that write nothing. */
  async function makeSpans(count) {
    for (let left = count; left > 0; left -= 64) {
      await Promise.all(Array.from({ length: Math.min(64, left) }, () => shop.get('/v1/key')));
    }
  }

  test('that refuses a batch is not asked again with it, and the batch is counted', async () => {
    const before = await dropped();
    collector.answer = 400;
    const trace = newTrace();
    await shop.get('/v1/key', { headers: trace.headers });
    await waitFor('a batch to be dropped', async () => (await dropped()) > before);
    collector.answer = 200;
    const next = newTrace();
    await shop.get('/v1/key', { headers: next.headers });
    await untilSpan(next, 'order-service', 'GET /v1/key');
    assert.deepEqual(collector.spansOf(trace.traceId), []);
    assert.ok((await exported()) > 0);
  });

  test('that is away holds up nobody: what the queue has no room for is dropped and counted', async () => {
    await collector.close();
    const before = await dropped();
    const waiting = newTrace();
    await shop.get('/v1/key', { headers: waiting.headers });
    await makeSpans(TRACE_SPANS_MAX + 600);
    await waitFor('spans to be dropped', async () => (await dropped()) > before);
    await shop.createOrder(invoice(13_700));
    const gone = collector;
    collector = await startCollector(port);
    collector.requests.push(...gone.requests);
    await untilSpan(waiting, 'order-service', 'GET /v1/key');
    const later = newTrace();
    await waitFor('a new span', async () => {
      await shop.get('/v1/key', { headers: later.headers });
      return collector.spansOf(later.traceId).length > 0;
    }, { every: 200 });
  });

  test('gets what was recorded before a service ended', async () => {
    const trace = newTrace();
    await shop.createOrder(invoice(13_700), { headers: trace.headers });
    await stack.kill('order-service', 'SIGTERM');
    for (const name of ['POST /v1/orders', 'commit order.created', 'publish order.created']) {
      spanOf(trace, 'order-service', name);
    }
    stack.start('order-service');
    await stack.ready('order-service');
  });
});

test('without the setting nothing is collected, and a wrong one is named', async () => {
  await stack.kill('order-service', 'SIGTERM');
  stack.start('order-service', { environment: { [SETTING]: '' } });
  await stack.ready('order-service');
  const trace = newTrace();
  await shop.createOrder(invoice(13_700), { headers: trace.headers });
  await untilSpan(trace, 'voucher-service', 'consume order.created'); /* it has the setting */
  assert.ok(collector.spansOf(trace.traceId).every(({ service }) => service !== 'order-service'), said(trace));
  assert.equal(await metricOf('order-service', 'checkout_trace_spans_dropped_total'), undefined);
  for (const wrong of ['127.0.0.1:4318', 'http://a,http://b']) {
    const { code, stderr } = await runProgram(stack, 'order-service', [], { [SETTING]: wrong });
    assert.equal(code, 2, stderr);
    assert.match(stderr, new RegExp(SETTING));
  }
});
