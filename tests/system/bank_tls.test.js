/*
 * HTTPS to a bank: one that can not prove who it is is told nothing, not even whose card it would be.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

import { makeAuthority, makeSigned } from '../support/certificates.js';
import { startStack } from '../support/stack.js';
import { byCard, changeGateways, openTill } from '../support/till.js';
import { expectStatus } from '../support/shop.js';

const stack = await startStack();
after(() => stack.stop());
const till = await openTill(stack);
after(() => till.close());

/* A bank with a certificate that is right but for one thing: nobody here believes its authority. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'checkout-certificates-'));
after(() => rmSync(folder, { recursive: true, force: true }));
makeAuthority(folder, 'strangers');
const { certificate, key } = makeSigned(folder, 'strangers', 'bank', 'localhost');
const said = { requests: 0, refusals: [] };
const bank = https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
  said.requests++;
  response.end('{}');
});
bank.on('tlsClientError', (error) => said.refusals.push(error.code));
bank.listen(0, '127.0.0.1');
await once(bank, 'listening');
after(() => bank.close());

test('a bank whose certificate is signed by a stranger gets no request, and the next one is asked', async () => {
  await changeGateways(stack, (gateway) => {
    if (gateway.name === 'bank-a') gateway.origins = `https://localhost:${bank.address().port}`;
  });
  const payment = expectStatus(await till.pay({ amount: 4711, currency: 'EUR' }, byCard()), 201).json;
  assert.equal(payment.status, 'succeeded');
  assert.equal(payment.gateway, 'bank-b');
  const [first, second] = await till.attempts(payment);
  assert.deepEqual([first.gateway, first.status], ['bank-a', 'error']);
  assert.deepEqual([second.gateway, second.status], ['bank-b', 'approved']);
  assert.equal(said.requests, 0);
  assert.ok(said.refusals.includes('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), `${said.refusals}`);
});
