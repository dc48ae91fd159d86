/*
 * Payments and refunds against a model of them: whatever is asked in whatever order, legal or not, the
 * service answers what the model says, the orders follow, and the bank's book says the same.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';

import fc from 'fast-check';

import { expectCleanAudit } from '../support/audit.js';
import { expectBankAgrees, untilSettled } from '../support/book.js';
import { expectAnswer } from '../support/expected.js';
import { makeKey } from '../support/keys.js';
import { CARDS, PaymentModel, shownOf } from '../support/payment_model.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { chosen, expectAgreement, propertyRuns, step } from '../support/steps.js';
import { byCard, byTransfer, openTill, orderOf } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
after(() => till.close());

/* Who asks, and what for; what is made belongs to the first of its merchant. */
const TILL = ['payments:write', 'payments:read', 'refunds:write'];
const callers = {
  owner: { merchant: 'demo', scopes: TILL, payments: till.payments },
  stranger: await callerOf('other', TILL),
  looker: await callerOf('demo', ['payments:read']),
  nobody: { merchant: 'demo', payments: till.payments.as(undefined) },
};

async function callerOf(merchant, scopes) {
  return { merchant, scopes, payments: stack.payments(await makeKey(stack, merchant, scopes)) };
}

const ownerOf = ({ merchant }) => Object.values(callers).find((each) => each.merchant === merchant);

const NOBODYS = '01940000-0000-7000-8000-00000000dead';

/** What of the service a sequence touches: keys of its own, and how to ask it. */
class Real {
  constructor() {
    this.prefix = randomUUID();
    this.asked = new Map();
    this.fresh = 0;
  }

  /** Asks the service and the model the same, and waits for what follows by itself. */
  async ask(model, request) {
    if (request.key) this.asked.set(request.key, request);
    const expected = request.predict(request);
    const { caller, path, body, key } = request;
    const answer = await caller.payments.post(path, body, { key: key && `${this.prefix} ${key}` });
    expectAnswer(answer, expected);
    if (answer.status < 300) await this.learn(model, expected, answer);
    return expected;
  }

  /** What only the service can know. */
  async learn(model, { payment, refund }, answer) {
    const made = payment ?? refund;
    made.id ??= answer.json.id;
    assert.equal(answer.json.id, made.id, 'another one was answered');
    if (payment?.status === 'requires_action') payment.next_action = answer.json.next_action;
    const { order } = payment ?? refund.payment;
    if (order) await untilFollowed(order);
  }

  /** "new" is a key that nobody used. */
  key(name) {
    return name === 'new' ? `new ${this.fresh++}` : name;
  }
}

const untilFollowed = ({ id, status, payment_status }) => till.untilOrder({ id }, { status, payment_status });

/* --- what is chosen ---------------------------------------------------------------------------- */

const payment = chosen({ p: 4, q: 1 });
const order = chosen({ a: 4, b: 1 });
const caller = chosen({ owner: 16, stranger: 2, looker: 1, nobody: 1 });
const key = chosen({ new: 8, k1: 1, k2: 1, none: 1 });
/* Of what is done with a payment: each of them has keys of its own. */
const keyOfAct = chosen({ new: 4, k1: 3, k2: 3, none: 1 });
const amount = fc.constantFrom(undefined, undefined, undefined, 0, 1, 2500, 5000, 10001);

const paid = ({ paid }, wish) => paid[wish.payment] !== undefined;
const ordered = ({ ordered }, wish) => ordered[wish.order] !== undefined;

async function makeOrder(model, real, { order, terms, cents }) {
  const { id, amount_due: due } = await till.shop.createOrder(orderOf(cents, { payment_terms: terms }));
  model.ordered[order] = model.addOrder({ id, merchant: 'demo', terms, due });
  await untilFollowed(model.ordered[order]);
}

async function pay(model, real, wish) {
  const order = wish.order && (model.ordered[wish.order] ?? { id: NOBODYS });
  const card = CARDS[wish.card];
  const money = order ? { amount: wish.amount, currency: wish.currency } : { amount: wish.amount ?? 5000, currency: 'EUR' };
  const body = {
    order_id: order?.id,
    ...money,
    capture_method: wish.capture,
    payment_method: card ? byCard(card.number) : byTransfer,
  };
  const request = { caller: callers[wish.caller], path: '/v1/payments', body, key: real.key(wish.key), order, card };
  const expected = await real.ask(model, { ...request, predict: (asked) => model.pay(asked) });
  if (expected.payment) model.paid[wish.payment] = expected.payment;
}

const payments = {
  payment,
  caller,
  key,
  order: chosen({ a: 8, b: 2, none: 8, nowhere: 1 }),
  card: chosen({ approved: 8, declined: 1, expired: 1, challenged: 4, none: 1 }),
  capture: chosen({ none: 2, automatic: 1, manual: 2 }),
  amount,
  currency: chosen({ none: 9, EUR: 2, USD: 1 }),
};

async function act(model, real, { payment, caller, key, how, amount, unknown, twice }) {
  const found = unknown ? undefined : model.paid[payment];
  const path = `/v1/payments/${found?.id ?? NOBODYS}/${how}`;
  const body = how === 'cancel' ? {} : { amount };
  const request = { caller: callers[caller], path, payment: found, how, body, key: real.key(key) };
  const predict = (asked) => (how === 'refunds' ? model.refund(asked) : model.act(asked));
  await real.ask(model, { ...request, predict });
  if (twice) await real.ask(model, { ...request, predict });
}

