/*
 * Orders with a voucher code, seen from the order-service alone: a voucher-service that the test
 * plays is asked as agreed, and whatever it answers, or does not, an order is made only with a
 * voucher that is certainly reserved for it.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, beforeEach, describe, test } from 'node:test';

import { openInspector } from '../support/database.js';
import { FakeVouchers, refused, reserved, send } from '../support/fake_vouchers.js';
import { keyId, makeKey } from '../support/keys.js';
import { expectProblem, expectStatus, invoice, newKey, order } from '../support/shop.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

/* An order may use a quarter of it. */
const HOLD_S = 4;

const CODE = 'ABCD-EFGH-JKMN-P';

const fake = await FakeVouchers.start();
const stack = await startStack({
  ORDER_SERVICE_VOUCHER_URL: fake.url,
  VOUCHER_HOLD_S: String(HOLD_S),
});
after(async () => {
  fake.stop();
  await stack.stop();
});

const shop = stack.shop();
const orders = await openInspector(stack, 'orders');
after(() => orders.close());

const countOrders = async () => Number((await orders.rows('SELECT count(*) FROM orders'))[0].count);
const withCode = (changes) => invoice(13700, { voucher_code: CODE, ...changes });

beforeEach(() => {
  fake.take();
  fake.answer = reserved();
});

describe('what is asked', () => {
  test('the voucher is reserved for the request, as the caller, in its trace', async () => {
    const key = newKey();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const made = await shop.createOrder(withCode(), { key, headers: { traceparent } });
    const [asked, ...others] = fake.take();
    assert.deepEqual(others, []);
    assert.equal(asked.method, 'POST');
    assert.equal(asked.path, `/v1/vouchers/${CODE}/reserve`);
    const holder = `order:${createHash('sha256').update(`demo\n${key}`).digest('hex')}`;
    assert.deepEqual(asked.body, { holder, ttl_s: HOLD_S, currency: 'EUR' });
    assert.equal(asked.headers.authorization, `Bearer ${stack.env.CHECKOUT_API_KEY}`);
    assert.match(asked.headers.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-/);
    assert.equal(made.voucher.holder, holder);
  });

  test('without a key the holder is the order itself', async () => {
    const made = await shop.createOrder(withCode());
    assert.equal(fake.take()[0].body.holder, `order:${made.id}`);
  });

  test('a code goes as it was typed, encoded', async () => {
    await shop.createOrder(withCode({ voucher_code: 'abcd efgh*jkmn $=' }));
    assert.equal(fake.take()[0].path, '/v1/vouchers/abcd%20efgh%2Ajkmn%20%24%3D/reserve');
  });

  test('a repeat gets its answer, and asks nobody', async () => {
    const key = newKey();
    const first = await shop.post('/v1/orders', withCode(), { key });
    expectStatus(first, 201);
    fake.take();
    fake.answer = refused(409, 'voucher_redeemed');
    const again = await shop.post('/v1/orders', withCode(), { key });
    expectStatus(again, 201);
    assert.equal(again.text, first.text);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.deepEqual(fake.take(), []);
    const other = withCode({ voucher_code: 'OTHER' });
    expectProblem(await shop.post('/v1/orders', other, { key }), 422, 'idempotency_key_reused');
  });

  test('twelve repeats at once make one order and get one answer', async () => {
    const key = newKey();
    const before = await countOrders();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => shop.post('/v1/orders', withCode(), { key })),
    );
    for (const answer of answers) expectStatus(answer, 201);
    assert.equal(new Set(answers.map((answer) => answer.json.id)).size, 1);
    assert.equal(await countOrders(), before + 1);
    assert.ok(fake.take().every(({ path }) => path.endsWith('/reserve')), 'none is given back');
  });
});

describe('what is made of it', () => {
  test('the value is deducted, and the order and its event say so', async () => {
    const made = await shop.createOrder(withCode());
    assert.equal(made.total_amount, 13700);
    assert.equal(made.amount_due, 13200);
    const { id, holder, ...amounts } = made.voucher;
    assert.deepEqual(amounts, { value_amount: 500, discount_amount: 500, forfeited_amount: 0 });
    assert.deepEqual(await shop.order(made.id), made);
    const sent = await shop.move(made.id, 'sent');
    assert.deepEqual(sent.voucher, made.voucher);
    const rows = await orders.rows(
      'SELECT data FROM events WHERE subject = $1 ORDER BY subject_version',
      [made.id],
    );
    assert.deepEqual(
      rows.map(({ data }) => data.voucher),
      [made.voucher, made.voucher],
    );
  });

  test('a voucher worth more than the order leaves nothing due, and the order is paid', async () => {
    fake.answer = reserved({ value_amount: 20000 });
    const made = await shop.createOrder(order({ voucher_code: CODE }));
    assert.equal(made.amount_due, 0);
    assert.equal(made.status, 'paid');
    assert.equal(made.voucher.discount_amount, 13700);
    assert.equal(made.voucher.forfeited_amount, 6300);
  });

  test('an order without a code has no voucher and asks for none', async () => {
    const made = await shop.createOrder(invoice(500));
    assert.equal(made.voucher, null);
    const none = await shop.createOrder(invoice(500, { voucher_code: null }));
    assert.equal(none.voucher, null);
    assert.deepEqual(fake.take(), []);
  });
});

