/*
 * What comes in under a bank's name: nothing that is forged, old, malformed or about something else
 * changes anything, and each is told why. What is genuine takes effect once, however often it comes.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import fc from 'fast-check';

import { expectCleanAudit } from '../support/audit.js';
import { openInspector } from '../support/database.js';
import { badBodies } from '../support/naughty.js';
import { Postman, envelope, newSecret, notice, record } from '../support/postman.js';
import { runSeed } from '../support/random.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, byTransfer, openTill, changeGateways } from '../support/till.js';
import { waitFor } from '../support/wait.js';

/* What is promised, in seconds. */
const TOLERANCE_S = 300;

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
const bank = await openInspector(stack, 'bank');
after(() => Promise.all([till.close(), bank.close()]));

/* Each bank with secrets of its own, bank-a in the middle of a rotation. */
const postman = new Postman(stack);
const secrets = { old: newSecret(), 'bank-b': newSecret(), 'bank-c': newSecret() };
const secretFile = (name) => path.join(stack.directory, `${name}-secret`);
for (const [name, secret] of Object.entries(secrets)) {
  writeFileSync(secretFile(name), secret, { mode: 0o644 });
}
await changeGateways(stack, (gateway) => {
  const more = gateway.name === 'bank-a' ? 'old' : gateway.name;
  gateway.webhook_secret_files.push(secretFile(more));
  if (gateway.name === 'bank-b') gateway.webhook_secret_files.shift();
});

/** A payment that waits for its customer, and what the bank calls it. */
async function waiting(currency) {
  const answer = await till.pay({ amount: 4711, currency }, byCard('4000002760003184'));
  const payment = expectStatus(answer, 201).json;
  assert.equal(payment.status, 'requires_action');
  const [{ id }] = await till.attempts(payment);
  return { payment, reference: id, currency };
}

const json = await waiting('EUR');
const soap = await waiting('TND');
assert.deepEqual([json.payment.gateway, soap.payment.gateway], ['bank-a', 'bank-c']);

/** What would take effect if it were taken. */
const approval = (overrides, members) => notice(record(json.reference, overrides), members);
const good = (overrides, members) => JSON.stringify(approval(overrides, members));
const goodSoap = (overrides, members, options) =>
  envelope(notice(record(soap.reference, { currency: 'TND', ...overrides }), members), options);

/** All that a webhook could change. */
const state = async () =>
  JSON.stringify(
    await till.database.rows(
      `SELECT (SELECT count(*) FROM events) AS events, (SELECT sum(version + revision) FROM payments) AS versions,
              (SELECT sum(version) FROM refunds) AS refunds, (SELECT count(*) FROM attempts) AS attempts,
              (SELECT string_agg(status, ',' ORDER BY id) FROM attempts) AS statuses`,
    ),
  );

/* The bank itself has told what it has to tell before anything is counted. */
await waitFor('the bank to have posted everything', async (seen) => {
  const due = await bank.rows('SELECT type, answer FROM webhooks WHERE due_at IS NOT NULL');
  seen(due);
  return due.length === 0;
});

async function changingNothing(work) {
  const before = await state();
  const answer = await work();
  assert.ok(answer.status < 500, `${answer.status}: never a 5xx because of a bank`);
  assert.equal(await state(), before, 'something was changed');
  return answer;
}

/** A row: name, how it is sent, the answer's status, code and pointers. */
function refuses(name, send, status, code, pointers) {
  test(`${name}: ${status} ${code ?? ''}`, async () => {
    const answer = await changingNothing(send);
    expectProblem(answer, status, code, pointers);
    assert.ok(!answer.text.includes(json.reference) && !answer.text.includes(soap.reference));
  });
}

