/*
 * Orders against a model of them: whatever is asked in whatever order, legal or not, the service
 * answers what the model says, and its log tells what the model did.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';

import fc from 'fast-check';

import { expectCleanAudit } from '../support/audit.js';
import { openInspector, openSuperuser } from '../support/database.js';
import { expectAnswer } from '../support/expected.js';
import { makeKey } from '../support/keys.js';
import { movesOf, ORDER_MOVES, OrderModel, shownOf } from '../support/order_model.js';
import { expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { chosen, expectAgreement, propertyRuns, step } from '../support/steps.js';
import { waitFor } from '../support/wait.js';
import { earnVouchers, untilVoucher } from '../support/wallet.js';

const stack = await startStack({ WRONG_CODES_MAX: '100000' });
after(() => stack.stop());

const orders = await openInspector(stack, 'orders');
const god = await openSuperuser(stack, 'orders');
after(() => Promise.all([orders.close(), god.close()]));
const shop = stack.shop();

/* Who asks, and what for; an order's owner is the first of its merchant. */
const SHOP = ['orders:write', 'orders:fulfil', 'orders:read', 'vouchers:write'];
const callers = {
  owner: { merchant: 'demo', scopes: SHOP, shop },
  stranger: await callerOf('other', SHOP),
  clerk: await callerOf('demo', ['orders:write', 'orders:read']),
  carrier: await callerOf('demo', ['orders:fulfil', 'orders:read']),
  nobody: { merchant: 'demo', shop: shop.as(undefined) },
};

async function callerOf(merchant, scopes) {
  return { merchant, scopes, shop: shop.as(await makeKey(stack, merchant, scopes)) };
}

/** What of the service a sequence touches: customers and keys of its own, and vouchers that it earns. */
class Real {
  constructor() {
    this.prefix = randomUUID();
    this.asked = new Map();
    this.vouchers = {};
  }

  name(word) {
    return word && `${this.prefix} ${word}`;
  }

  async voucher(slot) {
    this.vouchers[slot] ??= (await earnVouchers(stack, 1, { shop }))[0];
    return this.vouchers[slot];
  }

  /** Asks the service and the model the same; what a request with a key was is kept, to be repeated. */
  async ask(model, request) {
    if (request.key) this.asked.set(request.key, request);
    const expected = request.order === undefined && request.path === undefined
      ? model.create(request)
      : model.change(request);
    const answer = expectAnswer(await this.send(request), expected);
    if (answer.status < 300) await this.learn(expected, answer);
    return expected;
  }

