/*
 * Vouchers in use: validated, reserved, released, redeemed, rolled back, voided; who may not, and
 * what everybody is told.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { openDesk, pathOf } from '../support/desk.js';
import { makeKey } from '../support/keys.js';
import { expectProblem, expectStatus, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitUntilEqual } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const desk = await openDesk(stack);
after(() => desk.close());
const { vouchers } = desk;

describe('validating', () => {
  test('says what a voucher would take off, and changes nothing', async () => {
    const [voucher] = await desk.earn();
    const rows = [
      [{ total_amount: 13700, currency: 'EUR' }, 500, 0, 13200],
      [{ total_amount: 300 }, 300, 200, 0],
      [{ total_amount: 0 }, 0, 500, 0],
      [{}, null, null, null],
      [undefined, null, null, null],
    ];
    for (const [body, discount, forfeited, due] of rows) {
      const { json } = expectStatus(await desk.validate(voucher, body), 200);
      assert.equal(json.discount_amount, discount);
      assert.equal(json.forfeited_amount, forfeited);
      assert.equal(json.amount_due, due);
      assert.equal(json.id, voucher.id);
      assert.match(json.code, /^\*{4}-/, 'the code is masked');
    }
    assert.deepEqual(await desk.typesOf(voucher), ['issued']);
  });

  test('refuses what reserving would refuse', async () => {
    const [voucher] = await desk.earn();
    const refused = async (body, status, code) =>
      expectProblem(await desk.validate(voucher, body), status, code);
    await refused({ currency: 'USD' }, 422, 'voucher_currency_mismatch');
    await refused({ order_id: voucher.order_id }, 409, 'voucher_of_same_order');
    expectProblem(await desk.validate(voucher, { total_amount: -1, x: 1 }), 422, 'validation_failed', [
      '/total_amount',
      '/x',
    ]);
    expectStatus(await desk.reserve(voucher, 'till 1'), 200);
    await refused({}, 409, 'voucher_reserved');
    expectStatus(await desk.validate(voucher, { holder: 'till 1' }), 200);
  });
});

describe('reserving', () => {
  test('keeps a voucher for its holder, who may hold it for longer', async () => {
    const [voucher] = await desk.earn();
    const first = expectStatus(await desk.reserve(voucher, 'till 1', { ttl_s: 60 }), 200).json;
    assert.equal(first.status, 'reserved');
    assert.equal(first.reservation.holder, 'till 1');
    assert.match(first.code, /^\*{4}-/);
    expectProblem(await desk.reserve(voucher, 'till 2'), 409, 'voucher_reserved');
    const longer = expectStatus(await desk.reserve(voucher, 'till 1'), 200).json;
    const seconds = (json) => Date.parse(json.reservation.expires_at) - Date.parse(json.updated_at);
    assert.equal(seconds(first), 60_000);
    assert.equal(seconds(longer), 900_000);
    const same = expectStatus(await desk.reserve(voucher, 'till 1', { ttl_s: 1 }), 200).json;
    assert.deepEqual(same, longer, 'a reservation is never cut short');
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'reserved', 'reserved']);
  });

  test('is given back by its holder only, and a repeat finds it done', async () => {
    const [voucher] = await desk.earn();
    expectStatus(await desk.reserve(voucher, 'till 1'), 200);
    expectProblem(await desk.release(voucher, 'till 2'), 409, 'voucher_reserved');
    const released = expectStatus(await desk.release(voucher, 'till 1'), 200).json;
    assert.equal(released.status, 'active');
    assert.equal(released.reservation, null);
    assert.deepEqual(expectStatus(await desk.release(voucher, 'till 1'), 200).json, released);
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'reserved', 'released']);
    expectStatus(await desk.reserve(voucher, 'till 2'), 200);
  });

  test('a repeat of a release that found nothing to do has the same bytes', async () => {
    const [voucher] = await desk.earn();
    const key = newKey();
    const release = () => vouchers.post(pathOf(voucher, 'release'), { holder: 'till 1' }, { key });
    const first = expectStatus(await release(), 200);
    const again = expectStatus(await release(), 200);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.equal(again.text, first.text);
  });

  test('a voucher whose time ends while it is reserved waits for its holder, then expires', async () => {
    const [held, given] = await desk.earn(2);
    for (const voucher of [held, given]) {
      expectStatus(await desk.reserve(voucher, 'till 1'), 200);
      await desk.endTime(voucher);
    }
    expectStatus(await desk.redeem(held, 'receipt 1', { holder: 'till 1' }), 201);
    const { json } = expectStatus(await desk.release(given, 'till 1'), 200);
    assert.equal(json.status, 'expired');
    assert.deepEqual(await desk.typesOf(given), ['issued', 'reserved', 'expired']);
    expectProblem(await desk.reserve(given, 'till 1'), 409, 'voucher_expired');
  });

  test('names every wrong member', async () => {
    const [voucher] = await desk.earn();
    const rows = [
      [{}, ['/holder']],
      [{ holder: '' }, ['/holder']],
      [{ holder: 'x'.repeat(201) }, ['/holder']],
      [{ holder: 'line\nbreak' }, ['/holder']],
      [{ holder: 1, ttl_s: 0, currency: 'eur', order_id: 'x' },
        ['/holder', '/ttl_s', '/currency', '/order_id']],
      [{ holder: 'x', ttl_s: 86_401, status: 'redeemed' }, ['/ttl_s', '/status']],
    ];
    for (const [body, pointers] of rows) {
      expectProblem(await vouchers.post(pathOf(voucher, 'reserve'), body), 422, undefined, pointers);
    }
    expectStatus(await desk.reserve(voucher, 'ü'.repeat(200), { ttl_s: 86_400 }), 200);
  });
});

describe('redeeming', () => {
  test('a voucher is redeemed once, under a free reference', async () => {
    const [voucher] = await desk.earn();
    const { json } = expectStatus(await desk.redeem(voucher, 'receipt 4711'), 201);
    assert.equal(json.status, 'redeemed');
    assert.equal(json.redemption.reference, 'receipt 4711');
    assert.equal(json.redemption.order_id, null);
    expectProblem(await desk.redeem(voucher, 'receipt 4711'), 409, 'voucher_redeemed');
    expectProblem(await desk.reserve(voucher, 'till 1'), 409, 'voucher_redeemed');
    expectProblem(await desk.release(voucher, 'till 1'), 409, 'voucher_redeemed');
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'redeemed']);
  });

  test('a reserved voucher is redeemed by its holder only', async () => {
    const [voucher] = await desk.earn();
    expectStatus(await desk.reserve(voucher, 'till 1'), 200);
    expectProblem(await desk.redeem(voucher, 'a'), 409, 'voucher_reserved');
    expectProblem(await desk.redeem(voucher, 'a', { holder: 'till 2' }), 409, 'voucher_reserved');
    const { json } = expectStatus(await desk.redeem(voucher, 'a', { holder: 'till 1' }), 201);
    assert.equal(json.reservation, null);
  });

  test('what is reserved for an order is not redeemed by hand', async () => {
    const [voucher] = await desk.earn();
    expectStatus(await desk.reserve(voucher, 'order:4711'), 200);
    const answer = await desk.redeem(voucher, 'a', { holder: 'order:4711' });
    expectProblem(answer, 409, 'voucher_reserved');
  });

  test('needs an Idempotency-Key and a reference that is not the order it comes from', async () => {
    const [voucher] = await desk.earn();
    const without = await vouchers.post(pathOf(voucher, 'redemptions'), { reference: 'a' });
    expectProblem(without, 400, 'idempotency_key_missing');
    expectProblem(await desk.redeem(voucher, voucher.order_id), 409, 'voucher_of_same_order');
    expectProblem(await desk.redeem(voucher, ''), 422, undefined, ['/reference']);
    assert.deepEqual(await desk.typesOf(voucher), ['issued']);
  });

  test('of 100 redemptions at once one wins, 99 are told so, and there is one event', async () => {
    const [voucher] = await desk.earn();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => desk.redeem(voucher, `till ${i}`)),
    );
    const won = answers.filter(({ status }) => status === 201);
    assert.equal(won.length, 1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectProblem(answer, 409, 'voucher_redeemed');
    }
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'redeemed']);
    assert.deepEqual((await desk.read(voucher)).redemption, won[0].json.redemption);
    const sql = 'SELECT reference FROM ops.redemptions WHERE voucher_id = $1';
    const stored = await desk.database.rows(sql, [voucher.id]);
    assert.deepEqual(stored, [{ reference: won[0].json.redemption.reference }]);
  });

  test('50 clients with one key have one effect and one answer, also after it was rolled back', async () => {
    const [voucher] = await desk.earn();
    const key = newKey();
    const again = () => desk.redeem(voucher, 'receipt 1', { key });
    const answers = await Promise.all(Array.from({ length: 50 }, again));
    const [{ text, json }] = answers;
    for (const answer of answers) {
      assert.equal(expectStatus(answer, 201).text, text);
    }
    const replayed = answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true');
    assert.equal(replayed.length, 49);
    expectStatus(await desk.rollBack(json.redemption), 200);
    assert.equal(expectStatus(await again(), 201).text, text);
    assert.equal((await desk.read(voucher)).status, 'active');
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'redeemed', 'rolled_back']);
    expectProblem(await desk.redeem(voucher, 'another', { key }), 422, 'idempotency_key_reused');
  });
});

describe('rolling back', () => {
  test('gives a voucher back once, whoever redeems it next', async () => {
    const [voucher] = await desk.earn();
    const first = expectStatus(await desk.redeem(voucher, 'a'), 201).json.redemption;
    const back = expectStatus(await desk.rollBack(first), 200).json;
    assert.equal(back.status, 'active');
    assert.equal(back.redemption, null);
    const second = expectStatus(await desk.redeem(voucher, 'b'), 201).json.redemption;
    assert.notEqual(second.id, first.id);
    const repeat = expectStatus(await desk.rollBack(first), 200).json;
    assert.equal(repeat.redemption.id, second.id, 'the other redemption stays');
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'redeemed', 'rolled_back', 'redeemed']);
  });

  test('a voucher whose time ended meanwhile expires', async () => {
    const [voucher] = await desk.earn();
    const { redemption } = expectStatus(await desk.redeem(voucher, 'a'), 201).json;
    await desk.endTime(voucher);
    assert.equal(expectStatus(await desk.rollBack(redemption), 200).json.status, 'expired');
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'redeemed', 'expired']);
  });

  test('a redemption of nobody or of another merchant is missing', async () => {
    const [voucher] = await desk.earn();
    const { redemption } = expectStatus(await desk.redeem(voucher, 'a'), 201).json;
    const other = vouchers.as(await makeKey(stack, 'other', ['vouchers:write']));
    const path = `/v1/redemptions/${redemption.id}/rollback`;
    expectProblem(await other.request('POST', path), 404, 'not_found');
    expectProblem(await desk.rollBack({ id: 'x' }), 404, 'not_found');
    expectProblem(await desk.rollBack({ id: voucher.id }), 404, 'not_found');
    assert.equal((await desk.read(voucher)).status, 'redeemed');
  });
});

describe('voiding', () => {
  test('ends an active voucher for good, and only an operator may', async () => {
    const [voucher] = await desk.earn();
    const path = `/v1/vouchers/${voucher.id}/void`;
    expectProblem(await vouchers.request('POST', path), 403, 'missing_scope');
    const first = expectStatus(await desk.makeVoid(voucher), 200).json;
    assert.equal(first.status, 'voided');
    assert.deepEqual(expectStatus(await desk.makeVoid(voucher), 200).json, first);
    expectProblem(await desk.reserve(voucher, 'till 1'), 409, 'voucher_voided');
    expectProblem(await desk.redeem(voucher, 'a'), 409, 'voucher_voided');
    assert.deepEqual(await desk.typesOf(voucher), ['issued', 'voided']);
  });

  test('a voucher in use is not voided by hand', async () => {
    const [voucher] = await desk.earn();
    expectStatus(await desk.reserve(voucher, 'till 1'), 200);
    const problem = expectProblem(await desk.makeVoid(voucher), 409, 'illegal_transition');
    assert.equal(problem.from, 'reserved');
    assert.equal(problem.to, 'voided');
    assert.ok(Array.isArray(problem.allowed));
  });
});

describe('bad codes', () => {
  const actions = {
    validate: {},
    reserve: { holder: 'x' },
    release: { holder: 'x' },
    redemptions: { reference: 'x' },
  };

  const keyOf = async (merchant) =>
    vouchers.as(await makeKey(stack, merchant, ['vouchers:write', 'vouchers:read']));

  /** The answers of all actions to one spelling of a code, to a key that has tried none before. */
  async function askAll(code, merchant = 'demo') {
    const asking = await keyOf(merchant);
    const ask = ([action, body]) =>
      asking.post(`/v1/vouchers/${encodeURIComponent(code)}/${action}`, body, { key: newKey() });
    return Promise.all(Object.entries(actions).map(ask));
  }

  test('every spelling of a code is the code', async () => {
    const [{ code, id }] = await desk.earn();
    const spellings = [
      code.toLowerCase(),
      code.replaceAll('-', ''),
      code.replaceAll('0', 'O').replaceAll('1', 'I'),
      code.replaceAll('0', 'o').replaceAll('1', 'l'),
    ];
    for (const spelling of spellings) {
      const { json } = expectStatus(await desk.validate({ code: spelling }, {}), 200);
      assert.equal(json.id, id, spelling);
    }
  });

  test('a code that nobody has, can not be one, or is of another merchant is missing everywhere', async () => {
    const [{ code }] = await desk.earn();
    const digit = code[0] === '7' ? '8' : '7';
    const wrong = {
      'a wrong check symbol': [digit + code.slice(1)],
      'a code too short': [code.slice(0, -1)],
      'a code too long': [`${code}0`],
      'a code of 1,000 characters': ['0'.repeat(1000)],
      SQL: ["'; DROP TABLE vouchers; --"],
      'an id': ['01940000-0000-7000-8000-00000000dead'],
      'an unknown code': ['0000-0000-0000-0'],
      "another merchant's code": [code, 'stranger'],
    };
    for (const [what, [spelling, merchant]] of Object.entries(wrong)) {
      for (const answer of await askAll(spelling, merchant)) {
        assert.equal(answer.status, 404, `${what}: ${answer.text}`);
        expectProblem(answer, 404, 'not_found');
      }
    }
    const [theirs] = await askAll(code, 'stranger');
    const [missing] = await askAll('0000-0000-0000-0', 'stranger');
    assert.deepEqual({ ...theirs.json, instance: '' }, { ...missing.json, instance: '' });
  });

  test('after 5 wrong codes within 5 s a key must wait, on every route that takes a code', async () => {
    const [voucher] = await desk.earn();
    const guesser = await keyOf('demo');
    const path = '/v1/vouchers/0000-0000-0000-0';
    for (const action of Object.keys(actions)) {
      const answer = await guesser.post(`${path}/${action}`, actions[action], { key: newKey() });
      expectProblem(answer, 404, 'not_found');
    }
    expectProblem(await guesser.get(path), 404, 'not_found');
    const refused = await guesser.get(`/v1/vouchers/${voucher.code}`);
    expectProblem(refused, 429, 'too_many_wrong_codes');
    const wait = Number(refused.headers['retry-after']);
    assert.ok(wait >= 1 && wait <= 5, `Retry-After: ${wait}`);
    for (const [action, body] of Object.entries(actions)) {
      const answer = await guesser.post(pathOf(voucher, action), body, { key: newKey() });
      expectProblem(answer, 429, 'too_many_wrong_codes');
    }
    expectStatus(await guesser.get(`/v1/vouchers/${voucher.id}`), 200);
    expectStatus(await desk.validate(voucher, {}), 200);
    await waitUntilEqual(
      'the answer to the right code',
      async () => (await guesser.post(pathOf(voucher, 'validate'), {})).status,
      200,
    );
  });

  test('of 100 wrong codes at once 5 are told that they are wrong', async () => {
    const guesser = await keyOf('demo');
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => guesser.get('/v1/vouchers/0000-0000-0000-0')),
    );
    const told = answers.filter((answer) => answer.status === 404);
    assert.equal(told.length, 5);
    for (const answer of answers.filter((each) => each.status !== 404)) {
      expectProblem(answer, 429, 'too_many_wrong_codes');
    }
  });
});

test("an operator's key uses no voucher", async () => {
  const [voucher] = await desk.earn();
  const everything = vouchers.as(await makeKey(stack, '*', ['vouchers:write']));
  for (const [action, body] of [
    ['validate', {}],
    ['reserve', { holder: 'x' }],
    ['redemptions', { reference: 'x' }],
  ]) {
    const answer = await everything.post(pathOf(voucher, action), body, { key: newKey() });
    expectProblem(answer, 403, 'merchant_required');
  }
});
