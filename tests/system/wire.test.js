/*
 * HTTP/1.1 on the wire: framing that two readers could read in two ways is refused, and what is slow,
 * cut or torn hurts nobody else.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { checkProblem } from '../support/problem.js';
import { expectStatus, invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitUntilEqual } from '../support/wait.js';
import { Wire, requestText } from '../support/wire.js';

const DEADLINE_MS = 3000;

const stack = await startStack({ REQUEST_TIMEOUT_MS: String(DEADLINE_MS) });
after(() => stack.stop());

const shop = stack.shop();
const orders = await openInspector(stack, 'orders');
after(() => orders.close());

const url = stack.env.ORDER_URL;
const auth = `Authorization: Bearer ${stack.env.CHECKOUT_API_KEY}`;
const host = 'Host: 127.0.0.1';
const json = 'Content-Type: application/json';
const standard = [host, auth, json];

const bodyFor = (reference) => JSON.stringify(invoice(1, { client_reference: reference }));
const countOf = async (reference) =>
  Number(
    await orders.value('SELECT count(*) FROM orders WHERE client_reference = $1', [reference]),
  );

const target = await shop.createOrder(invoice(1));
const paths = {
  POST: '/v1/orders',
  PATCH: `/v1/orders/${target.id}`,
  GET: '/v1/orders?limit=1',
};

/** Sends bytes on a connection of their own and reads one answer. */
async function ask(text, { shut = false } = {}) {
  const wire = await Wire.connect(url);
  try {
    wire.send(text);
    if (shut) wire.shut();
    return await wire.answer();
  } finally {
    wire.close();
  }
}

/** The answer is a problem with one of these statuses, and the connection is not used again. */
function expectRefusal(answer, statuses) {
  assert.ok(statuses.includes(answer.status), `${answer.what} ${answer.text}`);
  checkProblem(answer);
}