  send({ caller, path = '/v1/orders', order, body, key, ifMatch }) {
    const headers = ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` };
    const options = { key: this.name(key), headers };
    if (order === undefined && path === '/v1/orders') return caller.shop.post(path, body, options);
    return caller.shop.patch(order ? pathOf(order) : path, body, options);
  }

  /** What only the service can know: ids, and the bytes of its answers. */
  async learn(expected, answer) {
    const { order } = expected;
    order.id ??= answer.json.id;
    assert.equal(answer.json.id, order.id, 'another order was answered');
    if (answer.status === 201) assert.equal(answer.headers.location, pathOf(order));
    expected.text = answer.text;
    order.texts ??= new Map();
    order.texts.set(answer.json.version, answer.text);
    await givenBack(order);
  }
}

const pathOf = ({ id }) => `/v1/orders/${id}`;
const NOWHERE = '/v1/orders/01940000-0000-7000-8000-00000000dead';

/**
 * The voucher of an order that came to nothing is free again before anybody asks for it; once another
 * order has it, it stays with that one, whatever becomes of the first.
 */
async function givenBack({ status, voucher }) {
  if (voucher && !voucher.usedBy && ['canceled', 'expired'].includes(status)) {
    await untilVoucher(stack.vouchers(), voucher.id, 'active');
  }
}

/* --- what is chosen ---------------------------------------------------------------------------- */

const slot = chosen({ a: 3, b: 2, c: 1 });
const caller = chosen({ owner: 12, stranger: 1, clerk: 1, carrier: 1, nobody: 1 });
const key = chosen({ none: 2, k1: 1, k2: 1, k3: 1 });
const there = ({ slots }, { slot }) => slots[slot] !== undefined;

const creation = {
  slot,
  caller,
  key,
  customer: chosen({ ada: 2, bob: 1 }),
  terms: chosen({ none: 1, prepaid: 1, invoice: 2 }),
  cents: fc.constantFrom(0, 300, 10000, 13700),
  quantity: fc.constantFrom(1, 1, 3),
  currency: chosen({ EUR: 4, USD: 1 }),
  total: chosen({ none: 6, right: 2, wrong: 1 }),
  voucher: chosen({ none: 5, x: 2, y: 1 }),
};

async function create(model, real, wish) {
  const { cents, quantity, total } = wish;
  const voucher = wish.voucher && (await real.voucher(wish.voucher));
  const body = {
    customer: { id: real.name(wish.customer) },
    currency: wish.currency,
    lines: [{ sku: 'ITEM-1', name: 'Item', quantity, unit_amount: cents }],
    payment_terms: wish.terms,
    total_amount: total && cents * quantity + (total === 'wrong' ? 1 : 0),
    voucher_code: voucher?.code,
  };
  const request = { caller: callers[wish.caller], key: wish.key, body, voucher };
  const { order } = await real.ask(model, request);
  if (order) model.slots[wish.slot] = order;
}

/* Every state that there is, asked for. */
const states = [...new Set(ORDER_MOVES.flatMap(({ from, to }) => [from, to]))];
const status = chosen({ none: 2, ...Object.fromEntries(states.map((name) => [name, 1])) });
const change = {
  slot,
  caller,
  key,
  status,
  metadata: fc.constantFrom(undefined, undefined, undefined, { n: 'x' }, { n: 'y', m: 'x' }, { n: null }, {}),
  version: chosen({ none: 4, right: 2, stale: 1, ahead: 1 }),
  twice: fc.nat(3).map((n) => n === 0),
};

const ifMatchOf = ({ version }, which) =>
  ({ right: version, stale: version - 1, ahead: version + 1 })[which];

async function patch(model, real, { slot, caller, key, status, metadata, version, twice }) {
  const order = model.slots[slot];
  const request = { caller: callers[caller], order, key, body: { status, metadata } };
  const asked = { ...request, ifMatch: ifMatchOf(order, version) };
  await real.ask(model, asked);
  if (twice) await real.ask(model, asked);
}

/** A move that the table has: without it most sequences would end in refusals. */
async function move(model, real, { slot, key, which }) {
  const order = model.slots[slot];
  const moves = movesOf(order);
  const body = { status: moves[which % moves.length] };
  await real.ask(model, { caller: ownerOf(order), order, key, body });
}

const ownerOf = ({ merchant }) => Object.values(callers).find((each) => each.merchant === merchant);
const movable = (model, wish) => there(model, wish) && movesOf(model.slots[wish.slot]).length > 0;

/** The request that came with a key, once more, or another one with that key. */
async function again(model, real, { key, other }) {
  const request = real.asked.get(key);
  const changed = request.body.lines ? { client_reference: other } : { metadata: { n: other } };
  await real.ask(model, other ? { ...request, body: { ...request.body, ...changed } } : request);
}

async function unknown(model, real, { caller, key, status }) {
  const request = { caller: callers[caller], path: NOWHERE, key: key && `${key} nowhere`, body: { status } };
  await real.ask(model, request);
}

async function read(model, real, { slot, caller }) {
  const order = slot && model.slots[slot];
  const expected = model.read({ caller: callers[caller], order });
  expectAnswer(await callers[caller].shop.get(order ? pathOf(order) : NOWHERE), expected);
}

async function list(model, real, { customer, caller, status }) {
  const asked = { customer: real.name(customer), status };
  const expected = model.list({ caller: callers[caller], ...asked });
  const query = new URLSearchParams({ customer_id: asked.customer, limit: 2, ...(status && { status }) });
  if (expected.status !== 200) {
    expectAnswer(await callers[caller].shop.get(`/v1/orders?${query}`), expected);
    return;
  }
  const found = await callers[caller].shop.all('/v1/orders', Object.fromEntries(query));
  assert.deepEqual(found.map(stateOf), expected.orders.map((order) => stateOf({ id: order.id, ...shownOf(order) })));
}

const stateOf = ({ id, status, version, amount_due: due }) => ({ id, status, version, due });

/** Its time is over, as if a day had passed. */
async function expire(model, real, { slot }) {
  const order = model.slots[slot];
  await god.rows("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1", [order.id]);
  model.move(order, 'expired');
  await waitFor(`order ${order.id} to expire`, async (seen) => {
    const found = await ownerOf(order).shop.order(order.id);
    seen(found);
    return found.status === 'expired';
  });
  await givenBack(order);
}

const expirable = (model, wish) => there(model, wish) && movesOf(model.slots[wish.slot], 'time').length > 0;

const steps = [
  step('create', 5, creation, create),
  step('patch', 8, change, patch, there),
  step('move', 5, { slot, key, which: fc.nat(3) }, move, movable),
  step('again', 3, { key: chosen({ k1: 1, k2: 1, k3: 1 }), other: chosen({ none: 3, z: 1 }) }, again,
    ({ asked }, wish) => asked.has(wish.key)),
  step('unknown', 1, { caller, key, status }, unknown),
  step('read', 1, { slot: chosen({ none: 1, a: 1, b: 1, c: 1 }), caller }, read,
    ({ slots }, wish) => wish.slot === undefined || slots[wish.slot] !== undefined),
  step('list', 1, { customer: chosen({ ada: 1, bob: 1 }), caller, status }, list),
  step('expire', 1, { slot }, expire, expirable),
];

/* --- what is left of a sequence ---------------------------------------------------------------- */

/** Each order reads as the model has it, and its log and its timeline tell what happened to it. */
async function expectHistory(model) {
  for (const order of model.orders) {
    const owner = ownerOf(order);
    expectAnswer(await owner.shop.get(pathOf(order)), model.read({ caller: owner, order }));
    const events = await orders.rows(
      `SELECT type, subject_version AS version, data::text AS data FROM events WHERE subject = $1
       ORDER BY subject_version`,
      [order.id],
    );
    assert.deepEqual(events.map(({ type }) => type), order.events);
    assert.deepEqual(events.map(({ version }) => version), order.events.map((_, i) => i + 1));
    for (const { version, data } of events) assert.equal(order.texts.get(version) ?? data, data);
    const timeline = expectStatus(await owner.shop.get(`${pathOf(order)}/timeline`), 200).json;
    const own = timeline.entries.filter(({ source }) => source === '/order-service');
    assert.deepEqual(own.map(({ type }) => type), order.events);
  }
}

function begin() {
  const model = new OrderModel();
  const real = new Real();
  return { model: Object.assign(model, { slots: {}, asked: real.asked }), real };
}

test('orders and their model never disagree', async (t) => {
  await expectAgreement(t, steps, { runs: propertyRuns(50), begin, end: expectHistory });
});

test('afterwards the audit is clean', async () => {
  await expectCleanAudit(stack);
});
