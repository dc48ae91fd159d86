/*
 * Bad input to payments: a 4xx that names the field or the state, nothing stored, no bank asked.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { makeKey } from '../support/keys.js';
import { badBodies } from '../support/naughty.js';
import { expectProblem, expectStatus, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, byTransfer, openTill } from '../support/till.js';

/* payment-service/payment.h and card.h */
const AMOUNT_MAX = 10 ** 15;
const CARD_YEARS_MAX = 50;

const stack = await startStack();
after(() => stack.stop());

const till = await openTill(stack);
const bank = await openInspector(stack, 'bank');
after(() => Promise.all([till.close(), bank.close()]));

const stranger = stack.payments(
  await makeKey(stack, 'stranger', ['payments:read', 'payments:write', 'refunds:write']),
);

/* One payment in each state that a test asks to do something with. */
const money = { amount: 4711, currency: 'EUR' };
const make = async (card, overrides) => (await till.pay(money, byCard(card), overrides)).json;
const succeeded = await till.paid(4711);
const failed = await make('4000000000000002');
const authorized = await till.authorized(4711);
const challenged = await make('4000002760003184');
const canceled = expectStatus(await till.act(await till.authorized(4711), 'cancel'), 200).json;
const partly = await till.paid(4711);
expectStatus(await till.act(partly, 'refunds', { amount: 4000 }), 201);
const openOrder = await till.order(4711);
const canceledOrder = await till.order(4711);
await till.shop.move(canceledOrder.id, 'canceled');
await till.untilOrder(canceledOrder, { status: 'canceled' });

/** What is stored, how often each payment was changed, and what the bank was asked. */
const state = async () =>
  JSON.stringify([
    await till.database.rows(
      `SELECT (SELECT count(*) FROM payments) AS payments, (SELECT sum(revision + version) FROM payments) AS versions,
              (SELECT count(*) FROM refunds) AS refunds, (SELECT count(*) FROM attempts) AS attempts,
              (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM idempotency_keys) AS keys,
              (SELECT sum(amount_reserved) FROM payable_orders) AS reserved`,
    ),
    await bank.value('SELECT count(*) FROM entries'),
  ]);

async function storingNothing(work) {
  const before = await state();
  await work();
  assert.equal(await state(), before, 'something was stored');
}

const literal = (text) => ({ $raw: text });

/** JSON with literals that JavaScript has no number for. */
const raw = (body) => JSON.stringify(body).replace(/\{"\$raw":"([^"]*)"\}/g, '$1');

const post = (body, options) => till.post(raw(body), options);

/** A payment's body; `card` replaces members of the card, undefined removes one. */
const payment = (overrides = {}, card = {}, number = '4242424242424242') => ({
  ...money,
  payment_method: byCard(number, card),
  ...overrides,
});

/** A row: what is wrong, the body, the pointers that are named, and the code of the first. */
function refuses(name, body, pointers, code) {
  test(`a payment with ${name} is refused`, () =>
    storingNothing(async () => {
      const answer = await post(body);
      const problem = expectProblem(answer, 422, 'validation_failed', pointers);
      if (code) assert.equal(problem.errors[0].code, code, answer.text);
      assert.ok(!answer.text.includes('4242424242424242'), 'a number is not repeated');
    }));
}

const amounts = {
  0: 0,
  '-1': -1,
  '-0.0': literal('-0.0'),
  '1.0': literal('1.0'),
  '1e2': literal('1e2'),
  'a text': '100',
  'one more than the most': AMOUNT_MAX + 1,
  '2^53': literal('9007199254740992'),
  '2^63 - 1': literal('9223372036854775807'),
  '2^63': literal('9223372036854775808'),
  '-2^63 - 1': literal('-9223372036854775809'),
  true: true,
  'a list': [100],
  'an object': {},
};