/* What voucher-service answers, and what our client is told. */
const refusals = [
  [refused(404, 'not_found'), 422, 'validation_failed', ['/voucher_code']],
  [refused(400, 'path_malformed'), 422, 'validation_failed', ['/voucher_code']],
  [refused(409, 'voucher_reserved'), 409, 'voucher_reserved'],
  [refused(409, 'voucher_redeemed'), 409, 'voucher_redeemed'],
  [refused(409, 'voucher_expired'), 409, 'voucher_expired'],
  [refused(409, 'voucher_voided'), 409, 'voucher_voided'],
  [refused(422, 'voucher_currency_mismatch'), 422, 'voucher_currency_mismatch'],
  [refused(403, 'missing_scope'), 403, 'missing_scope'],
  [refused(401, 'key_invalid'), 401, 'key_invalid'],
  [refused(429, 'too_many_wrong_codes'), 429, 'too_many_wrong_codes'],
  [refused(500, 'internal'), 503, 'voucher_service_unavailable'],
  [refused(503, 'database_unavailable'), 503, 'voucher_service_unavailable'],
  [reserved({ reservation: null }), 503, 'voucher_service_unavailable'],
  [reserved({ reservation: { holder: 'me' } }), 503, 'voucher_service_unavailable'],
  [reserved({ currency: 'USD' }), 503, 'voucher_service_unavailable'],
  [reserved({ value_amount: 0 }), 503, 'voucher_service_unavailable'],
  [reserved({ value_amount: '500' }), 503, 'voucher_service_unavailable'],
  [reserved({ id: 7 }), 503, 'voucher_service_unavailable'],
  [(asked, response) => send(response, 200, 'nonsense'), 503, 'voucher_service_unavailable'],
  [(asked, response) => send(response, 409, '<html>'), 503, 'voucher_service_unavailable'],
  [(asked, response) => send(response, 409, {}), 503, 'voucher_service_unavailable'],
  [(asked, response) => send(response, 200, '7'.repeat(20_000)), 503, 'voucher_service_unavailable'],
  [(asked, response) => response.destroy(), 503, 'voucher_service_unavailable'],
  [() => {}, 503, 'voucher_service_unavailable'],
];

describe('what is refused', () => {
  for (const [index, [answer, status, code, pointers]] of refusals.entries()) {
    test(`answer ${index + 1} of the voucher-service makes ${status} ${code}, and no order`, async () => {
      const before = await countOrders();
      fake.answer = answer;
      const got = await shop.post('/v1/orders', withCode());
      expectProblem(got, status, code, pointers);
      if ([429, 503].includes(status)) assert.match(got.headers['retry-after'], /^[1-9]\d*$/);
      assert.equal(await countOrders(), before);
      await shop.createOrder(invoice(100));
    });
  }

  test('what can not be a code is told without asking', async () => {
    for (const voucher_code of ["' OR 1=1 --", '../../events', 'A'.repeat(33), '', 'ÄÖÜ', 17]) {
      const answer = await shop.post('/v1/orders', withCode({ voucher_code }));
      expectProblem(answer, 422, 'validation_failed', ['/voucher_code']);
    }
    assert.deepEqual(fake.take(), []);
  });

  test('a key that may not use vouchers is told so, and nobody is asked', async () => {
    const key = await makeKey(stack, 'demo', ['orders:write']);
    const poor = stack.shop(stack.env.ORDER_URL, key);
    expectProblem(await poor.post('/v1/orders', withCode()), 403, 'missing_scope');
    await poor.createOrder(invoice(100));
    assert.deepEqual(fake.take(), []);
    assert.ok(keyId(key));
  });
});

describe('what takes too long', () => {
  /* Longer than a quarter of the hold, and well within the time that it is waited for. */
  const late = async (asked, response) => {
    const until = Date.now() + HOLD_S * 250 + 200;
    await waitFor('the hold to be over', () => Date.now() > until);
    return reserved()(asked, response);
  };

  test('a reservation that came too late makes no order, and is left to lapse', async () => {
    const before = await countOrders();
    fake.answer = late;
    expectProblem(await shop.post('/v1/orders', withCode()), 503, 'reservation_over');
    assert.equal(await countOrders(), before);
    assert.equal(fake.take().length, 1);
  });

  test('with a key a repeat meets its own reservation, and makes the order', async () => {
    const key = newKey();
    fake.answer = late;
    expectProblem(await shop.post('/v1/orders', withCode(), { key }), 503, 'reservation_over');
    const [first, ...others] = fake.take();
    assert.deepEqual(others, []);
    fake.answer = reserved();
    expectStatus(await shop.post('/v1/orders', withCode(), { key }), 201);
    assert.equal(fake.take()[0].body.holder, first.body.holder);
  });

  test('100 orders that wait for a silent voucher-service do not hold up the others', async () => {
    fake.answer = () => {};
    const crowd = stack.shop(stack.env.ORDER_URL, stack.env.CHECKOUT_API_KEY, { connections: 100 });
    const waiting = Array.from({ length: 100 }, () => crowd.post('/v1/orders', withCode()));
    await waitFor('the voucher-service to be asked', () => fake.asked.length >= 60);
    const began = Date.now();
    await shop.createOrder(invoice(100));
    assert.ok(Date.now() - began < 1000 * SLOWDOWN, `${Date.now() - began} ms`);
    for (const answer of await Promise.all(waiting)) {
      expectProblem(answer, 503, 'voucher_service_unavailable');
    }
    assert.ok(fake.take().length <= 64, 'some are refused at once');
  });
});