describe('signatures', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const missing = 'webhook_signature_missing';
  const invalid = 'webhook_signature_invalid';
  const late = 'webhook_too_old';
  const sent = (options, body = good()) => () => postman.post(body, options);
  const unsigned = (name, value) => sent({ headers: { [name]: value } });

  const rows = [
    ['one signed with a secret of nobody', sent({ secret: newSecret() }), invalid],
    ["one signed with another bank's secret", sent({ secret: secrets['bank-b'] }), invalid],
    ['a body that was changed after it was signed', sent({ signed: good({ amount: 1 }) }), invalid],
    ['a body with a blank more than was signed', sent({ signed: good() }, `${good()} `), invalid],
    ['another id than was signed', unsigned('webhook-id', randomUUID()), invalid],
    ['another time than was signed', unsigned('webhook-timestamp', String(now() - 1)), invalid],
    ['no id', unsigned('webhook-id', undefined), missing],
    ['no time', unsigned('webhook-timestamp', undefined), missing],
    ['no signature', unsigned('webhook-signature', undefined), missing],
    ['an empty signature', unsigned('webhook-signature', ''), missing],
    ['a time that is none', unsigned('webhook-timestamp', 'now'), missing],
    ['a time in milliseconds', unsigned('webhook-timestamp', String(Date.now())), late],
    ['a negative time', sent({ timestamp: -1 }), late],
    ['a time beyond every range', unsigned('webhook-timestamp', '9'.repeat(40)), missing],
    ['a signature of another version', unsigned('webhook-signature', 'v2,AAAA'), invalid],
    ['a signature that is none', unsigned('webhook-signature', 'v1,'), invalid],
    ['a very long signature', unsigned('webhook-signature', 'v1,x '.repeat(1500)), invalid],
    ['one that is too old', () => postman.post(good(), { timestamp: now() - TOLERANCE_S - 2 }), late],
    ['one of the future', () => postman.post(good(), { timestamp: now() + TOLERANCE_S + 3 }), late],
    ['SOAP signed with a secret of nobody', sent({ gateway: 'bank-c', secret: newSecret() }, goodSoap()), invalid],
  ];
  for (const [name, send, code] of rows) refuses(name, send, 401, code);

  test('the old and the new secret are both good while they are changed, and one of several signatures is enough', async () => {
    const other = good({}, { type: 'account.reviewed' });
    for (const secret of [postman.secret, secrets.old]) {
      expectStatus(await changingNothing(() => postman.post(other, { secret })), 204);
    }
    const almost = { timestamp: now() - TOLERANCE_S + 20 };
    expectStatus(await changingNothing(() => postman.post(other, almost)), 204);
  });

  test('the bank itself, told to forge one, is refused', async () => {
    const ordered = await changingNothing(() =>
      till.bank.post('/control/webhooks', {
        bank: 'bank-a',
        account: 'demo',
        type: 'authorization.approved',
        operation: record(json.reference),
        forged: true,
        repeat: 2,
      }),
    );
    assert.deepEqual(expectStatus(ordered, 200).json.answers, [401, 401]);
  });
});

describe('addresses', () => {
  const to = (options, body = good()) => () => postman.post(body, options);
  const nobody = randomUUID();

  refuses('a gateway that there is none', to({ gateway: 'bank-z' }), 404, 'gateway_not_found');
  refuses('a gateway with SQL in its name', to({ gateway: "'%3B--" }), 404);
  refuses('a reference that nobody knows', to({}, JSON.stringify(notice(record(nobody)))), 404, 'attempt_not_found');
  refuses(
    "another bank's reference, signed by this bank",
    to({ gateway: 'bank-b', secret: secrets['bank-b'] }),
    404,
    'attempt_not_found',
  );
  refuses(
    "another merchant's reference",
    to({ merchant: 'stranger' }, good({}, { account: 'stranger' })),
    404,
    'attempt_not_found',
  );
  refuses('another account than the path says', to({}, good({}, { account: 'stranger' })), 422, undefined, ['/account']);
  refuses(
    'another account than the path says, in SOAP',
    to({ gateway: 'bank-c' }, goodSoap({}, { account: 'stranger' })),
    422,
    undefined,
    ['/Notification/account'],
  );
  test('other methods are not there', async () => {
    const answer = await postman.shop.get('/v1/provider_webhooks/bank-a/demo');
    expectProblem(answer, 405);
  });
});

