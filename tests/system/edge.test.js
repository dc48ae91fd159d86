/*
 * The edge: one origin for everything that clients see, strict, and discreet about what it saw.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { subscribe } from '../support/bus.js';
import { top } from '../support/launcher.js';
import { checkProblem } from '../support/problem.js';
import { expectProblem, expectStatus, invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';
import { Wire, requestText } from '../support/wire.js';

const stack = await startStack({}, { restart: true });
after(() => stack.stop());

const edge = stack.shop(stack.env.CHECKOUT_URL);
const operator = edge.as(stack.env.CHECKOUT_OPERATOR_KEY);
const port = Number(new URL(stack.env.CHECKOUT_URL).port);

/** Sends a text to the edge as it is, and reads one answer. */
async function ask(text) {
  const wire = await Wire.connect(edge.url);
  try {
    return await wire.send(text).answer();
  } finally {
    wire.close();
  }
}

const authorization = `Authorization: Bearer ${stack.env.CHECKOUT_API_KEY}`;

describe('one origin', () => {
  test('every resource is found under /v1, whichever service owns it', async () => {
    const sent = await edge.sendOrder(13700);
    expectStatus(await edge.get(`/v1/orders/${sent.id}`), 200);
    const voucher = await waitFor('the voucher', async () =>
      (await edge.get(`/v1/vouchers?order_id=${sent.id}`)).json.data[0],
    );
    expectStatus(await edge.get(`/v1/vouchers/${voucher.id}`), 200);
    expectStatus(await edge.get('/v1/voucher_rules'), 200);
    expectStatus(await edge.get('/v1/key'), 200);
  });

  test('what every service has is found under its name', async () => {
    for (const service of ['order-service', 'payment-service', 'voucher-service']) {
      const log = expectStatus(await operator.get(`/services/${service}/v1/events?limit=1`), 200);
      assert.ok('head' in log.json);
      expectStatus(await operator.get(`/services/${service}/v1/dead_letters`), 200);
    }
  });

  test('health is not exposed, and what is not there is a problem', async () => {
    const paths = ['/livez', '/readyz', '/metrics', '/v1', '/v1/events', '/v1/ordersX', '/V1/orders', '/edge/key',
                   '/edge/pass', '/edge/problem/not_found', '/edge/operator', '/console', '/console/', '/console/nothing.js',
                   '/services/order-service-1/metrics', '/services/order-service/livez',
                   '/services/order-service/v1/orders', '/services/nobody/v1/events', '/problems/nothing', '/schemas/nothing.json'];
    for (const each of paths) expectProblem(await edge.get(each), 404, 'not_found');
  });

  test('a path that can be read in two ways is refused', async () => {
    const paths = ['/v1/orders/../../metrics', '//v1/orders', '/v1//orders', '/v1/orders/.', '/v1/%2e%2e/metrics', '/v1/orders%2Fx',
                   '/services/order-service/v1/events/../../metrics'];
    for (const each of paths) {
      const answer = await ask(requestText(`GET ${each} HTTP/1.1`, ['Host: x', authorization]));
      expectProblem({ ...answer, what: each }, 400, 'path_malformed');
    }
  });

  test('the bus speaks MQTT over websockets at /mqtt', async () => {
    const url = `${stack.env.CHECKOUT_URL.replace('http', 'ws')}/mqtt`;
    const bus = await subscribe(url, stack.login, 'checkout/v1/demo/order/+/created');
    const order = await edge.createOrder();
    await bus.waitFor('the order', (message) => message.event?.subject === order.id);
    await bus.close();
    await assert.rejects(subscribe(url, { username: 'demo', password: 'wrong' }, '#'));
    expectProblem(await edge.get('/mqtt'), 426, 'websocket_expected');
  });

  test('schemas are served as they are', async () => {
    const names = readdirSync(path.join(top, 'shared', 'schemas'));
    assert.ok(names.length >= 3);
    const index = expectStatus(await edge.get('/schemas/'), 200);
    for (const name of names) {
      const answer = expectStatus(await edge.get(`/schemas/${name}`), 200);
      assert.equal(answer.text.trim(), readFileSync(path.join(top, 'shared', 'schemas', name), 'utf8').trim());
      assert.equal(answer.headers['content-type'], 'application/schema+json');
      assert.ok(index.text.includes(`"/schemas/${name}"`));
    }
  });

  test('every problem has a page at its type, and /problems/ and /docs/ lead there', async () => {
    const codes = [...readFileSync(path.join(top, 'docs', 'problems.md'), 'utf8').matchAll(/^## (\S+)$/gm)].map(
      (match) => match[1],
    );
    assert.ok(codes.length > 50);
    const index = expectStatus(await edge.get('/problems/'), 200);
    for (const code of codes) {
      const page = expectStatus(await edge.get(`/problems/${code}`), 200);
      assert.match(page.headers['content-type'], /^text\/html/);
      assert.match(page.text, new RegExp(`<h1>${code}</h1>\n<p>\\d{3}\\.`));
      assert.ok(index.text.includes(`"/problems/${code}"`));
    }
    const refused = await edge.as(undefined).get('/v1/orders');
    expectStatus(await edge.get(refused.json.type), 200);
    assert.match((await edge.get('/docs/')).text, /href="\/problems\/"/);
  });
});

describe('what nginx refuses by itself is a problem document', () => {
  const get = (...headers) => requestText('GET /v1/orders HTTP/1.1', ['Host: x', ...headers]);
  const rows = [
    ['garbage', 'garbage\r\n\r\n', 400, 'request_malformed'],
    ['no Host', requestText('GET /v1/orders HTTP/1.1', []), 400, 'request_malformed'],
    ['two lengths', get('Content-Length: 1', 'Content-Length: 2'), 400, 'request_malformed'],
    ['length and chunks', get('Content-Length: 1', 'Transfer-Encoding: chunked'), 400, 'request_malformed'],
    ['another transfer coding', get('Transfer-Encoding: gzip'), 501, 'transfer_encoding_unknown'],
    ['TRACE', requestText('TRACE /v1/orders HTTP/1.1', ['Host: x']), 405, 'method_not_allowed'],
    ['a post to a page', requestText('POST /docs/ HTTP/1.1', ['Host: x', 'Content-Length: 0']), 405, 'method_not_allowed'],
    ['a long header', get(`X: ${'x'.repeat(20_000)}`), 431, 'headers_too_large'],
    ['many long headers', get(...Array.from({ length: 30 }, () => `X: ${'x'.repeat(1000)}`)), 431, 'headers_too_large'],
    ['a long target', requestText(`GET /v1/orders?${'x'.repeat(20_000)} HTTP/1.1`, ['Host: x']), 414, 'target_too_long'],
    ['NUL in the path', requestText('GET /v1/orders/%00 HTTP/1.1', ['Host: x']), 400, undefined],
  ];
  for (const [label, text, status, code] of rows) {
    test(`${label}: ${status}`, async () => {
      expectProblem({ ...(await ask(text)), what: label }, status, code);
    });
  }

  test('many short headers: 431 by the service', async () => {
    const headers = Array.from({ length: 70 }, (_, i) => `X-${i}: x`);
    expectProblem({ ...(await ask(get(...headers))), what: 'headers' }, 431, 'headers_too_many');
  });

  test('405 tells what is allowed', async () => {
    assert.equal((await edge.request('TRACE', '/v1/orders')).headers.allow, 'GET, HEAD, POST, PATCH');
    assert.equal((await edge.post('/schemas/order.json', {})).headers.allow, 'GET, HEAD');
  });

  test('an error of the edge names no version', async () => {
    for (const each of ['/nothing', '/v1/orders', '/docs/']) {
      assert.doesNotMatch((await edge.get(each)).headers.server ?? '', /\d/);
    }
  });
});

describe('a body is not read', () => {
  const announced = (length, ...headers) =>
    requestText('POST /v1/orders HTTP/1.1', ['Host: x', 'Content-Type: application/json', `Content-Length: ${length}`, ...headers]);

  test('when it is too long: 413 at once, whether or not the client waits for 100', async () => {
    for (const more of [[], ['Expect: 100-continue'], [authorization]]) {
      expectProblem({ ...(await ask(announced(10_000_000, ...more))), what: 'POST' }, 413, 'body_too_large');
    }
  });

  test('before the key was found good: 401 at once, and nothing is asked for', async () => {
    for (const [key, code] of [[[], 'key_missing'], [['Authorization: Bearer x'], 'key_malformed'],
                               [[`Authorization: Bearer ck_nobody_${'x'.repeat(43)}`], 'key_invalid']]) {
      for (const more of [[], ['Expect: 100-continue'], [`Idempotency-Key: ${newKey()}`]]) {
        const answer = await ask(announced(1000, ...key, ...more));
        expectProblem({ ...answer, what: code }, 401, code);
        assert.equal(answer.headers['www-authenticate'], 'Bearer');
      }
    }
  });

  test('and then it is: 100, and the answer', async () => {
    const body = JSON.stringify(invoice(100));
    const wire = await Wire.connect(edge.url);
    wire.send(announced(body.length, authorization, 'Expect: 100-continue'));
    assert.equal((await wire.answer()).status, 100);
    assert.equal((await wire.send(body).answer()).status, 201);
    wire.close();
  });

  test('a body of the greatest length is taken, chunked or not, and one byte more is not', async () => {
    const padded = (length) => JSON.stringify(invoice(100)).padEnd(length, ' ');
    expectStatus(await edge.post('/v1/orders', padded(65_536)), 201);
    expectProblem(await edge.post('/v1/orders', padded(65_537)), 413, 'body_too_large');
    const chunked = (body) =>
      requestText('POST /v1/orders HTTP/1.1', ['Host: x', authorization, 'Content-Type: application/json', 'Transfer-Encoding: chunked'],
                  `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    assert.equal((await ask(chunked(padded(65_536)))).status, 201);
    expectProblem({ ...(await ask(chunked(padded(65_537)))), what: 'chunked' }, 413, 'body_too_large');
  });
});

test('a keyed request has one effect and one answer through the edge', async () => {
  const key = newKey();
  const answers = await Promise.all(Array.from({ length: 20 }, () => edge.post('/v1/orders', invoice(100), { key })));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
});

test('trace, conditions and versions pass in both directions', async () => {
  const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
  const made = await edge.post('/v1/orders', invoice(100), { headers: { traceparent } });
  assert.match(made.headers.traceparent, /^00-0123456789abcdef0123456789abcdef-/);
  assert.equal(made.headers.etag, '"1"');
  const stale = await edge.patch(`/v1/orders/${made.json.id}`, { status: 'sent' }, { headers: { 'if-match': '"9"' } });
  expectProblem(stale, 412, 'version_stale');
});

test('a service that is away is 503 with Retry-After, and its neighbours are served', async () => {
  const { id } = await edge.createOrder();
  const frozen = await stack.freeze('voucher-service');
  process.kill(frozen.pid, 'SIGKILL');
  const seen = await waitFor('a refusal', async () => {
    const answer = await edge.get('/v1/voucher_rules');
    return answer.status === 503 && answer;
  }, { every: 1 });
  checkProblem(seen);
  assert.equal(seen.headers['retry-after'], '1');
  assert.equal(seen.json.code, 'service_unavailable');
  expectStatus(await edge.get(`/v1/orders/${id}`), 200);
  await stack.ready('voucher-service');
  await waitFor('rules', async () => (await edge.get('/v1/voucher_rules')).status === 200);
});

test('an edge that is killed is back, with new workers at the same port', async () => {
  const before = await stack.pid('edge');
  process.kill(before, 'SIGKILL');
  await waitFor('another edge', async () => {
    const now = (await stack.processes()).find(({ name }) => name === 'edge');
    return now.ready && now.pid !== before;
  });
  expectStatus(await edge.get('/v1/orders'), 200);
});

test('the log has templates and outcomes, and no path, query, key or code', async () => {
  const secrets = { path: 'W1LD-C0DE-WH1C-H', query: `key=ck_demo_${'q'.repeat(43)}`, wrong: 'zqzq-nothing' };
  await edge.get(`/v1/vouchers/${secrets.path}?${secrets.query}`);
  await edge.get(`/${secrets.wrong}?${secrets.query}`);
  await ask(`GET /${secrets.wrong} bad\r\n\r\n`);
  const log = () => stack.must(['logs', 'edge']).then(({ stdout }) => stdout);
  await waitFor('both in the log', async () => /"route":"\/v1\/vouchers\/\{id\}","status":4\d\d/.test(await log()));
  const lines = (await log()).trim().split('\n');
  for (const line of lines) {
    assert.equal(JSON.parse(line).service, 'edge');
    for (const secret of [...Object.values(secrets), stack.env.CHECKOUT_API_KEY]) assert.ok(!line.includes(secret), line);
  }
  const lost = lines.map((line) => JSON.parse(line)).find(({ status }) => status === 503);
  assert.match(lost.upstream, /:\d+$/);
  assert.equal(lost.level, 'warning');
});

test('the edge listens on loopback only', async () => {
  const listening = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells[3] === '0A' && cells[1].endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`))
    .map((cells) => cells[1].split(':')[0]);
  assert.deepEqual(new Set(listening), new Set(['0100007F']));
});
