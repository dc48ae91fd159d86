/*
 * The test cards that Stripe publishes: each has its outcome, its brand and its mask, whoever tells
 * of it - the answer over HTTP, the bank by its webhook alone, the events on the bus.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { subscribe } from '../support/bus.js';
import { openInspector } from '../support/database.js';
import { checkEvent } from '../support/schemas.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { askAlways, byCard, openTill, changeGateways } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const approved = { status: 'succeeded', failure: null };
const declined = (code, decline_code = null) => ({
  status: 'failed',
  failure: { code, decline_code },
});
const challenged = { status: 'requires_action', failure: null };
const mistyped = { refused: 'invalid_number' };

/* docs.stripe.com/testing: number, brand, what becomes of a payment with it. */
const rows = [
  ['4242424242424242', 'visa', approved],
  ['4000056655665556', 'visa', approved],
  ['5555555555554444', 'mastercard', approved],
  ['2223003122003222', 'mastercard', approved],
  ['5200828282828210', 'mastercard', approved],
  ['5105105105105100', 'mastercard', approved],
  ['378282246310005', 'american-express', approved],
  ['371449635398431', 'american-express', approved],
  ['6011111111111117', 'discover', approved],
  ['6011000990139424', 'discover', approved],
  ['6011981111111113', 'discover', approved],
  ['3056930009020004', 'diners-club', approved],
  ['36227206271667', 'diners-club', approved],
  ['6555900000604105', 'discover', approved],
  ['3566002020360505', 'jcb', approved],
  ['6200000000000005', 'unionpay', approved],
  ['6200000000000047', 'unionpay', approved],
  ['6205500000000000004', 'unionpay', approved],
  ['4000000000000002', 'visa', declined('card_declined', 'generic_decline')],
  ['4000000000009995', 'visa', declined('card_declined', 'insufficient_funds')],
  ['4000000000009987', 'visa', declined('card_declined', 'lost_card')],
  ['4000000000009979', 'visa', declined('card_declined', 'stolen_card')],
  ['4000000000000069', 'visa', declined('expired_card')],
  ['4000000000000127', 'visa', declined('incorrect_cvc')],
  ['4000000000000119', 'visa', declined('processing_error')],
  ['4242424242424241', 'visa', mistyped],
  ['4000000000000259', 'visa', approved], /* and disputed afterwards: see below */
  ['4000002760003184', 'visa', challenged],
  ['4000000000003220', 'visa', challenged],
  ['4000000000000341', 'visa', declined('card_declined', 'generic_decline')],
  ['4000000000000077', 'visa', approved],
];

/* How the bank calls what the service calls that. */
const BANK_WORDS = { succeeded: 'approved', failed: 'declined', requires_action: 'pending' };

const PENDING_MS = 15_000;

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
const bank = await openInspector(stack, 'bank');
const bus = await subscribe(stack.env.MQTT_URL, stack.login, [
  'checkout/v1/demo/payment/#',
  'checkout/v1/demo/refund/#',
]);
after(() => Promise.all([till.close(), bank.close(), bus.close()]));

/* A bank whose answers get lost is asked all the same. */
await changeGateways(stack, askAlways);

function expectFace(payment, number, brand, about) {
  const { fingerprint, ...face } = payment.payment_method.card;
  assert.match(fingerprint, /^[0-9a-f]{64}$/, about);
  assert.deepEqual(
    face,
    {
      brand,
      number: '*'.repeat(number.length - 4) + number.slice(-4),
      last4: number.slice(-4),
      exp_month: 12,
      exp_year: 2034,
    },
    about,
  );
  assert.ok(!JSON.stringify(payment).includes(number), about);
}

function expectOutcome(payment, [number, brand, outcome], about) {
  assert.equal(payment.status, outcome.status, about);
  assert.deepEqual(payment.failure, outcome.failure, about);
  assert.equal(payment.amount_captured, outcome === approved ? payment.amount : 0, about);
  assert.equal(payment.next_action === null, outcome !== challenged, about);
  expectFace(payment, number, brand, about);
}

/** The event of a subject in that version, as a subscriber got it. */
async function received(subject, version) {
  const { event } = await bus.waitFor(
    `version ${version} of ${subject} on the bus`,
    (message) => message.event?.subject === subject && message.event.subjectversion === version,
  );
  checkEvent(JSON.parse(JSON.stringify(event)));
  return event;
}