describe('contents', () => {
  const named = (overrides, members) => () => postman.post(good(overrides, members));
  const rows = [
    ['another amount', { amount: 4712 }, {}, ['/operation/amount']],
    ['an amount of 0', { amount: 0 }, {}, ['/operation/amount']],
    ['an amount that is a text', { amount: '4711' }, {}, ['/operation/amount']],
    ['another currency', { currency: 'USD' }, {}, ['/operation/amount']],
    ['an unknown currency', { currency: 'XXX' }, {}, ['/operation/currency']],
    ['no amount', { amount: null }, {}, ['/operation/amount']],
    ['an unknown status', { status: 'paid' }, {}, ['/operation/status']],
    ['no reference', { reference: null }, {}, ['/operation/reference']],
    ['a reference that is no UUID', { reference: 'x' }, {}, ['/operation/reference']],
    ['an operation that the type does not speak of', { operation: 'refund', authorization: randomUUID() }, {}, ['/operation/operation']],
    ['another operation under the reference', { operation: 'void', authorization: randomUUID() }, { type: 'void.approved' }, ['/operation/operation']],
    ['a page that is no address', { status: 'pending', action_url: 'javascript:alert(1)' }, {}, ['/operation/action_url']],
    ['a type that is a number', {}, { type: 1 }, ['/type']],
    ['no type', {}, { type: undefined }, ['/type']],
    ['no account', {}, { account: undefined }, ['/account']],
    ['no id', {}, { id: undefined }, ['/id']],
    ['no record', {}, { operation: undefined }, ['/operation']],
    ['a record that is a list', {}, { operation: [] }, ['/operation']],
    ['nothing right', { status: 1, amount: -1, reference: 5 }, { account: 7 }, undefined],
  ];
  for (const [name, overrides, members, pointers] of rows) {
    refuses(name, named(overrides, members), 422, 'validation_failed', pointers);
  }

  for (const [name, body, statuses = [400]] of badBodies) {
    test(`a genuine body that is ${name} is refused`, async () => {
      const answer = await changingNothing(() => postman.post(body));
      assert.ok([...statuses, 422].includes(answer.status), `${answer.status} ${answer.text}`);
      expectProblem(answer, answer.status);
    });
  }

  for (const type of ['text/xml', 'text/plain', 'application/x-www-form-urlencoded', '']) {
    refuses(`the type "${type}" where JSON belongs`, () => postman.post(good(), { headers: { 'content-type': type } }), 415);
  }

  test('a type that is nothing to us is taken, and changes nothing', async () => {
    expectStatus(await changingNothing(() => postman.post(good({}, { type: 'payout.made' }))), 204);
  });

  test('whatever bytes are signed, nothing but a genuine outcome changes anything', async () => {
    const body = Buffer.from(good({}, { account: 'another' }));
    const mutation = fc.record({ at: fc.nat(body.length - 1), byte: fc.nat(255), cut: fc.nat(400) });
    const seed = runSeed();
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), async (mutations) => {
        const bytes = Buffer.from(body);
        for (const { at, byte } of mutations) bytes[at] = byte;
        const sent = bytes.subarray(0, bytes.length - (mutations[0]?.cut ?? 0));
        const answer = await changingNothing(() => postman.post(sent));
        assert.ok([204, 400, 404, 422].includes(answer.status), `${answer.status} ${answer.text}`);
      }),
      { seed, numRuns: 150, includeErrorInReport: true },
    );
  });
});

