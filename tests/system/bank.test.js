/*
 * The simulated bank: what its README promises of its outcomes and its book.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';

import { Account, card, Control, Listener } from '../support/bank.js';
import { openInspector } from '../support/database.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';

const listener = await Listener.start();
after(() => listener.stop());
const stack = await startStack({ BANK_SIMULATOR_WEBHOOK_URL: listener.url });
after(() => stack.stop());

const control = new Control(stack);
const account = new Account(stack);
const book = await openInspector(stack, 'bank');
after(() => book.close());

const declined = (code, decline_code = null) => ({ code, decline_code });

/* ---- Outcomes ------------------------------------------------------------------------------- */

const BY_CARD = [
  ['4000000000000002', declined('card_declined', 'generic_decline')],
  ['4000000000009995', declined('card_declined', 'insufficient_funds')],
  ['4000000000009987', declined('card_declined', 'lost_card')],
  ['4000000000009979', declined('card_declined', 'stolen_card')],
  ['4000000000000069', declined('expired_card')],
  ['4000000000000127', declined('incorrect_cvc')],
  ['4000000000000119', declined('processing_error')],
  ['4000000000000341', declined('card_declined', 'generic_decline')],
  ['4000000000000259', null],
  ['4000000000005126', null],
  ['4000000000007726', null],
  ['4242424242424242', null],
  ['378282246310005', null],
  ['6205500000000000004', null],
];

for (const [number, failure] of BY_CARD) {
  const outcome = failure ? (failure.decline_code ?? failure.code) : 'approved';
  test(`the card ${number} is ${outcome}`, async () => {
    const record = await account.authorize({ card: card({ number }) });
    assert.equal(record.status, failure ? 'declined' : 'approved');
    assert.deepEqual(record.failure, failure);
    assert.equal(record.captured, !failure);
  });
}

const BY_EXPIRY = [
  [5, 2039, declined('card_declined', 'generic_decline')],
  [4, 2027, declined('expired_card')],
  [2, 2037, declined('processing_error')],
];

for (const [exp_month, exp_year, failure] of BY_EXPIRY) {
  test(`a card that expires ${exp_month}/${exp_year} is declined with ${failure.code}`, async () => {
    const record = await account.authorize({ card: card({ exp_month, exp_year }) });
    assert.deepEqual(record.failure, failure);
  });
}

test('a card that expires 8/2028 is not answered, and nothing is done', async () => {
  const body = account.authorization({ card: card({ exp_month: 8, exp_year: 2028 }) });
  await assert.rejects(account.post('authorizations', body, { patience: 500 }), /timeout|abort/i);
  expectProblem(await account.get(`operations/${body.reference}`), 404, 'not_found');
});

test('a card that expires 1/2037 gets 500, and nothing is done', async () => {
  const body = account.authorization({ card: card({ exp_month: 1, exp_year: 2037 }) });
  expectProblem(await account.post('authorizations', body), 500, 'internal_error');
  expectProblem(await account.get(`operations/${body.reference}`), 404, 'not_found');
});

test('a card that expires 5/2037 is approved and the answer lost, once', async () => {
  const body = account.authorization({ card: card({ exp_month: 5, exp_year: 2037 }) });
  await assert.rejects(account.post('authorizations', body), /socket hang up|ECONNRESET/);
  assert.equal((await account.record(body.reference)).status, 'approved');
  expectStatus(await account.post('authorizations', body), 200);
  const [first, second] = await control.calls({
    reference: body.reference,
    operation: 'authorize',
  });
  assert.deepEqual([first.answered, first.effect], ['lost', true]);
  assert.deepEqual([second.answered, second.effect], ['200', false]);
});

const BY_AMOUNT = [
  [121, declined('card_declined', 'generic_decline')],
  [122, declined('card_declined', 'fraudulent')],
  [124, declined('card_declined', 'insufficient_funds')],
  [125, declined('card_declined', 'stolen_card')],
  [126, declined('expired_card')],
  [127, declined('invalid_amount')],
  [128, declined('card_declined', 'invalid_account')],
  [130, declined('processing_error')],
  [123, null],
];

for (const [digits, failure] of BY_AMOUNT) {
  test(`an amount that ends with ${digits} is ${failure ? 'declined' : 'approved'}, from 100000 on`, async () => {
    assert.deepEqual((await account.authorize({ amount: 100000 + digits })).failure, failure);
    assert.equal((await account.authorize({ amount: 99000 + digits })).failure, null);
  });
}