const actions = {
  payment,
  caller,
  key: keyOfAct,
  how: chosen({ capture: 2, cancel: 4, refunds: 5 }),
  amount,
  unknown: fc.nat(19).map((n) => n === 0),
  twice: fc.nat(3).map((n) => n === 0),
};

/** The customer at the bank's page. */
const challenge = (model, real, { payment, outcome }) => answerChallenge(model, model.paid[payment], outcome);

async function answerChallenge(model, challenged, outcome) {
  await till.challenge(challenged, outcome);
  model.challenge(challenged, outcome);
  await untilShown(challenged);
  if (challenged.order) await untilFollowed(challenged.order);
}

const challenged = (model, wish) => model.paid[wish.payment]?.status === 'requires_action';

/** A move of the order, of which payment-service learns from its event. */
async function moveOrder(model, real, { order, to }) {
  const moved = model.ordered[order];
  const already = moved.status === to;
  const legal = already || model.moveOrder(moved, to);
  const answer = await till.shop.patch(`/v1/orders/${moved.id}`, { status: to });
  if (!legal) {
    expectProblem(answer, 409, 'illegal_transition');
    return;
  }
  expectStatus(answer, 200);
  if (moved.closed) await untilUndone(model, moved);
}

/** What was paid for an order that has ended goes back by itself. */
async function untilUndone(model, order) {
  await waitFor(`order ${order.id} to be closed`, () =>
    till.database.value('SELECT closed FROM payable_orders WHERE id = $1', [order.id]),
  );
  for (const payment of model.paymentsOf(order)) await untilShown(payment);
  await untilFollowed(order);
}

/** Waits until the payment is as the model has it. */
function untilShown(payment) {
  const { status, version } = shownOf(payment);
  return waitFor(`payment ${payment.id} to be ${status} at version ${version}`, async (seen) => {
    const now = expectStatus(await ownerOf(payment).payments.get(`/v1/payments/${payment.id}`), 200).json;
    seen(now);
    return now.status === status && now.version >= version;
  });
}

/** The request that came with a key, once more, or another one with that key. */
async function again(model, real, { key, other }) {
  const request = real.asked.get(key);
  const body = { ...request.body, amount: other };
  await real.ask(model, other && request.how !== 'cancel' ? { ...request, body } : request);
}

async function read(model, real, { payment, caller }) {
  const found = payment && model.paid[payment];
  const expected = model.read({ caller: callers[caller], payment: found });
  expectAnswer(await callers[caller].payments.get(`/v1/payments/${found?.id ?? NOBODYS}`), expected);
}

const steps = [
  step('order', 3, { order, terms: chosen({ prepaid: 2, invoice: 1 }), cents: fc.constantFrom(0, 10000, 10000) }, makeOrder),
  step('pay', 5, payments, pay,
    ({ ordered }, wish) => [undefined, 'nowhere'].includes(wish.order) || ordered[wish.order] !== undefined),
  step('act', 18, actions, act, paid),
  step('challenge', 3, { payment, outcome: chosen({ pass: 2, fail: 1 }) }, challenge, challenged),
  step('move', 1, { order, to: chosen({ sent: 3, canceled: 2, delivered: 1, returned: 2 }) }, moveOrder, ordered),
  step('again', 4, { key: chosen({ k1: 1, k2: 1 }), other: chosen({ none: 3, different: 1 }).map((some) => some && 77) },
    again, ({ asked }, wish) => asked.has(wish.key)),
  step('read', 1, { payment, caller }, read, paid),
];

/* --- what is left of a sequence ---------------------------------------------------------------- */

/** Payments, refunds, lists and logs are as the model has them, and so is the bank's book. */
async function expectBooks(model) {
  /* The bank does not wait for its customers for ever. */
  const waiting = model.payments.filter(({ status }) => status === 'requires_action');
  for (const payment of waiting) await answerChallenge(model, payment, 'fail');
  for (const payment of model.payments) {
    const owner = ownerOf(payment);
    expectAnswer(await owner.payments.get(`/v1/payments/${payment.id}`), model.read({ caller: owner, payment }));
    assert.deepEqual(await till.events(payment), payment.events);
    await expectRefunds(owner, payment, model.refundsOf(payment));
  }
  for (const order of model.orders) {
    const listed = await till.payments.all('/v1/payments', { order_id: order.id });
    assert.deepEqual(listed.map(({ id }) => id), model.paymentsOf(order).map(({ id }) => id).reverse());
    await untilFollowed(order);
  }
  await untilSettled(till);
  await expectBankAgrees(stack, till);
}

async function expectRefunds(owner, payment, refunds) {
  const listed = await owner.payments.all('/v1/refunds', { payment_id: payment.id });
  const toldOf = ({ amount, reason, status }) => ({ amount, reason, status });
  assert.deepEqual(listed.map(toldOf), refunds.map(toldOf).reverse());
  for (const refund of listed) {
    assert.deepEqual(await till.events(refund), ['refund.created', 'refund.succeeded']);
  }
}

function begin() {
  const real = new Real();
  const model = Object.assign(new PaymentModel(), { ordered: {}, paid: {}, asked: real.asked });
  return { model, real };
}

test('payments and their model never disagree', async (t) => {
  await expectAgreement(t, steps, { runs: propertyRuns(40), begin, end: expectBooks });
});

test('afterwards the audit is clean', async () => {
  await expectCleanAudit(stack);
});