describe('SOAP', () => {
  const sent = (body) => () => postman.post(body, { gateway: 'bank-c' });
  const bomb =
    '<!DOCTYPE lolz [<!ENTITY a "lol">' +
    Array.from('bcdefghij', (name, i) => `<!ENTITY ${name} "${`&${'abcdefghi'[i]};`.repeat(10)}">`).join('') +
    ']>';
  const doctype = (text) => goodSoap({}, {}, { head: `<!DOCTYPE x ${text}>` });
  const file = doctype('[<!ENTITY secret SYSTEM "file:///etc/passwd">]').replace('<status>approved', '<status>&secret;');
  const soapless = goodSoap().replace('http://schemas.xmlsoap.org/soap/envelope/', 'urn:x');

  const rows = [
    ['an entity that grows without end', goodSoap({ status: '&j;' }, {}, { head: bomb }), 400, 'xml_doctype'],
    ['a file as an entity', file, 400, 'xml_doctype'],
    ['an address as an entity', doctype('[<!ENTITY x SYSTEM "http://127.0.0.1:1/">]'), 400, 'xml_doctype'],
    ['a parameter entity', doctype('[<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]'), 400, 'xml_doctype'],
    ['an external DTD', doctype('SYSTEM "file:///etc/passwd"'), 400, 'xml_doctype'],
    ['a DOCTYPE of nothing', doctype(''), 400, 'xml_doctype'],
    ['an entity that nobody declared', goodSoap({ status: '&approved;' }), 400, 'xml_malformed'],
    ['a text that is cut off', goodSoap().slice(0, -20), 400, 'xml_malformed'],
    ['no text', '', 400],
    ['JSON', good(), 400, 'xml_malformed'],
    ['UTF-16', Buffer.from(`\ufeff${goodSoap()}`, 'utf16le'), 400, 'xml_malformed'],
    ['Latin-1 that says so', goodSoap().replace('UTF-8', 'ISO-8859-1'), 400, 'xml_malformed'],
    ['a NUL', goodSoap().replace('approved', 'appr\0oved'), 400, 'xml_malformed'],
    ['10,000 levels', goodSoap({}, {}, { raw: '<a>'.repeat(5000) + '</a>'.repeat(5000) }), 400, 'xml_malformed'],
    ['5,000 elements', goodSoap({}, {}, { raw: '<a/>'.repeat(5000) }), 400, 'xml_malformed'],
    ['a processing instruction', goodSoap({}, {}, { head: '<?php echo 1 ?>' }), 400, 'soap_malformed'],
    ['another namespace of the envelope', soapless, 400, 'soap_malformed'],
    ['another message', goodSoap({}, {}, { message: 'Authorize' }), 400, 'soap_malformed'],
    ['another namespace of the bank', goodSoap().replace('urn:checkout:bank:1', 'urn:x'), 400, 'soap_malformed'],
    ['more than is allowed', goodSoap({}, { more: 'x'.repeat(70_000) }), 413],
    ['an unknown status', goodSoap({ status: 'paid' }), 422, undefined, ['/Notification/record/status']],
    ['an amount with an exponent', goodSoap({ amount: '4711e0' }), 422, undefined, ['/Notification/record/amount']],
    ['an amount beyond every range', goodSoap({ amount: '9223372036854775808' }), 422, undefined, ['/Notification/record/amount']],
    ['a status twice', goodSoap({ status: 'declined</status><status>approved' }), 422],
    ['another amount', goodSoap({ amount: 1 }), 422, undefined, ['/operation/amount']],
  ];
  for (const [name, body, ...expected] of rows) refuses(name, sent(body), ...expected);

  refuses('JSON that says so', () => postman.post(good(), { gateway: 'bank-c', type: 'application/json' }), 415);

  test('what stands in a comment is not there', async () => {
    const hidden = goodSoap({ status: '<!-- approved -->paid' });
    expectProblem(await changingNothing(sent(hidden)), 422);
  });
});