describe('framing', () => {
  /* What is wrong, the headers beyond the standard ones, and the statuses that say so. */
  const rows = [
    ['Content-Length with a plus sign', ['Content-Length: +5'], [400]],
    ['Content-Length in hexadecimal', ['Content-Length: 0x5'], [400]],
    ['Content-Length with a tail', ['Content-Length: 5abc'], [400]],
    ['a negative Content-Length', ['Content-Length: -1'], [400]],
    ['an empty Content-Length', ['Content-Length: '], [400]],
    ['a list as Content-Length', ['Content-Length: 5, 5'], [400]],
    ['Content-Length twice', ['Content-Length: 5', 'Content-Length: 5'], [400]],
    ['Content-Length twice, different', ['Content-Length: 5', 'Content-Length: 6'], [400]],
    ['Content-Length of 2^70', ['Content-Length: 1180591620717411303424'], [413]],
    ['Content-Length of 10 digits', ['Content-Length: 9999999999'], [413]],
    [
      'Transfer-Encoding with Content-Length',
      ['Transfer-Encoding: chunked', 'Content-Length: 5'],
      [400],
    ],
    ['an unknown Transfer-Encoding', ['Transfer-Encoding: gzip'], [501]],
    ['chunked and then something', ['Transfer-Encoding: chunked, gzip'], [400, 501]],
    [
      'Transfer-Encoding twice',
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      [400],
    ],
    ['chunked with a trick', ['Transfer-Encoding: \x0bchunked'], [400, 501]],
    ['chunked in quotes', ['Transfer-Encoding: "chunked"'], [400, 501]],
    ['a blank before the colon', ['Content-Length : 5'], [400]],
    ['a folded header', ['X-Folded: a', ' b'], [400]],
    ['a header without a name', [': value'], [400]],
    ['a header without a colon', ['Nonsense'], [400]],
    ['a NUL in a header', ['X-Nul: a\0b'], [400]],
    ['Idempotency-Key twice', ['Idempotency-Key: a', 'Idempotency-Key: b'], [400]],
    ['Authorization twice', [auth], [400]],
    ['Host twice', [host], [400]],
    ['Content-Type twice', [json], [400]],
    ['If-Match twice', ['If-Match: "1"', 'If-Match: "1"'], [400]],
    ['an unknown expectation', ['Expect: the-unexpected', 'Content-Length: 5'], [400, 417]],
    ['64 headers', Array.from({ length: 61 }, (_, i) => `X-${i}: y`), [431]],
    ['100 headers', Array.from({ length: 97 }, (_, i) => `X-${i}: y`), [431]],
    ['headers of 32 KiB', [`X-Long: ${'x'.repeat(32_768)}`], [400, 413, 431]],
  ];

  for (const method of ['POST', 'PATCH', 'GET']) {
    for (const [what, headers, statuses] of rows) {
      test(`${method} with ${what} is refused`, async () => {
        const before = await shop.all('/v1/orders', { limit: 100 });
        const first = `${method} ${paths[method]} HTTP/1.1`;
        const answer = await ask(requestText(first, [...standard, ...headers], '{"a":'));
        /* A body has no place in a GET, whatever its length. */
        expectRefusal(answer, method === 'GET' ? [400, ...statuses] : statuses);
        assert.equal(answer.headers.connection, 'close', 'nobody knows where the next one begins');
        assert.deepEqual(await shop.all('/v1/orders', { limit: 100 }), before);
      });
    }

    test(`${method} without a Host is refused, and with an impossible one`, async () => {
      const first = `${method} ${paths[method]} HTTP/1.1`;
      expectRefusal(await ask(requestText(first, [auth, json])), [400]);
      expectRefusal(await ask(requestText(first, [auth, json, 'Host: a b'])), [400]);
    });
  }

  const firstLines = [
    ['another protocol', 'GET /v1/orders HTTP/2.0', [400, 505]],
    ['no protocol', 'GET /v1/orders', [400, 505]],
    ['two blanks', 'GET  /v1/orders HTTP/1.1', [400]],
    ['a tab', 'GET\t/v1/orders HTTP/1.1', [400]],
    ['no method at all', '/v1/orders HTTP/1.1', [400, 501]],
    ['an invented method', 'BREW /v1/orders HTTP/1.1', [400, 405, 501]],
    ['a method in small letters', 'get /v1/orders HTTP/1.1', [400, 405, 501]],
    ['CONNECT', 'CONNECT example.com:80 HTTP/1.1', [400, 404, 405, 501]],
    ['TRACE', 'TRACE /v1/orders HTTP/1.1', [400, 405, 501]],
    ['a star', 'GET * HTTP/1.1', [400, 404]],
    ['a path without a slash', 'GET v1/orders HTTP/1.1', [400, 404]],
    ['an encoded NUL', 'GET /v1/orders/%00 HTTP/1.1', [400, 404]],
    ['an encoded slash', 'GET /v1%2forders HTTP/1.1', [400, 404]],
    ['a needlessly encoded letter', 'GET /v1/%6frders HTTP/1.1', [400, 404]],
    ['a broken escape', 'GET /v1/orders/%g1 HTTP/1.1', [400, 404]],
    ['two slashes', 'GET //v1/orders HTTP/1.1', [400, 404]],
    ['two slashes inside', 'GET /v1//orders HTTP/1.1', [400, 404]],
    ['a slash behind', 'GET /v1/orders/ HTTP/1.1', [400, 404]],
    ['a dot segment', 'GET /v1/./orders HTTP/1.1', [400, 404]],
    ['two dots', 'GET /v1/../v1/orders HTTP/1.1', [400, 404]],
    ['encoded dots', 'GET /v1/%2e%2e/v1/orders HTTP/1.1', [400, 404]],
    ['a longer name', 'GET /v1/ordersX HTTP/1.1', [404]],
    ['capitals', 'GET /v1/ORDERS HTTP/1.1', [404]],
    ['a backslash', 'GET /v1\\orders HTTP/1.1', [400, 404]],
    ['16 KiB of path', `GET /v1/orders/${'a'.repeat(16_384)} HTTP/1.1`, [400, 404, 413, 414, 431]],
  ];
  for (const [what, firstLine, statuses] of firstLines) {
    test(`a first line with ${what} is refused`, async () => {
      expectRefusal(await ask(requestText(firstLine, standard)), statuses);
    });
  }
});

