/*
 * Bodies and connections as tests, at one door: what is announced and does not come, what is
 * refused before it is read, what is sent in one go, shut, or torn.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { expectStatus, newKey } from './shop.js';
import { SLOWDOWN } from './slowdown.js';
import { waitUntilEqual } from './wait.js';
import { requestText } from './wire.js';

const POST = 'POST /v1/orders HTTP/1.1';
const TEN_MB = 'Content-Length: 10000000';

/* Far less than a service's deadline for a request, which is what waiting for a body would take. */
const AT_ONCE_MS = 2000 * SLOWDOWN;

export function testBodies(door) {
  const { host, json, auth, standard } = door;
  const wrongKey = 'Authorization: Bearer ck_nobody_0000000000000000000000000000000000000000';

  describe('bodies', () => {
    const cut = [
      ['shorter than its Content-Length', (body) => door.order(`${body}          `).slice(0, -10)],
      ['not there at all', (body) => door.order(body).slice(0, -body.length)],
      ['half there', (body) => door.order(body).slice(0, -body.length / 2)],
    ];
    for (const [what, text] of cut) {
      test(`a body that is ${what}, then closed, has no effect`, async () => {
        const { reference, body } = door.newBody();
        await door.expectCut(text(body));
        assert.equal(await door.countOf(reference), 0);
      });
    }

    test('a request without a body where one belongs is malformed', async () => {
      for (const headers of [[], ['Content-Length: 0']]) {
        const answer = await door.ask(requestText(POST, [...standard, ...headers]));
        door.expectProblem(answer, { direct: '400 body_empty', edge: [400, 411] });
      }
    });

    test('Expect: 100-continue is answered before the body', async () => {
      const { reference, body } = door.newBody();
      const wire = await door.connect();
      const length = `Content-Length: ${body.length}`;
      wire.send(requestText(POST, [...standard, 'Expect: 100-continue', length]));
      assert.equal((await wire.answer()).status, 100);
      wire.send(body);
      assert.equal((await wire.answer()).status, 201);
      assert.equal(await door.countOf(reference), 1);
      wire.close();
    });

    test('chunks that add up to more than 64 KiB are refused', async () => {
      const chunk = `1000\r\n${' '.repeat(4096)}\r\n`;
      const headers = [...standard, 'Transfer-Encoding: chunked'];
      const answer = await door.ask(requestText(POST, headers, chunk.repeat(17)));
      door.expectProblem(answer, { direct: '413 body_too_large', edge: [413] });
    });
  });

  describe('refusals that read no body', () => {
    const refusals = [
      ['10 MB', [host, auth, json, TEN_MB], '413 body_too_large'],
      ['10 MB without a key', [host, json, TEN_MB], '401 key_missing'],
      ['10 MB with a wrong key', [host, json, wrongKey, TEN_MB], '401 key_invalid'],
      ['one byte too many', [host, auth, json, 'Content-Length: 65537'], '413 body_too_large'],
      [
        'chunks without a key',
        [host, json, 'Transfer-Encoding: chunked'],
        '401 key_missing',
        'fffff\r\n',
      ],
    ];
    for (const [what, headers, direct, begun = ''] of refusals) {
      for (const [how, extra, sent] of [
        ['nothing of it', [], begun],
        ['a little of it', [], `${begun}${' '.repeat(1000)}`],
        ['Expect: 100-continue', ['Expect: 100-continue'], ''],
      ]) {
        test(`${what} announced, with ${how}, is refused at once and closed`, async () => {
          const from = performance.now();
          const wire = await door.connect();
          try {
            wire.send(requestText(POST, [...headers, ...extra], sent));
            let answer = await wire.answer();
            /* nginx asks for chunks that nobody will read */
            if (door.edge && begun && answer.status === 100) answer = await wire.answer();
            const took = performance.now() - from;
            door.expectProblem(answer, { direct, edge: [401, 413] });
            assert.ok(took < AT_ONCE_MS, `it took ${took} ms`);
            if (door.edge && begun) return; /* and it throws away what comes of them */
            assert.equal(answer.headers.connection, 'close');
            assert.equal((await wire.closed()).length, 0, 'and nothing more');
          } finally {
            wire.close();
          }
        });
      }
    }

    test('300 clients that announce 10 MB and then hold still hold no thread', async () => {
      /* Each speaks at once: who is silent while all threads are taken may be sent away. */
      const announce = async () => (await door.connect()).send(requestText(POST, [host, json, TEN_MB], 'x'));
      const wires = await Promise.all(Array.from({ length: 300 }, announce));
      try {
        for (const wire of wires) assert.ok([401, 413].includes((await wire.answer()).status));
        const from = performance.now();
        const answer = await door.ask(door.order(door.newBody().body));
        assert.equal(answer.status, 201, answer.text);
        const took = performance.now() - from;
        assert.ok(took < AT_ONCE_MS, `it took ${took} ms`);
      } finally {
        for (const wire of wires) wire.close();
      }
    });

    test('a head that is too long is refused as such', async () => {
      const long = 'x'.repeat(32_768);
      for (const text of [
        requestText('GET /v1/orders HTTP/1.1', [...standard, `X-Long: ${long}`]),
        requestText('GET /v1/orders HTTP/1.1', [
          ...standard,
          ...Array.from({ length: 40 }, (_, i) => `X-${i}: ${'y'.repeat(800)}`),
        ]),
        requestText(`GET /v1/orders?cursor=${long} HTTP/1.1`, standard),
      ]) {
        const answer = await door.ask(text);
        door.expectProblem(answer, { direct: '431 headers_too_large', edge: [400, 414, 431] });
        door.expectClosing(answer);
      }
    });
  });
}