describe('amounts', () => {
  for (const [name, amount] of Object.entries(amounts)) {
    refuses(`an amount of ${name}`, payment({ amount }), ['/amount']);
    refuses(
      `an order and an amount of ${name}`,
      { order_id: openOrder.id, amount, payment_method: byCard() },
      ['/amount'],
    );
    for (const [what, target] of [
      ['capture', authorized],
      ['refunds', succeeded],
    ]) {
      test(`${what} refuses an amount of ${name}`, () =>
        storingNothing(async () => {
          const answer = await till.act(target, what, raw({ amount }));
          expectProblem(answer, 422, 'validation_failed', ['/amount']);
        }));
    }
  }
  refuses('no amount', payment({ amount: undefined }), ['/amount'], 'required');
  refuses('an amount of null', payment({ amount: null }), ['/amount'], 'required');

  test('the largest amount is taken, and the smallest', async () => {
    for (const amount of [AMOUNT_MAX, 1]) {
      const paid = expectStatus(await post(payment({ amount })), 201).json;
      assert.deepEqual([paid.status, paid.amount_captured], ['succeeded', amount]);
    }
  });

  test('an order takes no more than is due', () =>
    storingNothing(async () => {
      const answer = await till.pay(openOrder, byCard(), { amount: 4712 });
      expectProblem(answer, 422, 'validation_failed', ['/amount']);
    }));
});

describe('currencies', () => {
  const none = ['eur', 'Eur', 'EURO', 'EU', '', 'ZZZ', 'DEM', 'FRF', 'XAU', 'XXX', 'XTS', '978', 'EUR ', 'ＥＵＲ'];
  for (const currency of none) {
    refuses(`the currency ${JSON.stringify(currency)}`, payment({ currency }), ['/currency']);
  }
  for (const currency of [978, null, undefined, ['EUR'], true]) {
    refuses(`a currency that is ${JSON.stringify(currency)}`, payment({ currency }), ['/currency']);
  }
  for (const currency of ['USD', 'usd', 'XXX']) {
    refuses(
      `the currency ${currency} for an order in EUR`,
      { order_id: openOrder.id, currency, payment_method: byCard() },
      ['/currency'],
    );
  }
  refuses(
    'another currency and an amount of 0 for an order',
    { order_id: openOrder.id, amount: 0, currency: 'Usd', payment_method: byCard() },
    ['/amount', '/currency'],
  );
});

/** The month and year some months from now, where the day ends last (UTC-12). */
function monthFromNow(months) {
  const there = new Date(Date.now() - 12 * 3_600_000);
  const then = new Date(Date.UTC(there.getUTCFullYear(), there.getUTCMonth() + months, 1));
  return { exp_month: then.getUTCMonth() + 1, exp_year: then.getUTCFullYear() };
}

