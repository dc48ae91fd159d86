/*
 * The simulated bank's program, and the bank that speaks SOAP.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';

import { Account, elementOf, sendSoap } from '../support/bank.js';
import { urlFor, withDatabase } from '../support/database.js';
import { runProgram } from '../support/program.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());

const account = new Account(stack);

test('every statement of the bank can be planned by its role, which changes no schema', async () => {
  const { stdout, stderr } = await runProgram(stack, 'bank-simulator', ['--statements']);
  const all = JSON.parse(stdout || `"${stderr}"`);
  /* The shared HTTP server can look keys up; the bank has no such keys. */
  const statements = all.filter(({ database }) => database !== 'access');
  assert.ok(statements.length >= 10);
  assert.equal(new Set(statements.map(({ name }) => name)).size, statements.length);
  const url = urlFor(stack, 'bank_service', 'bank');
  for (const { name, sql } of statements) {
    const count = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
    const nulls = count ? `(${Array(count).fill('NULL').join(', ')})` : '';
    await withDatabase(url, async (session) => {
      await session
        .rows(`PREPARE tested AS ${sql}`)
        .catch((error) => assert.fail(`${name}: ${error}`));
      await session.rows(`EXPLAIN EXECUTE tested${nulls}`);
    });
  }
  for (const sql of ['CREATE TABLE mine (id int)', 'DELETE FROM entries', 'TRUNCATE webhooks'])
    await withDatabase(url, (session) => assert.rejects(session.rows(sql), { code: '42501' }, sql));
});

test('a wrong setting is named, and every route but health is told of', async () => {
  for (const [changes, named] of [
    [{ PORT: 'eighty' }, /\bPORT\b/],
    [{ WEBHOOK_URL: 'nowhere' }, /\bWEBHOOK_URL\b/],
    [{ WEBHOOK_SECRET_FILE: undefined, WEBHOOK_SECRET: 'whsec_short' }, /\bWEBHOOK_SECRET\b/],
    [{ BANK_KEY_FILE: undefined }, /\bBANK_KEY\b/],
    [{ LOG_LEVEL: 'loud' }, /\bLOG_LEVEL\b/],
  ]) {
    const { code, stderr } = await runProgram(stack, 'bank-simulator', [], changes);
    assert.equal(code, 2, stderr);
    assert.match(stderr, named);
  }
  const { stdout } = await runProgram(stack, 'bank-simulator', ['--routes'], {});
  const open = /^\/(livez|readyz|metrics|\{bank\}\/(challenges\/|soap$))/;
  for (const { method, path } of JSON.parse(stdout).filter((route) => !open.test(route.path))) {
    const where = path.replace('{bank}', 'bank-a').replaceAll(/\{[a-z]+\}/g, randomUUID());
    expectProblem(await account.shop.as('nobody').request(method, where), 401, 'key_invalid');
  }
});

/* ---- SOAP ----------------------------------------------------------------------------------- */

const soapCard = { number: '4242424242424242', exp_month: 12, exp_year: 2034, cvc: '000' };

test('bank-c speaks SOAP as its WSDL says', async () => {
  const wsdl = await account.shop.as(undefined).get('/bank-c/soap?wsdl');
  const file = new URL('../../payment-service/bank-simulator/bank.wsdl', import.meta.url);
  assert.equal(expectStatus(wsdl, 200).text, readFileSync(file, 'utf8'));
  assert.match(wsdl.headers['content-type'], /^text\/xml/);

  const reference = randomUUID();
  const fields = {
    account: 'demo',
    reference,
    amount: 5000,
    currency: 'TND',
    capture: false,
    card: soapCard,
  };
  const first = expectStatus(await sendSoap(account, 'Authorize', fields), 200).text;
  assert.match(first, /<AuthorizeResponse xmlns="urn:checkout:bank:1"><record>/);
  assert.equal(elementOf(first, 'status'), 'approved');
  assert.equal(elementOf(first, 'captured'), 'false');
  assert.equal(expectStatus(await sendSoap(account, 'Authorize', fields), 200).text, first);

  const capture = {
    account: 'demo',
    reference: randomUUID(),
    authorization: reference,
    amount: 5000,
  };
  assert.equal(
    elementOf((await sendSoap(account, 'Capture', capture)).text, 'authorization'),
    reference,
  );
  const release = { account: 'demo', reference: randomUUID(), authorization: reference };
  assert.equal(
    elementOf((await sendSoap(account, 'Void', release)).text, 'code'),
    'already_captured',
  );
  const refund = { ...capture, reference: randomUUID(), amount: 1 };
  assert.equal(elementOf((await sendSoap(account, 'Refund', refund)).text, 'status'), 'approved');
  const looked = await sendSoap(account, 'LookUp', { account: 'demo', reference });
  assert.equal(elementOf(looked.text, 'captured'), 'true');
  const dead = { account: 'demo', reference: randomUUID() };
  assert.equal(
    elementOf((await sendSoap(account, 'VoidReference', dead)).text, 'operation'),
    'void_reference',
  );
  const transfer = { ...dead, amount: 1, currency: 'EUR' };
  const late = expectStatus(await sendSoap(account, 'AnnounceTransfer', transfer), 500);
  assert.equal(elementOf(late.text, 'code'), 'reference_voided');
});