describe('what is genuine', () => {
  const answersOf = async (count, send) => {
    const statuses = [];
    for (let i = 0; i < count; i++) statuses.push((await send()).status);
    return statuses;
  };

  test('takes effect once, however often it comes, in JSON and in SOAP', async () => {
    for (const [{ payment }, send] of [
      [json, () => postman.post(good())],
      [soap, () => postman.post(goodSoap(), { gateway: 'bank-c' })],
    ]) {
      assert.deepEqual(await answersOf(3, send), [204, 204, 204]);
      assert.equal((await till.read(payment)).status, 'succeeded');
      assert.deepEqual(await till.events(payment), [
        'payment.processing',
        'payment.requires_action',
        'payment.succeeded',
      ]);
    }
    /* So that both books agree: the customer did what was told. */
    for (const { payment } of [json, soap]) await till.challenge(payment, 'pass');
  });

  test('changes nothing when it comes late: what was decided stays', async () => {
    for (const [type, overrides] of [
      ['authorization.pending', { status: 'pending', action_url: 'https://bank.example/x' }],
      ['authorization.declined', { status: 'declined', failure: { code: 'card_declined' } }],
      ['authorization.approved', {}],
      ['void.approved', { operation: 'void', authorization: json.reference }],
    ]) {
      const answer = await changingNothing(() => postman.post(good(overrides, { type })));
      assert.ok([204, 422].includes(answer.status), `${type}: ${answer.status} ${answer.text}`);
    }
  });

  test('is no new money when it is told once more, after the payment was canceled', async () => {
    const held = await till.authorized();
    const [{ id }] = await till.attempts(held);
    expectStatus(await till.act(held, 'cancel'), 200);
    const { amount, currency } = held;
    const body = JSON.stringify(notice(record(id, { amount, currency, captured: false })));
    assert.equal((await postman.post(body)).status, 204);
    assert.deepEqual(await till.events(held), ['payment.processing', 'payment.authorized', 'payment.canceled']);
  });

  test('of money that was held instead of taken somebody is told, and the bank is asked', async () => {
    const { payment, reference } = await waiting('EUR');
    const before = await till.contradictions();
    const body = JSON.stringify(notice(record(reference, { captured: false })));
    assert.equal((await postman.post(body)).status, 204);
    assert.equal(await till.contradictions(), before + 1);
    await waitFor('the bank to be asked', async (seen) => {
      const calls = await till.calls({ reference, operation: 'look_up' });
      seen(calls);
      return calls.length > 0;
    });
    assert.equal((await till.read(payment)).status, 'requires_action');
    await till.challenge(payment, 'pass');
    await till.until(payment, 'succeeded');
  });

  test('of a hundred at once one takes effect', async () => {
    const { payment, reference } = await waiting('EUR');
    const body = JSON.stringify(notice(record(reference)));
    const answers = await Promise.all(Array.from({ length: 100 }, () => postman.post(body)));
    for (const { status } of answers) assert.ok([204, 409].includes(status), `${status}`);
    assert.equal(answers[0].status < 500, true);
    assert.equal((await till.events(payment)).filter((type) => type === 'payment.succeeded').length, 1);
    await till.challenge(payment, 'pass');
  });

  test('every word of the bank itself is taken, also that something was voided', async () => {
    const { payment } = await waiting('EUR');
    expectStatus(await till.act(payment, 'cancel'), 200);
    const transfer = expectStatus(await till.pay({ amount: 500, currency: 'EUR' }, byTransfer), 202).json;
    expectStatus(await till.act(transfer, 'cancel'), 200);
    const held = await till.authorized();
    expectStatus(await till.act(held, 'cancel'), 200);
    const paid = await till.paid();
    expectStatus(await till.act(paid, 'refunds'), 201);
    await waitFor('the bank to be done', async (seen) => {
      const left = await bank.rows('SELECT type, answer, tries FROM webhooks WHERE answer IS DISTINCT FROM 204');
      seen(left);
      return left.length === 0;
    });
    const voided = await bank.value("SELECT count(*) FROM webhooks WHERE type LIKE '%.voided'");
    assert.ok(voided >= 2, `${voided} webhooks say that something was voided`);
  });
});

test('the audit is clean', async () => {
  await expectCleanAudit(stack);
});