describe('cards', () => {
  const at = (name) => [`/payment_method/card/${name}`];
  const numbers = {
    'blanks in it': '4242 4242 4242 4242',
    'dashes in it': '4242-4242-4242-4242',
    'a blank behind': '4242424242424242 ',
    'letters in it': '4242abcd42424242',
    'other digits': '４２４２４２４２４２４２４２４２',
    '11 digits': '42424242426',
    '12 digits, which its brand has not': '424242424242',
    '20 digits': '42424242424242424242',
    '300 digits': '4'.repeat(300),
    'a wrong check digit': '4242424242424241',
    'two digits changed places': '2424424242424242',
    'nothing in it': '',
  };
  for (const [name, number] of Object.entries(numbers)) {
    refuses(`a number with ${name}`, payment({}, {}, number), at('number'));
  }
  refuses('a number of no brand', payment({}, {}, '9999999999999995'), at('number'), 'unknown_brand');
  refuses('a number of zeros', payment({}, {}, '0000000000000000'), at('number'), 'unknown_brand');
  refuses('a number that is one', payment({}, { number: literal('4242424242424242') }), at('number'));

  const years = new Date().getUTCFullYear();
  const expiries = [
    ['a month of 0', { exp_month: 0 }, ['exp_month']],
    ['a month of 13', { exp_month: 13 }, ['exp_month']],
    ['a month of -1', { exp_month: -1 }, ['exp_month']],
    ['a month that is a text', { exp_month: '12' }, ['exp_month']],
    ['a month and a half', { exp_month: literal('1.5') }, ['exp_month']],
    ['a year of two digits', { exp_year: 34 }, ['exp_year']],
    ['a year that is a text', { exp_year: '2034' }, ['exp_year']],
    ['a year of five digits', { exp_year: 20340 }, ['exp_year']],
    ['last year', { exp_year: years - 1 }, ['exp_year']],
    ['a year that no card reaches', { exp_year: years + CARD_YEARS_MAX + 1 }, ['exp_year']],
    ['neither month nor year', { exp_month: 13, exp_year: 1 }, ['exp_month', 'exp_year']],
  ];
  for (const [name, card, names] of expiries) {
    refuses(name, payment({}, card), names.flatMap(at));
  }

  test('a card is good for the whole of its month, and not a month longer', async () => {
    expectStatus(await post(payment({}, monthFromNow(0))), 201);
    await storingNothing(async () => {
      const answer = await post(payment({}, monthFromNow(-1)));
      const { errors } = expectProblem(answer, 422, undefined, at('exp_year'));
      assert.equal(errors[0].code, 'expired_card');
    });
  });

  const amex = '378282246310005';
  const codes = [
    ['0123', '4242424242424242'],
    ['12', '4242424242424242'],
    ['12345', '4242424242424242'],
    ['836', amex],
    ['12345', amex],
    ['abc', '4242424242424242'],
    ['83 ', '4242424242424242'],
    ['-12', '4242424242424242'],
    ['８３６', '4242424242424242'],
    ['', '4242424242424242'],
    [836, '4242424242424242'],
    [literal('000'), '4242424242424242', 400],
  ];
  for (const [cvc, number, status = 422] of codes) {
    test(`the code ${JSON.stringify(cvc)} of ${number} is refused`, () =>
      storingNothing(async () => {
        const answer = await post(payment({}, { cvc }, number));
        expectProblem(answer, status, undefined, status === 422 ? at('cvc') : undefined);
      }));
  }
  test('codes are text: 000 and 0123 are some', async () => {
    expectStatus(await post(payment({}, { cvc: '000' })), 201);
    expectStatus(await post(payment({}, { cvc: '0123' }, amex)), 201);
  });

  refuses('an empty name', payment({}, { name: '' }), at('name'));
  refuses('a name one too long', payment({}, { name: '😀'.repeat(201) }), at('name'));
  for (const name of ['number', 'exp_month', 'exp_year', 'cvc']) {
    refuses(`no ${name}`, payment({}, { [name]: undefined }), at(name), 'required');
  }
  refuses(
    'all of the card wrong',
    payment({}, { exp_month: 0, exp_year: '1', cvc: 5 }, '4242424242424241'),
    ['number', 'exp_month', 'exp_year', 'cvc'].flatMap(at),
  );
});

describe('members', () => {
  const card = byCard().card;
  const rows = [
    ['nothing at all', {}, ['/amount', '/currency', '/payment_method']],
    ['no method', payment({ payment_method: undefined }), ['/payment_method']],
    ['a method that is a text', payment({ payment_method: 'card' }), ['/payment_method']],
    ['a method without a type', payment({ payment_method: {} }), ['/payment_method/type']],
    ['an unknown method', payment({ payment_method: { type: 'cash' } }), ['/payment_method/type']],
    ['a card that is missing', payment({ payment_method: { type: 'card' } }), ['/payment_method/card']],
    ['a card that is a text', payment({ payment_method: { type: 'card', card: '4242' } }), ['/payment_method/card']],
    ['a transfer with a card', payment({ payment_method: { ...byTransfer, card } }), ['/payment_method/card']],
    ['a method with more', payment({ payment_method: { ...byCard(), iban: 'x' } }), ['/payment_method/iban']],
    ['a card with more', payment({}, { pin: '1234' }), ['/payment_method/card/pin']],
    ['an id that is no UUID', payment({ id: 'x' }), ['/id']],
    ['an id that is a number', payment({ id: 1 }), ['/id']],
    ['an order that is no UUID', payment({ order_id: 'x' }), ['/order_id']],
    ['an order that is a number', payment({ order_id: 5 }), ['/order_id']],
    ['an unknown capture_method', payment({ capture_method: 'later' }), ['/capture_method']],
    ['a transfer that is to be held', payment({ payment_method: byTransfer, capture_method: 'manual' }), ['/capture_method']],
    [
      'members of the server',
      payment({ status: 'succeeded', merchant_id: 'stranger', amount_captured: 4711, amount_refunded: 0, version: 9 }),
      ['/status', '/merchant_id', '/amount_captured', '/amount_refunded', '/version'],
    ],
    [
      'more members of the server',
      payment({ gateway: 'bank-c', failure: null, orphaned: false, expires_at: null, next_action: null }),
      ['/gateway', '/failure', '/orphaned', '/expires_at', '/next_action'],
    ],
    ['a name in capitals', payment({ Amount: 1 }), ['/Amount']],
  ];
  for (const [name, body, pointers] of rows) refuses(name, body, pointers);

  for (const [what, target, pointer] of [
    ['capture', authorized, '/currency'],
    ['cancel', authorized, '/reason'],
    ['refunds', succeeded, '/status'],
  ]) {
    test(`${what} refuses a member that it does not know`, () =>
      storingNothing(async () => {
        const answer = await till.act(target, what, { [pointer.slice(1)]: 'x' });
        expectProblem(answer, 422, 'validation_failed', [pointer]);
      }));
  }

  for (const [name, reason] of [
    ['an empty reason', ''],
    ['a reason one too long', 'x'.repeat(201)],
    ['a reason that is a number', 5],
    ['a reason with a NUL', '\0'],
  ]) {
    test(`a refund is refused for ${name}`, () =>
      storingNothing(async () => {
        const answer = await till.act(succeeded, 'refunds', { reason });
        assert.ok([400, 422].includes(answer.status), answer.text);
        expectProblem(answer, answer.status, undefined, answer.status === 422 ? ['/reason'] : undefined);
      }));
  }
});