test('a published number speaks before expiry and amount', async () => {
  const number = '4000000000000259';
  const record = await account.authorize({
    amount: 100121,
    card: card({ number, exp_year: 2039, exp_month: 5 }),
  });
  assert.equal(record.status, 'approved');
});

/* ---- Records -------------------------------------------------------------------------------- */

test('the same reference has no second effect, and gets the record as it is now', async () => {
  const body = account.authorization({ capture: false });
  const first = expectStatus(await account.post('authorizations', body), 201).json;
  assert.match(first.id, /^op_[0-9a-hjkmnp-tv-z]{26}$/);
  assert.equal(first.authorization, null);
  assert.deepEqual(expectStatus(await account.post('authorizations', body), 200).json, first);
  await account.follow('captures', first, 100);
  const later = expectStatus(await account.post('authorizations', body), 200).json;
  assert.deepEqual(later, { ...first, captured: true });
  assert.deepEqual(await account.record(body.reference), later);
});

test('another content under a used reference is refused', async () => {
  const body = account.authorization();
  expectStatus(await account.post('authorizations', body), 201);
  const others = [
    { amount: 13701 },
    { currency: 'USD' },
    { capture: false },
    { card: card({ exp_month: 11 }) },
    { card: card({ number: '5555555555554444' }) },
  ];
  for (const other of others) {
    const answer = await account.post('authorizations', { ...body, ...other });
    expectProblem(answer, 409, 'reference_reused');
  }
  const { card: _card, capture: _capture, ...transfer } = body;
  expectProblem(await account.post('transfers', transfer), 409, 'reference_reused');
});

test('accounts and banks have books of their own', async () => {
  const body = account.authorization();
  for (const bank of ['bank-a', 'bank-b']) {
    for (const name of ['one', 'two']) {
      const other = new Account(stack, bank, name);
      expectStatus(await other.post('authorizations', body), 201);
    }
  }
});

test('bank-a takes three currencies, bank-b all of them', async () => {
  const body = { ...account.authorization(), currency: 'TND' };
  expectProblem(await account.post('authorizations', body), 422, 'currency_not_supported');
  expectStatus(await new Account(stack, 'bank-b').post('authorizations', body), 201);
  expectProblem(await account.get(`operations/${body.reference}`), 404, 'not_found');
});

test('what can not be read names every wrong field', async () => {
  const body = {
    reference: 'x',
    amount: 0,
    currency: 'eur',
    capture: 'yes',
    card: { number: '4242 4242 4242 4242', exp_month: 13, exp_year: 34, cvc: 'abc' },
    more: 1,
  };
  expectProblem(await account.post('authorizations', body), 422, 'validation_failed', [
    '/reference',
    '/amount',
    '/currency',
    '/capture',
    '/card/number',
    '/card/exp_month',
    '/card/exp_year',
    '/card/cvc',
    '/more',
  ]);
});

test('nobody gets in without the key, and no bank or account is invented', async () => {
  const { shop } = account;
  const body = account.authorization();
  const where = `${account.base}/authorizations`;
  expectProblem(await shop.as(undefined).post(where, body), 401, 'key_missing');
  expectProblem(await shop.as(`${stack.env.BANK_KEY}x`).post(where, body), 401, 'key_invalid');
  expectProblem(await shop.as(stack.env.BANK_KEY).get('/control/faults'), 401, 'key_invalid');
  expectProblem(
    await shop.post('/bank-x/v1/accounts/demo/authorizations', body),
    404,
    'bank_not_found',
  );
  expectProblem(
    await shop.post('/bank-c/v1/accounts/demo/authorizations', body),
    404,
    'bank_not_found',
  );
  expectProblem(
    await shop.post('/bank-a/v1/accounts/DEMO/authorizations', body),
    404,
    'account_not_found',
  );
});