const SOAP_FAULTS = [
  [
    'a wrong field',
    'validation_failed',
    'Capture',
    { account: 'demo', reference: 'x', authorization: randomUUID(), amount: '1.0' },
  ],
  [
    'a currency that no bank knows',
    'validation_failed',
    'AnnounceTransfer',
    { account: 'demo', reference: randomUUID(), amount: 1, currency: 'XXX' },
  ],
  [
    'an account that can not be',
    'account_not_found',
    'LookUp',
    { account: 'DEMO', reference: randomUUID() },
  ],
  [
    'an authorization that nobody knows',
    'authorization_not_found',
    'Void',
    { account: 'demo', reference: randomUUID(), authorization: randomUUID() },
  ],
  [
    'a reference that nobody knows',
    'not_found',
    'LookUp',
    { account: 'demo', reference: randomUUID() },
  ],
  ['a message that there is not', 'malformed', 'Steal', { account: 'demo' }],
];

for (const [what, code, message, fields] of SOAP_FAULTS) {
  test(`${what} is a client's fault in SOAP`, async () => {
    const answer = expectStatus(await sendSoap(account, message, fields), 500);
    assert.match(answer.headers['content-type'], /^text\/xml/);
    assert.equal(elementOf(answer.text, 'faultcode'), 'soap:Client');
    assert.equal(elementOf(answer.text, 'code'), code);
  });
}

test('the wrong key is a fault in SOAP too', async () => {
  const stranger = { shop: account.shop.as('nobody') };
  const answer = await sendSoap(stranger, 'LookUp', { account: 'demo', reference: randomUUID() });
  assert.equal(elementOf(expectStatus(answer, 500).text, 'code'), 'unauthenticated');
});

const lookUp = (account) =>
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><LookUp xmlns="urn:checkout:bank:1">' +
  `<account>${account}</account><reference>${randomUUID()}</reference></LookUp></s:Body></s:Envelope>`;

const HOSTILE = [
  ['an external entity', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${lookUp('&e;')}`],
  [
    'a parameter entity',
    `<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x">%p;]>${lookUp('demo')}`,
  ],
  [
    'entities that expand a million times',
    `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${'bcdefg'
      .split('')
      .map((name, i) => `<!ENTITY ${name} "${`&${'abcdef'[i]};`.repeat(10)}">`)
      .join('')}]>${lookUp('&g;')}`,
  ],
  ['an empty DOCTYPE', `<!DOCTYPE x>${lookUp('demo')}`],
  ['an unknown entity', lookUp('&nobody;')],
  ['XML that ends early', lookUp('demo').slice(0, -12)],
  ['no envelope', '<LookUp/>'],
];

for (const [what, raw] of HOSTILE) {
  test(`${what} is refused in SOAP`, async () => {
    const answer = expectStatus(await sendSoap(account, 'LookUp', {}, { raw }), 500);
    assert.equal(elementOf(answer.text, 'code'), 'malformed');
    assert.doesNotMatch(answer.text, /root:|aaaaaaaaaa/);
  });
}