/** Every version of it was announced, the newest is what is answered, and none tells the number. */
async function expectAnnounced(payment, row) {
  const types = [];
  for (let version = 1; version <= payment.version; version++) {
    const event = await received(payment.id, version);
    types.push(event.type);
    expectFace(event.data, row[0], row[1], 'in an event');
    if (version === payment.version) assert.deepEqual(event.data, payment);
  }
  assert.equal(types[0], 'payment.processing');
  assert.equal(types.at(-1), `payment.${payment.status}`);
  return types;
}

/** The bank's book and its webhook say the same; the webhook was taken. */
async function expectBank(payment, [number], outcome) {
  const [attempt] = await till.attempts(payment);
  const [record] = await bank.rows('SELECT * FROM ops.bank_records WHERE reference = $1', [attempt.id]);
  assert.deepEqual(
    [record.bank, record.status, record.failure_code, record.decline_code, record.card_last4],
    [
      payment.gateway,
      BANK_WORDS[outcome.status],
      outcome.failure?.code ?? null,
      outcome.failure?.decline_code ?? null,
      number.slice(-4),
    ],
  );
  const webhook = await waitFor(`the webhook of ${attempt.id} to be taken`, async (seen) => {
    const sql = 'SELECT type, body, answer FROM webhooks WHERE type = $1 AND strpos(body, $2) > 0';
    const [found] = await bank.rows(sql, [`authorization.${record.status}`, attempt.id]);
    seen(found);
    return found?.answer === 204 && found;
  });
  assert.ok(!webhook.body.includes(number));
  return attempt;
}

/** After its outcome, whoever told it: HTTP, bank and bus agree. */
async function expectAgreement(payment, row) {
  const now = await till.read(payment);
  expectOutcome(now, row, 'what is read');
  const types = await expectAnnounced(now, row);
  assert.equal(types.length, 2, 'the outcome was told twice, and announced once');
  return expectBank(now, row, row[2]);
}

/** The customer ends the challenges. */
async function endChallenge(payment, [number, brand], outcome) {
  const status = outcome === 'pass' ? 'succeeded' : 'failed';
  await till.challenge(payment, outcome);
  const done = await till.until(payment, status);
  assert.deepEqual(
    done.failure,
    outcome === 'pass' ? null : { code: 'authentication_failed', decline_code: null },
  );
  await expectAnnounced(done, [number, brand]);
  assert.equal(done.next_action, null);
}

test('the rows are the 31 of Stripe', () => assert.equal(rows.length, 31));

describe('told by the answer', () => {
  for (const row of rows) {
    const [number, brand, outcome] = row;
    test(`${brand} ${number} ${outcome.status ?? outcome.refused}`, async () => {
      const answer = await till.pay({ amount: 4711, currency: 'EUR' }, byCard(number));
      if (outcome.refused) {
        const problem = expectProblem(answer, 422, 'validation_failed', ['/payment_method/card/number']);
        assert.equal(problem.errors[0].code, outcome.refused);
        assert.ok(!answer.text.includes(number));
        return;
      }
      expectOutcome(expectStatus(answer, 201).json, row, answer.text);
      await expectAgreement(answer.json, row);
      if (outcome === challenged) await endChallenge(answer.json, row, 'pass');
    });
  }
});

/* EUR goes to bank-a, which speaks JSON; the dinar of Tunisia only bank-c takes, which speaks SOAP. */
for (const [protocol, currency, gateway] of [
  ['JSON', 'EUR', 'bank-a'],
  ['SOAP', 'TND', 'bank-c'],
]) {
  describe(`told by a webhook in ${protocol} alone, after the answer was lost`, () => {
    before(async () => {
      await till.fault({ operation: 'authorize', kind: 'lose_answer' });
      await till.fault({ operation: 'look_up', kind: 'error_500' });
    });
    after(() => till.noFaults());

    for (const row of rows.filter(([, , outcome]) => !outcome.refused)) {
      const [number, brand, outcome] = row;
      test(`${brand} ${number} ${outcome.status}`, async () => {
        const answer = expectStatus(await till.pay({ amount: 4711, currency }, byCard(number)), 202);
        assert.equal(answer.json.status, 'processing');
        const payment = await till.until(answer.json, outcome.status);
        assert.equal(payment.gateway, gateway);
        expectOutcome(payment, row, 'told by a webhook');
        const attempt = await expectAgreement(payment, row);
        const told = await till.calls({ reference: attempt.id });
        const answered = told.filter((call) => typeof call.answered === 'number' && call.answered < 300);
        assert.deepEqual(answered, [], 'no answer of the bank had told it');
        if (outcome === challenged) await endChallenge(payment, row, 'fail');
      });
    }
  });
}