test('what the state does not allow is declined, and recorded', async () => {
  const code = (record) => record.failure?.code ?? record.status;
  const refused = await account.authorize({ card: card({ number: '4000000000000002' }) });
  assert.equal(code(await account.follow('captures', refused, 1)), 'not_authorized');
  assert.equal(code(await account.follow('voids', refused)), 'not_authorized');
  assert.equal(code(await account.follow('refunds', refused, 1)), 'not_captured');

  const held = await account.authorize({ capture: false });
  assert.equal(code(await account.follow('refunds', held, 1)), 'not_captured');
  assert.equal(code(await account.follow('captures', held, 13701)), 'amount_too_large');
  const capture = await account.follow('captures', held, 5000);
  assert.deepEqual([capture.status, capture.amount, capture.currency], ['approved', 5000, 'EUR']);
  assert.equal(code(await account.follow('captures', held, 1)), 'already_captured');
  assert.equal(code(await account.follow('voids', held)), 'already_captured');
  assert.equal(code(await account.follow('refunds', held, 5001)), 'amount_too_large');
  assert.equal(code(await account.follow('refunds', held, 5000)), 'approved');
  assert.equal(code(await account.follow('refunds', held, 1)), 'amount_too_large');

  const released = await account.authorize({ capture: false });
  const release = await account.follow('voids', released);
  assert.deepEqual([release.status, release.amount], ['approved', 13700]);
  assert.equal(code(await account.follow('voids', released)), 'already_voided');
  assert.equal(code(await account.follow('captures', released, 1)), 'already_voided');

  const body = { reference: randomUUID(), authorization: capture.reference, amount: 1 };
  expectProblem(await account.post('refunds', body), 404, 'authorization_not_found');
});

/* ---- At once -------------------------------------------------------------------------------- */

const AT_ONCE = 100;
const times = (count, work) => Promise.all(Array.from({ length: count }, work));
const approvedOf = (records) => records.filter(({ status }) => status === 'approved');

test('of 100 refunds of 60 of a captured 100, one succeeds', async () => {
  const paid = await account.authorize({ amount: 100 });
  const refunds = await times(AT_ONCE, () => account.follow('refunds', paid, 60));
  assert.equal(approvedOf(refunds).length, 1);
  const [others] = [refunds.filter(({ status }) => status !== 'approved')];
  for (const { failure } of others) assert.equal(failure.code, 'amount_too_large');
});

test('of 100 captures, one succeeds', async () => {
  const held = await account.authorize({ amount: 100, capture: false });
  const captures = await times(AT_ONCE, () => account.follow('captures', held, 60));
  assert.equal(approvedOf(captures).length, 1);
});

test('of captures and voids at once, one succeeds', async () => {
  for (let round = 0; round < 10; round++) {
    const held = await account.authorize({ amount: 100, capture: false });
    const all = await Promise.all([
      ...Array.from({ length: 5 }, () => account.follow('captures', held, 60)),
      ...Array.from({ length: 5 }, () => account.follow('voids', held)),
    ]);
    assert.equal(approvedOf(all).length, 1);
  }
});

test('of 50 calls with one reference, one has an effect and all get its record', async () => {
  const body = account.authorization();
  const answers = await times(50, () => account.post('authorizations', body));
  assert.equal(answers.filter(({ status }) => status === 201).length, 1);
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  const calls = await control.calls({ reference: body.reference });
  assert.equal(calls.length, 50);
  assert.equal(calls.filter(({ effect }) => effect).length, 1);
});

test('a reference is made dead or authorized, never both', async () => {
  for (let round = 0; round < 20; round++) {
    const body = account.authorization();
    const [authorized, voided] = await Promise.all([
      account.post('authorizations', body),
      account.voidReference(body.reference),
    ]);
    const record = await account.record(body.reference);
    assert.deepEqual(voided.json, record);
    if (record.status === 'approved') expectStatus(authorized, 201);
    else expectProblem(authorized, 409, 'reference_voided');
  }
});

/* ---- Dead references ------------------------------------------------------------------------ */

test('an unknown reference that was made dead is refused when it comes', async () => {
  const body = account.authorization();
  const dead = expectStatus(await account.voidReference(body.reference), 201).json;
  assert.deepEqual(
    [dead.operation, dead.status, dead.amount, dead.currency],
    ['void_reference', 'voided', null, null],
  );
  expectProblem(await account.post('authorizations', body), 409, 'reference_voided');
  assert.deepEqual(expectStatus(await account.voidReference(body.reference), 200).json, dead);
  assert.deepEqual(await account.record(body.reference), dead);
  const late = { reference: randomUUID(), authorization: dead.reference, amount: 1 };
  expectProblem(await account.post('captures', late), 404, 'authorization_not_found');
});

