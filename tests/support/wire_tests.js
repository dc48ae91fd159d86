/*
 * The rows of wire_rows.js as tests, at one door.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { newKey } from './shop.js';
import { requestText } from './wire.js';
import { chunkRows, firstLineRows, headWith, headerRows, smugglingRows } from './wire_rows.js';

/** Methods that have no body here: a path may know them or not, and the answer say so first. */
const BODILESS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'];

/** `target` is the id of an order. */
export function testRows(door, target) {
  const paths = { PATCH: `/v1/orders/${target}`, POST: '/v1/orders' };

  describe('headers', () => {
    for (const row of headerRows) {
      test(`${row.label} is refused, whatever the method`, async () => {
        const before = await door.state();
        for (const method of ['POST', 'PATCH', ...BODILESS]) {
          const first = `${method} ${paths[method] ?? '/v1/orders'} HTTP/1.1`;
          const { body } = door.newBody();
          const text = requestText(first, [...door.standard, ...row.headers], body);
          const answer = await door.ask(text, { head: method === 'HEAD' });
          door.expectProblem(answer, row, BODILESS.includes(method) ? [400, 405] : []);
          door.expectClosing(answer);
        }
        assert.equal(await door.state(), before);
      });
    }

    test('a Host that is missing or impossible is refused, whatever the method', async () => {
      for (const method of ['POST', 'PATCH', ...BODILESS]) {
        const first = `${method} ${paths[method] ?? '/v1/orders'} HTTP/1.1`;
        const head = { head: method === 'HEAD' };
        const none = await door.ask(requestText(first, [door.auth]), head);
        door.expectProblem(none, { direct: '400 host_missing' });
        const odd = await door.ask(requestText(first, [door.auth, 'Host: a b']), head);
        door.expectProblem(odd, { direct: '400 host_malformed' });
      }
    });
  });

  describe('first lines', () => {
    for (const row of firstLineRows) {
      const outcome = door.edge && row.edge?.includes(200) ? 'is understood' : 'is refused';
      test(`a first line with ${row.label} ${outcome}`, async () => {
        const text = requestText(row.line, door.standard);
        if (door.edge && row.bare) await door.expectBareProblem(text);
        else door.expectProblem(await door.ask(text), row);
      });
    }
  });

  describe('chunks', () => {
    for (const row of chunkRows) {
      const outcome = row.served ? 'is one order' : 'is refused, without effect';
      test(`a body in chunks, ${row.label}, ${outcome}`, async () => {
        const { reference, body } = door.newBody();
        const headers = [...door.standard, 'Transfer-Encoding: chunked'];
        const text = requestText('POST /v1/orders HTTP/1.1', headers, row.code(body));
        if (row.cut && door.edge) {
          await door.expectCut(text);
          assert.equal(await door.countOf(reference), 0);
          return;
        }
        const answer = await door.ask(text, { shut: true });
        const served = row.served || (door.edge && answer.status === 201);
        if (served) assert.ok((row.edge ?? [201]).includes(answer.status), answer.text);
        else door.expectProblem(answer, row);
        assert.equal(await door.countOf(reference), served ? 1 : 0);
      });
    }
  });

  describe('hidden requests', () => {
    for (const row of smugglingRows) {
      if (door.edge && row.plain) continue;
      test(`a request that hides ${row.label} is not served`, async () => {
        const reference = newKey();
        const hidden = door.order(door.newBody(reference).body);
        const wire = await door.connect();
        try {
          wire.send(row.text({ hidden, head: headWith(door.standard) }));
          const answer = await wire.answer({ head: row.label.endsWith('HEAD') });
          const refused = (answer.status >= 400 && answer.status < 500) || answer.status === 501;
          assert.ok(refused, `${answer.what} ${answer.text}`);
          const rest = await wire.shut().closed();
          assert.equal(rest.toString('latin1'), '', 'a second answer');
        } finally {
          wire.close();
        }
        assert.equal(await door.countOf(reference), 0);
      });
    }
  });
}