describe('a webhook that comes before the answer', () => {
  before(() => till.fault({ kind: 'webhook_before_answer' }));
  after(() => till.noFaults());

  for (const row of rows.filter(([, , outcome]) => !outcome.refused)) {
    const [number, brand, outcome] = row;
    test(`${brand} ${number} ${outcome.status}`, async () => {
      const answer = await till.pay({ amount: 4711, currency: 'EUR' }, byCard(number));
      expectOutcome(expectStatus(answer, 201).json, row, answer.text);
      await expectAgreement(answer.json, row);
    });
  }
});

describe('what follows a payment by some of them', () => {
  const pay = async (number) =>
    expectStatus(await till.pay({ amount: 4711, currency: 'EUR' }, byCard(number)), 201).json;

  for (const outcome of ['won', 'lost']) {
    test(`4000000000000259: the customer disputes, and the dispute is ${outcome}`, async () => {
      const payment = await pay('4000000000000259');
      const [attempt] = await till.attempts(payment);
      const open = await untilDispute(payment, 'open');
      assert.equal(open.status, 'succeeded');
      const ordered = await till.bank.post(`/control/disputes/${attempt.id}`, { outcome });
      assert.ok(ordered.status < 300, ordered.text);
      const closed = await untilDispute(payment, outcome);
      assert.deepEqual([open.version, closed.version], [3, 4]);
      for (const seen of [open, closed]) {
        const event = await received(payment.id, seen.version);
        assert.equal(event.type, 'payment.updated');
        assert.deepEqual(event.data, seen);
      }
    });
  }

  function untilDispute(payment, status) {
    return waitFor(
      `the dispute of ${payment.id} to be ${status}`,
      async (seen) => {
        const now = await till.read(payment);
        seen(now.dispute_status);
        return now.dispute_status === status && now;
      },
      { within: PENDING_MS },
    );
  }

  test('4000000000005126: a refund succeeds, and comes back', async () => {
    const payment = await pay('4000000000005126');
    const refund = expectStatus(await till.act(payment, 'refunds', { amount: 4000 }), 201).json;
    assert.equal(refund.status, 'succeeded');
    const returned = await till.untilRefund(refund, 'failed', { within: PENDING_MS });
    assert.equal(returned.failure.code, 'refund_returned');
    assert.deepEqual(await till.events(refund), ['refund.created', 'refund.succeeded', 'refund.failed']);
    const after = await till.read(payment);
    assert.deepEqual([after.amount_refunded, after.refund_status], [0, 'none']);
    await expectRefundAnnounced(returned);
    /* The money is there again, and can be given back once more. */
    expectStatus(await till.act(payment, 'refunds'), 201);
  });

  test('4000000000007726: a refund takes its time, and succeeds', async () => {
    const payment = await pay('4000000000007726');
    const refund = expectStatus(await till.act(payment, 'refunds'), 202).json;
    assert.equal(refund.status, 'pending');
    assert.equal((await till.read(payment)).amount_refunded, 0);
    const done = await till.untilRefund(refund, 'succeeded', { within: PENDING_MS });
    assert.deepEqual(await till.events(refund), ['refund.created', 'refund.succeeded']);
    const after = await till.read(payment);
    assert.deepEqual([after.amount_refunded, after.refund_status], [4711, 'full']);
    await expectRefundAnnounced(done);
  });

  async function expectRefundAnnounced(refund) {
    for (let version = 1; version <= refund.version; version++) {
      const event = await received(refund.id, version);
      if (version === refund.version) assert.deepEqual(event.data, refund);
    }
  }
});

test('no webhook of the bank was refused', async () => {
  await waitFor('every webhook to be taken', async (seen) => {
    const left = await bank.rows(
      'SELECT type, answer, tries FROM webhooks WHERE answer IS DISTINCT FROM 204 LIMIT 5',
    );
    seen(left);
    return left.length === 0;
  });
});