test('what is pending is voided by its reference', async () => {
  const challenged = await account.authorize({ card: card({ number: '4000002760003184' }) });
  const transfer = await account.announce();
  const slow = await account.authorize({ card: card({ number: '4000000000007726' }) });
  const refund = await account.follow('refunds', slow, 13700);
  for (const record of [challenged, transfer, refund]) {
    assert.equal(record.status, 'pending');
    const voided = expectStatus(await account.voidReference(record.reference), 200).json;
    assert.deepEqual(voided, { ...record, status: 'voided', action_url: null });
    await listener.hear(record.reference, record === transfer ? 1 : 2);
    assert.match(listener.typesAbout(record.reference).at(-1), /\.voided$/);
  }
  assert.equal((await account.follow('refunds', slow, 13700)).status, 'pending', 'money is back');
});

test('what has ended stays when its reference is voided', async () => {
  const approved = await account.authorize();
  const refused = await account.authorize({ card: card({ number: '4000000000000002' }) });
  for (const record of [approved, refused])
    assert.deepEqual(expectStatus(await account.voidReference(record.reference), 200).json, record);
});

/* ---- Customers ------------------------------------------------------------------------------ */

for (const [way, status] of [
  ['pass', 'approved'],
  ['fail', 'declined'],
]) {
  test(`a challenge that a customer lets ${way} is ${status}`, async () => {
    const pending = await account.authorize({ card: card({ number: '4000000000003220' }) });
    const url = new URL(pending.action_url);
    assert.equal(url.origin, stack.env.BANK_URL);
    const page = expectStatus(await account.shop.as(undefined).get(url.pathname), 200);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(
      page.headers['content-security-policy'],
      /^default-src 'none'; form-action 'self'/,
    );
    assert.doesNotMatch(page.text, /<script|https?:|style=/);
    const actions = [...page.text.matchAll(/<form method="post" action="([^"]+)">/g)];
    const action = actions
      .map(([, to]) => new URL(to, url).pathname)
      .find((to) => to.endsWith(way));
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' };
    const ended = await account.shop.as(undefined).request('POST', action, { headers });
    assert.doesNotMatch(expectStatus(ended, 200).text, /<form/);

    const record = await account.record(pending.reference);
    assert.equal(record.status, status);
    assert.equal(record.captured, way === 'pass');
    assert.equal(record.failure?.code, way === 'pass' ? undefined : 'authentication_failed');
    const heard = await listener.hear(pending.reference, 2);
    assert.deepEqual(heard.at(-1).json.operation, record);

    const again = await account.shop
      .as(undefined)
      .request('POST', `${url.pathname}/pass`, { headers });
    expectStatus(again, 200);
    assert.equal((await account.record(pending.reference)).status, status, 'it ends once');
  });
}

test('a challenge that is none is not found', async () => {
  const { reference } = await account.announce();
  const nobody = account.shop.as(undefined);
  for (const where of [
    `bank-a/challenges/${reference}`,
    `bank-a/challenges/${randomUUID()}`,
    'bank-x/challenges/1',
  ])
    expectProblem(await nobody.get(`/${where}`), 404, 'not_found');
});

test('a transfer is paid once, and can be refunded', async () => {
  const transfer = await account.announce();
  const pay = () => control.shop.post(`/control/transfers/${transfer.reference}/pay`);
  const paid = expectStatus(await pay(), 200).json;
  assert.deepEqual(paid, { ...transfer, status: 'approved', captured: true });
  expectProblem(await pay(), 409, 'not_possible');
  const [heard] = await listener.hear(transfer.reference);
  assert.equal(heard.json.type, 'transfer.paid');
  assert.deepEqual(heard.json.operation, paid);
  assert.equal((await account.follow('refunds', transfer, 13700)).status, 'approved');

  const other = await account.announce();
  const less = await control.shop.post(`/control/transfers/${other.reference}/pay`, {
    amount: 100,
  });
  assert.equal(expectStatus(less, 200).json.amount, 100);
  assert.equal((await account.follow('refunds', other, 101)).failure.code, 'amount_too_large');
});

test('a dispute is opened, and then won or lost', async () => {
  const paid = await account.authorize({ card: card({ number: '4000000000000259' }) });
  const dispute = (outcome) =>
    control.shop.post(`/control/disputes/${paid.reference}`, { outcome });
  const heard = await listener.hear(paid.reference, 2);
  assert.equal(heard.at(-1).json.type, 'dispute.opened');
  assert.deepEqual(heard.at(-1).json.operation, paid);
  expectProblem(await dispute('opened'), 409, 'not_possible');
  expectStatus(await dispute('lost'), 200);
  expectProblem(await dispute('won'), 409, 'not_possible');
  await listener.hear(paid.reference, 3);
  assert.equal(listener.typesAbout(paid.reference).at(-1), 'dispute.lost');
});

