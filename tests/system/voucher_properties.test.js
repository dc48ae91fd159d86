/*
 * Vouchers against a model of them: whatever is asked in whatever order, legal or not, by one order or
 * by two at once, the service answers what the model says, and a voucher has one owner at a time.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';

import fc from 'fast-check';

import { expectCleanAudit, untilQuiet } from '../support/audit.js';
import { openDesk } from '../support/desk.js';
import { expectAnswer, NOT_FOUND } from '../support/expected.js';
import { makeKey } from '../support/keys.js';
import { expectProblem, expectStatus, invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { chosen, expectAgreement, propertyRuns, step } from '../support/steps.js';
import { shownOf, VoucherModel } from '../support/voucher_model.js';
import { waitFor } from '../support/wait.js';
import { earnedBy } from '../support/wallet.js';

/* Only what is left to expire is prepaid. Wrong codes on purpose: the limit is another test's. */
const stack = await startStack({ ORDER_EXPIRY_S: '1', WRONG_CODES_MAX: '100000' });
after(() => stack.stop());

const desk = await openDesk(stack);
after(() => desk.close());
const { shop, vouchers } = desk;
const stranger = stack.vouchers(await makeKey(stack, 'other', ['vouchers:read', 'vouchers:write']));

const NOBODYS_CODE = '0000-0000-0000-0';
const pathOf = ({ id }) => `/v1/orders/${id}`;
const bodyOf = ({ cents, ...more }) => invoice(cents, more);

/**
 * Waits until the voucher is as the model has it, and returns it: what follows an order's event takes a
 * moment.
 */
const untilShown = (voucher) =>
  waitFor(`voucher ${voucher.id} to be ${voucher.status} at version ${voucher.events.length}`, async (seen) => {
    const now = await desk.read(voucher);
    seen(now);
    return now.status === voucher.status && now.version >= voucher.events.length ? now : undefined;
  });

/* --- what is chosen ---------------------------------------------------------------------------- */

const voucher = chosen({ v: 3, w: 1 });
const order = chosen({ a: 2, b: 1 });
const holder = chosen({ till: 2, shelf: 1 });
const cents = fc.constantFrom(300, 500, 13700);
const earned = ({ earned }, wish) => earned[wish.voucher] !== undefined;
const spent = ({ spent }, wish) => spent[wish.order] !== undefined;

/** An order is marked sent, which earns a voucher or does not. */
async function earn(model, real, { voucher, cents, currency, customer }) {
  const customerId = `${real.prefix} ${customer}`;
  const made = await shop.sendOrder(cents, { currency, customer: { id: customerId } });
  const issued = await sent(model, real, { id: made.id, total: cents, currency, status: 'sent', customerId });
  if (issued) model.earned[voucher] = issued;
}

/** The voucher that an order has earned by being sent, if it has earned one. */
async function sent(model, real, earner) {
  real.earners.push(earner);
  const issued = model.sent(earner);
  if (!issued) return undefined;
  const { id, code, customer_id: customerId } = await earnedBy(vouchers, earner.id);
  assert.equal(customerId, earner.customerId);
  return Object.assign(issued, { id, code });
}

/** An order wants the voucher. */
async function spend(model, real, { voucher, order, cents, currency, unknown }) {
  const wanted = unknown ? undefined : model.earned[voucher];
  const expected = model.spend(wanted, { total: cents, currency });
  const body = bodyOf({ cents, currency, voucher_code: wanted?.code ?? NOBODYS_CODE });
  const answer = expectAnswer(await shop.post('/v1/orders', body, { key: newKey() }), expected);
  if (!expected.order) return;
  model.spent[order] = Object.assign(expected.order, { id: answer.json.id });
  remember(wanted, (await untilShown(wanted)).redemption);
}

/** The redemptions of a voucher that were seen, the newest first. */
function remember(voucher, redemption) {
  voucher.redemptions = [redemption, ...(voucher.redemptions ?? [])];
}