export function testConnections(door, shop, target) {
  const { standard, host } = door;
  const get = (method = 'GET') => requestText(`${method} /v1/orders/${target} HTTP/1.1`, standard);

  describe('connections', () => {
    test('requests sent in one go are answered in their order', async () => {
      const orders = Array.from({ length: 5 }, () => door.newBody());
      const wire = await door.connect();
      wire.send(orders.map(({ body }) => door.order(body)).join(''));
      for (const { reference } of orders) {
        const answer = await wire.answer();
        assert.equal(answer.status, 201, answer.text);
        assert.equal(answer.json.client_reference, reference);
      }
      wire.close();
    });

    test('a request that is refused in the middle of others ends them, and no other', async () => {
      const [good, refused, behind] = [door.newBody(), door.newBody(), door.newBody()];
      const wire = await door.connect();
      const bad = door.order(refused.body, 'Content-Length: 5');
      wire.send(door.order(good.body), bad, door.order(behind.body));
      assert.equal((await wire.answer()).status, 201);
      door.expectProblem(await wire.answer(), { direct: '400 header_repeated' });
      assert.equal((await wire.closed()).length, 0);
      wire.close();
      const counts = [good, refused, behind].map(({ reference }) => door.countOf(reference));
      assert.deepEqual(await Promise.all(counts), [1, 0, 0]);
    });

    test('HEAD has the headers of GET and no body, also in front of another request', async () => {
      const wire = await door.connect();
      wire.send(get('HEAD'), get());
      const head = await wire.answer({ head: true });
      const body = await wire.answer();
      assert.deepEqual([head.status, body.status], [200, 200]);
      assert.equal(head.headers['content-length'], body.headers['content-length']);
      assert.equal(body.json.id, target);
      wire.close();
    });

    test('a client that has shut its side still gets its answer', async () => {
      const { reference, body } = door.newBody();
      const answer = await door.ask(door.order(body), { shut: true });
      assert.equal(answer.status, 201, answer.text);
      assert.equal(await door.countOf(reference), 1);
    });

    test('a request that comes byte by byte is served', async () => {
      const { reference, body } = door.newBody();
      const wire = await door.connect();
      for (const byte of door.order(body)) {
        wire.send(byte);
        await new Promise(setImmediate);
      }
      assert.equal((await wire.answer()).status, 201);
      assert.equal(await door.countOf(reference), 1);
      wire.close();
    });

    test('a connection reset in the middle of a body has no effect and hurts nobody', async () => {
      const { reference, body } = door.newBody();
      for (let i = 0; i < 20; i++) {
        const wire = await door.connect();
        wire.send(door.order(body).slice(0, -body.length + 30 + i));
        wire.reset();
      }
      expectStatus(await shop.get('/v1/orders'), 200);
      assert.equal(await door.countOf(reference), 0);
    });

    test('a connection reset right behind a request leaves one order or none, whole', async () => {
      const orders = Array.from({ length: 20 }, () => door.newBody());
      for (const { reference, body } of orders) {
        const wire = await door.connect();
        wire.send(door.order(body, `Idempotency-Key: ${reference}`));
        wire.reset();
      }
      for (const { reference, body } of orders) {
        expectStatus(await shop.post('/v1/orders', body, { key: reference }), 201);
        await waitUntilEqual('orders of one key', () => door.countOf(reference), 1);
      }
    });

    test('HTTP/1.0 is answered and closed', async () => {
      const wire = await door.connect();
      wire.send(requestText(`GET /v1/orders/${target} HTTP/1.0`, standard));
      assert.equal((await wire.answer()).status, 200);
      await wire.closed();
      wire.close();
    });

    test('one empty line in front of a request is passed over', async () => {
      const answer = await door.ask(`\r\n${get()}`);
      assert.equal(answer.status, 200, answer.text);
    });

    test('empty lines in front of a request do not serve it twice', async () => {
      for (const lines of [2, 3, 8, 9, 20]) {
        const { reference, body } = door.newBody(newKey());
        const wire = await door.connect();
        wire.send(`${'\r\n'.repeat(lines)}${door.order(body)}`);
        const answer = await wire.answer();
        const refused = { direct: '400 request_line_malformed' };
        if (answer.status !== 201) door.expectProblem(answer, refused);
        assert.equal((await wire.shut().closed()).length, 0, 'a second answer');
        wire.close();
        assert.equal(await door.countOf(reference), answer.status === 201 ? 1 : 0);
      }
    });

    test('cross-origin requests get no permission unless origins are set', async () => {
      const headers = [host, 'Origin: https://evil.example', 'Access-Control-Request-Method: POST'];
      const answer = await door.ask(requestText('OPTIONS /v1/orders HTTP/1.1', headers));
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
      assert.equal(answer.headers['access-control-allow-methods'], undefined);
      door.expectProblem(answer, { direct: '405 method_not_allowed', edge: [401, 405] });
    });
  });
}