describe('bodies that cannot be read', () => {
  const optional = { empty: true }; /* what has no member that is required may be left out */
  const routes = {
    '/v1/payments': (body) => till.post(body),
    '/v1/payments/{id}/capture': (body) => till.act(failed, 'capture', body),
    '/v1/payments/{id}/cancel': (body) => till.act(failed, 'cancel', body),
    '/v1/payments/{id}/refunds': (body) => till.act(failed, 'refunds', body),
  };
  for (const [route, send] of Object.entries(routes)) {
    for (const [name, body, statuses = [400]] of badBodies) {
      const more = optional[name] && route !== '/v1/payments' ? [409] : [];
      test(`POST ${route} refuses a body that is ${name}`, () =>
        storingNothing(async () => {
          const answer = await send(body);
          assert.ok([...statuses, ...more].includes(answer.status), `${answer.status} ${answer.text}`);
          expectProblem(answer, answer.status);
        }));
    }
  }
});

describe('orders and payments that are not there', () => {
  const unknown = randomUUID();
  const without = ({ instance, ...problem }) => problem;

  test('an unknown order is 404, and so is one of another merchant, with the same body', () =>
    storingNothing(async () => {
      const body = (order_id) => ({ order_id, payment_method: byCard() });
      const mine = expectProblem(await till.post(body(unknown)), 404, 'order_not_found');
      const theirs = await stranger.post('/v1/payments', body(openOrder.id), { key: newKey() });
      assert.deepEqual(without(expectProblem(theirs, 404)), without(mine));
    }));

  test('a canceled order is 409, and named', () =>
    storingNothing(async () => {
      const problem = expectProblem(await till.pay(canceledOrder), 409, 'order_not_payable');
      assert.match(problem.detail, /canceled/);
    }));

  const asked = [
    ['GET', ''],
    ['GET', '/attempts'],
    ['POST', '/capture'],
    ['POST', '/cancel'],
    ['POST', '/refunds'],
  ];
  for (const [method, suffix] of asked) {
    const ask = (at, id) =>
      at.request(method, `/v1/payments/${id}${suffix}`, method === 'POST' ? { body: {}, key: newKey() } : {});

    test(`${method} /v1/payments/{id}${suffix}: another merchant's payment is missing, like one that is not there`, () =>
      storingNothing(async () => {
        const missing = expectProblem(await ask(stranger, unknown), 404);
        for (const { id } of [succeeded, authorized, challenged]) {
          assert.deepEqual(without(expectProblem(await ask(stranger, id), 404)), without(missing));
        }
      }));

    test(`${method} /v1/payments/{id}${suffix}: what is no id is not found`, () =>
      storingNothing(async () => {
        for (const id of ['x', '0', "1'%20OR%20'1'='1", '%F0%9F%92%A9', 'a'.repeat(2000), `${unknown}0`]) {
          expectProblem(await ask(till.payments, id), 404);
        }
      }));
  }

  test("lists show nothing of another merchant's, and refuse what they do not know", async () => {
    assert.deepEqual(await stranger.all('/v1/payments'), []);
    assert.deepEqual(await stranger.all('/v1/refunds'), []);
    assert.deepEqual(await stranger.all('/v1/payments', { order_id: openOrder.id }), []);
    for (const query of ['status=paid', 'limit=0', 'limit=101', 'limit=x', 'cursor=x', 'order_id=x', 'color=red', 'created_after=now']) {
      for (const path of ['/v1/payments', '/v1/refunds']) {
        const answer = await till.payments.get(`${path}?${query}`);
        assert.ok([400, 422].includes(answer.status), `${path}?${query}: ${answer.status}`);
        expectProblem(answer, answer.status, undefined, [`?${query.split('=')[0]}`]);
      }
    }
  });
});