/** Two orders want it at once: one gets it if it is free, and then it is that one's. */
async function race(model, real, { voucher, order, cents, repeated }) {
  const wanted = model.earned[voucher];
  const expected = model.spend(wanted, { total: cents, currency: 'EUR' });
  const body = bodyOf({ cents, voucher_code: wanted.code });
  const key = newKey();
  const ask = (name) => shop.post('/v1/orders', body, { key: repeated ? key : name });
  const answers = await Promise.all([ask(`${key} 1`), ask(`${key} 2`)]);
  if (!expected.order) {
    for (const answer of answers) expectAnswer(answer, expected);
    return;
  }
  const [winner, ...more] = answers.filter(({ status }) => status === 201);
  assert.equal(more.length, repeated ? 1 : 0, answers.map(({ text }) => text).join('\n'));
  for (const answer of answers) if (answer.status !== 201) expectLoss(answer);
  for (const { text } of more) assert.equal(text, winner.text, 'one key, two answers');
  model.spent[order] = Object.assign(expected.order, { id: winner.json.id });
  remember(wanted, (await untilShown(wanted)).redemption);
  /* Two with one key are one holder: whoever comes later may have held it for longer. */
  if (repeated && (await desk.read(wanted)).version > wanted.events.length) model.heldLonger(wanted);
}

function expectLoss(answer) {
  const { code } = expectProblem(answer, 409);
  assert.ok(['voucher_reserved', 'voucher_redeemed'].includes(code), answer.text);
}

/** The order that has a voucher, or had it, is moved on. */
async function move(model, real, { order, to }) {
  const moved = model.spent[order];
  const legal = moved.status === 'pending' || moved.status === to;
  const answer = await shop.patch(pathOf(moved), { status: to });
  if (!legal) {
    expectProblem(answer, 409, 'illegal_transition');
    return;
  }
  const { customer } = expectStatus(answer, 200).json;
  if (moved.status !== to) model.ended(moved, to);
  if (to === 'sent' && !real.earners.includes(moved)) {
    await sent(model, real, Object.assign(moved, { customerId: customer.id }));
  }
  await untilShown(moved.voucher);
}

/** A prepaid order has the voucher, and nobody pays it. */
async function letExpire(model, real, { voucher }) {
  const wanted = model.earned[voucher];
  const expected = model.spend(wanted, { total: 13700, currency: 'EUR' });
  const body = bodyOf({ cents: 13700, voucher_code: wanted.code, payment_terms: 'prepaid' });
  const answer = expectAnswer(await shop.post('/v1/orders', body, { key: newKey() }), expected);
  if (!expected.order) return;
  model.ended(expected.order, 'expired');
  await untilShown(wanted);
  assert.equal((await shop.order(answer.json.id)).status, 'expired');
}

/** Held, given back, redeemed by hand and given back, ended by an operator. */
const deeds = {
  reserve: (voucher, holder) => desk.reserve(voucher, holder),
  release: (voucher, holder) => desk.release(voucher, holder),
  redeem: (voucher, holder) => desk.redeem(voucher, 'receipt', { holder }),
  rollBack: (voucher) => desk.rollBack(voucher.redemptions[0]),
  rollBackAgain: (voucher) => desk.rollBack(voucher.redemptions.at(-1)),
  end: (voucher) => desk.makeVoid(voucher),
};

async function use(model, real, { voucher, how, holder }) {
  const used = model.earned[voucher];
  const answer = expectAnswer(await deeds[how](used, holder), model[how](used, holder));
  if (answer.status === 201) remember(used, answer.json.redemption);
}

/** How many redemptions must have been seen. */
const SEEN = { rollBack: 1, rollBackAgain: 2 };

function usable(model, wish) {
  const { redemptions = [] } = model.earned[wish.voucher] ?? {};
  return earned(model, wish) && redemptions.length >= (SEEN[wish.how] ?? 0);
}

/** The order that earned it is returned: nobody sees that in a voucher that is in use, until it is not. */
async function undo(model, real, { voucher }) {
  const undone = model.earned[voucher];
  await shop.move(undone.earner.id, 'returned');
  model.undone(undone);
  await untilQuiet(stack);
}