test('refunds of some cards come back, or take a moment', async () => {
  const returning = await account.authorize({ card: card({ number: '4000000000005126' }) });
  const returned = await account.follow('refunds', returning, 13700);
  assert.equal(returned.status, 'approved');
  await listener.hear(returned.reference, 2);
  assert.deepEqual(listener.typesAbout(returned.reference), ['refund.approved', 'refund.returned']);
  assert.equal((await account.record(returned.reference)).failure.code, 'refund_returned');
  assert.equal(
    (await account.follow('refunds', returning, 13700)).status,
    'approved',
    'it is there again',
  );

  const slow = await account.authorize({ card: card({ number: '4000000000007726' }) });
  const pending = await account.follow('refunds', slow, 13700);
  assert.equal(pending.status, 'pending');
  await listener.hear(pending.reference, 2);
  assert.deepEqual(listener.typesAbout(pending.reference), ['refund.pending', 'refund.approved']);
  assert.equal((await account.record(pending.reference)).status, 'approved');

  const plain = await account.follow('refunds', await account.authorize(), 1);
  expectStatus(await control.shop.post(`/control/refunds/${plain.reference}/return`), 200);
  expectProblem(
    await control.shop.post(`/control/refunds/${plain.reference}/return`),
    409,
    'not_possible',
  );
});

/* ---- Settlement ----------------------------------------------------------------------------- */

test('the settlement of a day has what moved, by time, and nothing else', async () => {
  const own = new Account(stack, 'bank-b');
  const started = new Date().toISOString().slice(0, 10);
  const paid = await own.authorize({ amount: 1000 });
  const held = await own.authorize({ amount: 2000, capture: false });
  const capture = await own.follow('captures', held, 1500);
  await own.follow('voids', await own.authorize({ capture: false }));
  await own.authorize({ card: card({ number: '4000000000000002' }) });
  const transfer = await own.announce({ amount: 3000, currency: 'JPY' });
  expectStatus(await control.shop.post(`/control/transfers/${transfer.reference}/pay`), 200);
  const refund = await own.follow('refunds', paid, 400);
  await own.follow('refunds', paid, 601);
  expectStatus(await control.shop.post(`/control/refunds/${refund.reference}/return`), 200);

  const rows = await own.settlement(started);
  const line = (operation, record, authorization, amount, currency, direction) => ({
    account: own.name,
    operation,
    reference: record.reference,
    authorization: authorization.reference,
    amount: String(amount),
    currency,
    direction,
  });
  assert.deepEqual(
    rows.map(({ settled_at, ...rest }) => rest),
    [
      line('capture', paid, paid, 1000, 'EUR', 'credit'),
      line('capture', capture, held, 1500, 'EUR', 'credit'),
      line('transfer', transfer, transfer, 3000, 'JPY', 'credit'),
      line('refund', refund, paid, 400, 'EUR', 'debit'),
      line('refund_return', refund, paid, 400, 'EUR', 'credit'),
    ],
  );
  assert.deepEqual(await own.settlement('2020-02-29'), []);
  for (const date of ['2021-02-29', 'today', '2026-1-1'])
    expectProblem(await own.get(`settlements/${date}`), 400, 'date_malformed');
});

/* ---- The book ------------------------------------------------------------------------------- */

test('the book has neither numbers nor codes of cards, and is never changed', async () => {
  const number = '4012888888881881';
  const { reference } = await account.authorize({
    card: card({ number, cvc: '9876', name: 'Ada Example' }),
  });
  for (const table of ['operations', 'entries', 'webhooks', 'duties'])
    assert.equal(
      await book.value(
        `SELECT count(*) FROM ${table} AS t WHERE t::text ~ '${number}|Ada Example'
         OR (t::text ~ '${reference}' AND t::text ~ '\\y9876\\y')`,
      ),
      0,
      table,
    );
  const calls = JSON.stringify(await control.calls());
  assert.ok(calls.includes(reference) && !calls.includes(number));
  assert.doesNotMatch(calls, /(?<![0-9a-f-])\d{12,19}(?![0-9a-f-])/);
  const may = (table, right) =>
    book.value('SELECT has_any_column_privilege($1, $2, $3)', ['bank_service', table, right]);
  for (const table of ['operations', 'entries'])
    assert.equal(await may(table, 'UPDATE'), false, table);
});