describe('states', () => {
  const illegal = [
    ['capture', succeeded, 'succeeded', []],
    ['capture', failed, 'succeeded', []],
    ['capture', canceled, 'succeeded', []],
    ['capture', challenged, 'succeeded', ['canceled']],
    ['cancel', succeeded, 'canceled', []],
    ['cancel', failed, 'canceled', []],
  ];
  for (const [what, target, to, allowed] of illegal) {
    test(`${what} of a payment that is ${target.status} is 409, and says from, to and allowed`, () =>
      storingNothing(async () => {
        const problem = expectProblem(await till.act(target, what), 409, 'illegal_transition');
        assert.deepEqual([problem.from, problem.to, problem.allowed], [target.status, to, allowed]);
      }));
  }

  for (const target of [failed, canceled, authorized, challenged]) {
    test(`a refund of a payment that is ${target.status} is 409`, () =>
      storingNothing(async () => {
        const problem = expectProblem(await till.act(target, 'refunds'), 409, 'payment_not_refundable');
        assert.match(problem.detail, new RegExp(target.status));
      }));
  }

  test('more than was authorized is not captured', () =>
    storingNothing(async () => {
      expectProblem(await till.act(authorized, 'capture', { amount: 4712 }), 422, undefined, ['/amount']);
      expectProblem(await till.act(authorized, 'capture', { amount: AMOUNT_MAX }), 422, undefined, ['/amount']);
    }));

  test('more than was captured is not given back, nor more than is left', () =>
    storingNothing(async () => {
      expectProblem(await till.act(succeeded, 'refunds', { amount: 4712 }), 422, undefined, ['/amount']);
      const problem = expectProblem(await till.act(partly, 'refunds', { amount: 712 }), 409, 'payment_refunded');
      assert.match(problem.detail, /711/);
    }));
});

describe('keys', () => {
  test('one key for two bodies is 422, of each POST', async () => {
    const held = await till.authorized(4711);
    const paid = await till.paid(4711);
    const steps = [
      ['capture', held, { amount: 4000 }, { amount: 4001 }],
      ['refunds', paid, { amount: 100 }, { amount: 101 }],
    ];
    for (const [what, target, body, other] of steps) {
      const key = newKey();
      const first = await till.act(target, what, body, { key });
      assert.ok([200, 201].includes(first.status), first.text);
      await storingNothing(async () => {
        expectProblem(await till.act(target, what, other, { key }), 422, 'idempotency_key_reused');
        const again = await till.act(target, what, body, { key });
        assert.equal(again.text, first.text);
      });
    }
    const key = newKey();
    const first = expectStatus(await post(payment(), { key }), 201);
    await storingNothing(async () => {
      const { amount } = first.json;
      const other = await post(payment({ amount: amount + 1 }), { key });
      expectProblem(other, 422, 'idempotency_key_reused');
      const code = await post(payment({}, { cvc: '999' }), { key });
      expectProblem(code, 422, 'idempotency_key_reused');
    });
  });

  test('a key that is none is refused', () =>
    storingNothing(async () => {
      for (const key of ['', 'x'.repeat(256), 'a\tb']) {
        const answer = await post(payment(), { key });
        assert.ok(answer.status === 400, `${JSON.stringify(key)}: ${answer.status}`);
      }
    }));
});