const undoable = (model, wish) => earned(model, wish) && model.earned[wish.voucher].earner.status === 'sent';

/** A year passes. */
async function endTime(model, real, { voucher }) {
  const ended = model.earned[voucher];
  await desk.endTime(ended);
  model.timeIsOver(ended);
  await untilShown(ended);
}

/** A voucher, by id or by code, by whoever may see it. */
async function read(model, real, { voucher, byCode, foreign }) {
  const found = model.earned[voucher];
  const path = `/v1/vouchers/${byCode ? found.code : found.id}`;
  if (foreign) {
    expectAnswer(await stranger.get(path), NOT_FOUND);
    return;
  }
  const expected = { status: 200, version: found.events.length, body: { ...shownOf(found), code: found.code } };
  expectAnswer(await vouchers.get(path), expected);
}

async function list(model, real, { customer, status }) {
  const customerId = `${real.prefix} ${customer}`;
  const fits = (voucher) =>
    voucher.earner.customerId === customerId && (status === undefined || voucher.status === status);
  const query = { customer_id: customerId, limit: 2, ...(status && { status }) };
  const found = await vouchers.all('/v1/vouchers', query);
  const told = ({ id, status }) => ({ id, status });
  assert.deepEqual(found.map(told), model.vouchers.filter(fits).map(told).reverse());
  for (const { code } of found) assert.match(code, /^\*{4}-\*{4}-\*{2}..-\*$/);
  assert.deepEqual(await stranger.all('/v1/vouchers', query), []);
}

const STATES = { none: 2, active: 1, reserved: 1, redeemed: 1, expired: 1, voided: 1 };

const steps = [
  step('earn', 5, { voucher, cents: fc.constantFrom(10000, 10001, 10001, 13700), currency: chosen({ EUR: 6, USD: 1 }),
    customer: chosen({ ada: 1, bob: 1 }) }, earn),
  step('spend', 5, { voucher, order, cents, currency: chosen({ EUR: 6, USD: 1 }), unknown: fc.nat(9).map((n) => n === 0) },
    spend, earned),
  step('race', 3, { voucher, order, cents, repeated: fc.boolean() }, race, earned),
  step('move', 6, { order, to: chosen({ canceled: 3, sent: 1 }) }, move, spent),
  step('let expire', 1, { voucher }, letExpire, earned),
  step('use', 6, { voucher, holder, how: chosen({ reserve: 3, release: 2, redeem: 2, rollBack: 3, rollBackAgain: 1, end: 1 }) }, use, usable),
  step('undo', 1, { voucher }, undo, undoable),
  step('end time', 1, { voucher }, endTime, earned),
  step('read', 2, { voucher, byCode: fc.boolean(), foreign: fc.nat(2).map((n) => n === 0) }, read, earned),
  step('list', 1, { customer: chosen({ ada: 1, bob: 1 }), status: chosen(STATES) }, list),
];

/* --- what is left of a sequence ---------------------------------------------------------------- */

/** Each order earned what it should and no more, and each voucher's log tells what happened to it. */
async function expectHistory(model, real) {
  await untilQuiet(stack);
  for (const { id } of real.earners) {
    const listed = await vouchers.all('/v1/vouchers', { order_id: id });
    const due = model.vouchers.filter(({ earner }) => earner.id === id);
    assert.deepEqual(listed.map((each) => each.id), due.map((each) => each.id));
  }
  for (const voucher of model.vouchers) {
    assert.deepEqual(await desk.typesOf(voucher), voucher.events);
    expectAnswer(await vouchers.get(`/v1/vouchers/${voucher.id}`), { ...model.answer(200, voucher) });
  }
}

function begin() {
  const real = { prefix: randomUUID(), earners: [] };
  return { model: Object.assign(new VoucherModel(), { earned: {}, spent: {} }), real };
}

test('vouchers and their model never disagree', async (t) => {
  await expectAgreement(t, steps, { runs: propertyRuns(15), begin, end: expectHistory });
});

test('afterwards the audit is clean', async () => {
  await expectCleanAudit(stack);
});