describe('bodies', () => {
  test('a body in chunks is one body', async () => {
    const reference = newKey();
    const body = bodyFor(reference);
    const chunks = [body.slice(0, 1), body.slice(1, 50), body.slice(50)];
    const coded = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
    const headers = [...standard, 'Transfer-Encoding: chunked'];
    const answer = await ask(requestText('POST /v1/orders HTTP/1.1', headers, `${coded}0\r\n\r\n`));
    assert.equal(answer.status, 201, answer.text);
    assert.equal(await countOf(reference), 1);
  });

  const broken = [
    ['a chunk size that is no number', (body) => `zz\r\n${body}\r\n0\r\n\r\n`],
    ['a negative chunk size', (body) => `-5\r\n${body}\r\n0\r\n\r\n`],
    ['a chunk longer than announced', (body) => `5\r\n${body}\r\n0\r\n\r\n`],
    ['a chunk size of 2^64 and more', (body) => `1${'0'.repeat(16)}\r\n${body}\r\n0\r\n\r\n`],
  ];
  for (const [what, code] of broken) {
    test(`${what} is refused, without effect`, async () => {
      const reference = newKey();
      const headers = [...standard, 'Transfer-Encoding: chunked'];
      const text = requestText('POST /v1/orders HTTP/1.1', headers, code(bodyFor(reference)));
      expectRefusal(await ask(text, { shut: true }), [400, 413]);
      assert.equal(await countOf(reference), 0);
    });
  }

  test('chunks that add up to more than 64 KiB are refused', async () => {
    const chunk = `1000\r\n${' '.repeat(4096)}\r\n`;
    const headers = [...standard, 'Transfer-Encoding: chunked'];
    const text = requestText('POST /v1/orders HTTP/1.1', headers, chunk.repeat(17));
    expectRefusal(await ask(text), [413]);
  });

  for (const [what, headers, cut] of [
    [
      'shorter than its Content-Length',
      (body) => [`Content-Length: ${body.length + 10}`],
      (body) => body,
    ],
    [
      'cut in the last chunk',
      () => ['Transfer-Encoding: chunked'],
      (body) => `${body.length.toString(16)}\r\n${body}\r\n`,
    ],
  ]) {
    test(`a body that is ${what}, then closed, has no effect`, async () => {
      const reference = newKey();
      const body = bodyFor(reference);
      const text = requestText(
        'POST /v1/orders HTTP/1.1',
        [...standard, ...headers(body)],
        cut(body),
      );
      expectRefusal(await ask(text, { shut: true }), [400]);
      assert.equal(await countOf(reference), 0);
    });
  }

  test('a request without a body where one belongs is malformed', async () => {
    expectRefusal(await ask(requestText('POST /v1/orders HTTP/1.1', standard)), [400, 411]);
    const none = [...standard, 'Content-Length: 0'];
    expectRefusal(await ask(requestText('POST /v1/orders HTTP/1.1', none)), [400]);
  });

  test('Expect: 100-continue is answered before the body, or refused at once', async () => {
    const reference = newKey();
    const body = bodyFor(reference);
    const first = 'POST /v1/orders HTTP/1.1';
    const expecting = (...headers) =>
      requestText(first, [host, json, 'Expect: 100-continue', ...headers]);
    const wire = await Wire.connect(url);
    wire.send(expecting(auth, `Content-Length: ${body.length}`));
    assert.equal((await wire.answer()).status, 100);
    wire.send(body);
    assert.equal((await wire.answer()).status, 201);
    wire.close();
    expectRefusal(await ask(expecting(`Content-Length: ${body.length}`)), [401]);
    expectRefusal(await ask(expecting(auth, 'Content-Length: 65537')), [413]);
  });

  test('early refusals close the connection instead of reading on', async () => {
    const length = 'Content-Length: 60000000';
    for (const headers of [
      [host, json, length],
      [...standard, length],
    ]) {
      const wire = await Wire.connect(url);
      wire.send(requestText('POST /v1/orders HTTP/1.1', headers, 'x'.repeat(1000)));
      expectRefusal(await wire.answer(), [401, 413]);
      await wire.closed();
      wire.close();
    }
  });
});

describe('connections', () => {
  test('requests sent in one go are answered in their order', async () => {
    const references = Array.from({ length: 5 }, () => newKey());
    const texts = references.map((reference) => {
      const body = bodyFor(reference);
      const headers = [...standard, `Content-Length: ${body.length}`];
      return requestText('POST /v1/orders HTTP/1.1', headers, body);
    });
    const wire = await Wire.connect(url);
    wire.send(texts.join(''));
    for (const reference of references) {
      const answer = await wire.answer();
      assert.equal(answer.status, 201, answer.text);
      assert.equal(answer.json.client_reference, reference);
    }
    wire.close();
  });

  test('HEAD has the headers of GET and no body, also in front of another request', async () => {
    const wire = await Wire.connect(url);
    wire.send(
      requestText(`HEAD /v1/orders/${target.id} HTTP/1.1`, standard),
      requestText(`GET /v1/orders/${target.id} HTTP/1.1`, standard),
    );
    const head = await wire.answer({ head: true });
    const get = await wire.answer();
    assert.deepEqual([head.status, get.status], [200, 200]);
    assert.equal(head.headers['content-length'], get.headers['content-length']);
    assert.equal(get.json.id, target.id);
    wire.close();
  });

  test('a client that has shut its side still gets its answer', async () => {
    const reference = newKey();
    const body = bodyFor(reference);
    const headers = [...standard, `Content-Length: ${body.length}`];
    const text = requestText('POST /v1/orders HTTP/1.1', headers, body);
    const answer = await ask(text, { shut: true });
    assert.equal(answer.status, 201, answer.text);
    assert.equal(await countOf(reference), 1);
  });

  test('a connection reset in the middle of a body has no effect and hurts nobody', async () => {
    const reference = newKey();
    const body = bodyFor(reference);
    for (let i = 0; i < 20; i++) {
      const wire = await Wire.connect(url);
      const headers = [...standard, `Content-Length: ${body.length}`];
      wire.send(requestText('POST /v1/orders HTTP/1.1', headers, body.slice(0, 30 + i)));
      wire.reset();
    }
    expectStatus(await shop.get('/v1/orders'), 200);
    assert.equal(await countOf(reference), 0);
  });

  test('a connection reset right behind a request leaves one order or none, whole', async () => {
    const references = Array.from({ length: 20 }, () => newKey());
    for (const reference of references) {
      const body = bodyFor(reference);
      const wire = await Wire.connect(url);
      const headers = [
        ...standard,
        `Content-Length: ${body.length}`,
        `Idempotency-Key: ${reference}`,
      ];
      wire.send(requestText('POST /v1/orders HTTP/1.1', headers, body));
      wire.reset();
    }
    for (const reference of references) {
      const answer = await shop.post('/v1/orders', bodyFor(reference), { key: reference });
      expectStatus(answer, 201);
      await waitUntilEqual('orders of one key', () => countOf(reference), 1);
    }
  });

  test('HTTP/1.0 is answered and closed', async () => {
    const wire = await Wire.connect(url);
    wire.send(requestText('GET /livez HTTP/1.0', []));
    assert.equal((await wire.answer()).status, 200);
    await wire.closed();
    wire.close();
  });

  test('a body that drips is cut off at the deadline, and others are served meanwhile', async () => {
    const wires = await Promise.all(Array.from({ length: 20 }, () => Wire.connect(url)));
    const from = performance.now();
    const headers = [...standard, 'Content-Length: 1000'];
    for (const wire of wires) wire.send(requestText('POST /v1/orders HTTP/1.1', headers, '{'));
    const drip = setInterval(() => wires.forEach((wire) => wire.ended || wire.send(' ')), 200);
    try {
      expectStatus(await shop.post('/v1/orders', invoice(1)), 201);
      for (const wire of wires) await wire.closed();
    } finally {
      clearInterval(drip);
      for (const wire of wires) wire.close();
    }
    const took = performance.now() - from;
    assert.ok(took < DEADLINE_MS + 3000, `the last was cut off after ${took} ms`);
    assert.ok(took > DEADLINE_MS - 1000, `cut off after ${took} ms already`);
  });

  test('headers that drip are cut off too', async () => {
    const wire = await Wire.connect(url);
    wire.send('GET /v1/orders HTTP/1.1\r\n');
    let number = 0;
    const drip = setInterval(() => wire.ended || wire.send(`X-${number++}: y\r\n`), 200);
    try {
      await wire.closed();
    } finally {
      clearInterval(drip);
      wire.close();
    }
  });

  test('cross-origin requests get no permission unless origins are set', async () => {
    const headers = [host, 'Origin: https://evil.example', 'Access-Control-Request-Method: POST'];
    const answer = await ask(requestText('OPTIONS /v1/orders HTTP/1.1', headers));
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    assert.equal(answer.headers['access-control-allow-methods'], undefined);
    assert.ok([401, 404, 405, 204, 403].includes(answer.status), answer.what);
  });
});
