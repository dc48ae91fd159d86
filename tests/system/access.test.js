/*
 * Access: who may do what. The routes are those that the services themselves print.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { untilQuiet } from '../support/audit.js';
import { connect, subscribe } from '../support/bus.js';
import { urlFor, withDatabase } from '../support/database.js';
import { keyId, loginOf, makeKey, makeKeyOfEach, revokeKey } from '../support/keys.js';
import { runProgram } from '../support/program.js';
import { expectProblem, expectStatus, invoice, newKey, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard } from '../support/till.js';
import { waitFor, within } from '../support/wait.js';

const REVOKED_WITHIN_MS = 5000;

const SCOPES = [
  'orders:read',
  'orders:write',
  'orders:fulfil',
  'payments:read',
  'payments:write',
  'refunds:write',
  'vouchers:read',
  'vouchers:write',
  'events:read',
  'operator',
];

const SCOPES_OF_A_MERCHANT = SCOPES.filter((scope) => scope !== 'operator');

/** What a request to a route with an object says, by what stands behind the object's name. */
const BODIES = {
  '': { status: 'delivered' },
  '/validate': {},
  '/reserve': { holder: 'till' },
  '/release': { holder: 'till' },
  '/redemptions': { reference: 'till' },
  '/capture': {},
  '/cancel': {},
  '/refunds': {},
};

const PUBLIC = ['/livez', '/metrics', '/openapi.json', '/readyz'];

/* A bank has no key; it signs (provider_webhooks.test.js). */
const SIGNED = '/v1/provider_webhooks/{gateway}/{merchant_id}';

const stack = await startStack();
after(() => stack.stop());

const services = {
  'order-service': stack.env.ORDER_URL,
  'payment-service': stack.env.PAYMENT_URL,
  'voucher-service': stack.env.VOUCHER_URL,
};
const nobody = '01940000-0000-7000-8000-00000000dead';

/** [service, url, route] of every route there is. */
const routes = [];
for (const [service, url] of Object.entries(services)) {
  const { stdout } = await runProgram(stack, service, ['--routes']);
  for (const route of JSON.parse(stdout)) routes.push({ service, url, ...route });
}
const guarded = routes.filter((route) => !route.public);

const keyOf = await makeKeyOfEach(stack, 'demo', SCOPES);

const shop = stack.shop();

/** Whose key a key of that one scope is. */
const merchantOf = (scope) => (scope === 'operator' ? '*' : 'demo');

/** Calls a route as somebody, with a body where one belongs. */
function call(route, key, { query = '', headers } = {}) {
  const at = shop.at(route.url).as(key);
  const body = route.body ? {} : undefined;
  return at.request(route.method, route.path.replace(/\{[^}]*\}/g, nobody) + query, { body, headers });
}

test('the services print the routes that there are, and no other', () => {
  const printed = routes.map(({ service, method, path: at }) => `${service} ${method} ${at}`);
  const each = Object.keys(services).flatMap((service) =>
    ['/v1/events', '/v1/dead_letters', '/v1/key', ...PUBLIC].map(
      (at) => `${service} GET ${at}`,
    ),
  );
  const expected = [
    ...each,
    'order-service POST /v1/orders',
    'order-service GET /v1/orders',
    'order-service GET /v1/orders/{id}',
    'order-service PATCH /v1/orders/{id}',
    'order-service GET /v1/orders/{id}/timeline',
    'payment-service POST /v1/payments',
    'payment-service GET /v1/payments',
    'payment-service GET /v1/payments/{id}',
    'payment-service GET /v1/payments/{id}/attempts',
    'payment-service POST /v1/payments/{id}/capture',
    'payment-service POST /v1/payments/{id}/cancel',
    'payment-service POST /v1/payments/{id}/refunds',
    'payment-service GET /v1/refunds',
    'payment-service GET /v1/refunds/{id}',
    'payment-service GET /v1/gateways',
    `payment-service POST ${SIGNED}`,
    'voucher-service GET /v1/vouchers',
    'voucher-service POST /v1/vouchers/{code}/validate',
    'voucher-service POST /v1/vouchers/{code}/reserve',
    'voucher-service POST /v1/vouchers/{code}/release',
    'voucher-service POST /v1/vouchers/{code}/redemptions',
    'voucher-service POST /v1/redemptions/{id}/rollback',
    'voucher-service POST /v1/vouchers/{id}/void',
    'voucher-service GET /v1/voucher_rules',
    'voucher-service POST /v1/voucher_rules',
  ];
  for (const route of expected) assert.ok(printed.includes(route), `${route} is not there`);
});

test('nothing is public but health, metrics, documents, and what is signed instead', () => {
  for (const { path: at } of routes.filter((route) => route.public)) {
    assert.ok(PUBLIC.includes(at) || at === SIGNED, `${at} is public`);
  }
});

test('what is signed instead answers 401 to whoever does not sign, whatever key is shown', async () => {
  const { url } = routes.find(({ path: at }) => at === SIGNED);
  for (const key of [undefined, stack.env.CHECKOUT_API_KEY, stack.env.CHECKOUT_OPERATOR_KEY]) {
    const answer = await shop.at(url).as(key).post('/v1/provider_webhooks/bank-a/demo', {});
    expectProblem(answer, 401, 'webhook_signature_missing');
  }
});

describe('without a good key', () => {
  const demo = stack.env.CHECKOUT_API_KEY;
  const [, id, secret] = demo.split('_');
  const other = secret[0] === 'a' ? `b${secret.slice(1)}` : `a${secret.slice(1)}`;
  const wrong = {
    'no key': [undefined, 'key_missing'],
    'a wrong secret': [`ck_${id}_${other}`, 'key_invalid'],
    'an unknown key': [`ck_nobody_${secret}`, 'key_invalid'],
    'a secret cut short': [`ck_${id}_${secret.slice(0, -1)}`, undefined],
    'no secret': [`ck_${id}_`, 'key_malformed'],
    'no prefix': [`${id}_${secret}`, 'key_malformed'],
    'an empty key': ['', undefined],
    'a key of 10,000 characters': [`ck_${id}_${'x'.repeat(10_000)}`, 'key_malformed'],
    'SQL as a key': [`ck_'; DROP TABLE api_keys; --_${secret}`, 'key_malformed'],
  };

  for (const [what, [key, code]] of Object.entries(wrong)) {
    test(`every route but the public ones answers 401 to ${what}`, async () => {
      for (const route of guarded) {
        const answer = await call(route, key);
        expectProblem(answer, 401, code);
        assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/i);
      }
    });
  }

  test('every route but the public ones refuses a key in the query string, and says to revoke it', async () => {
    for (const route of guarded) {
      for (const key of [undefined, demo]) {
        const answer = await call(route, key, { query: `?key=${demo}` });
        const { detail } = expectProblem(answer, 401, 'key_in_query');
        assert.match(detail, new RegExp(`header Authorization.*Revoke the key ${id}`));
        assert.ok(!answer.text.includes(secret));
      }
    }
  });

  test('every route but the public ones refuses a key that is sent twice', async () => {
    const headers = { authorization: [`Bearer ${demo}`, `Bearer ${demo}`] };
    for (const route of guarded) {
      const { detail } = expectProblem(await call(route, undefined, { headers }), 400);
      assert.match(detail, /Authorization/);
    }
  });

  test('each 401 says what to do', async () => {
    for (const [key, advice] of [
      [undefined, /needed: Authorization: Bearer ck_/],
      [`${id}_${secret}`, /Send the key whole/],
      [`ck_${id}_${other}`, /Ask for a new one/],
    ]) {
      assert.match((await shop.as(key).get('/v1/orders')).json.detail, advice);
    }
  });

  test('other schemes than Bearer are not accepted', async () => {
    const credentials = Buffer.from(`${id}:${secret}`).toString('base64');
    for (const authorization of [`Basic ${credentials}`, demo, `Token ${demo}`, 'Bearer']) {
      const answer = await shop.as(undefined).get('/v1/orders', { headers: { authorization } });
      expectProblem(answer, 401);
    }
  });

  test('the public routes answer without a key', async () => {
    for (const route of routes.filter((each) => each.public && each.method === 'GET')) {
      expectStatus(await call(route, undefined), 200);
    }
  });
});

test('GET /v1/key of each service tells a key who it is, whatever its scopes', async () => {
  for (const url of Object.values(services)) {
    const at = shop.at(url);
    for (const [scope, key] of Object.entries(keyOf)) {
      const { json } = expectStatus(await at.as(key).get('/v1/key'), 200);
      assert.deepEqual(json, { id: keyId(key), merchant_id: merchantOf(scope), scopes: [scope] });
    }
    const operator = expectStatus(
      await at.as(stack.env.CHECKOUT_OPERATOR_KEY).get('/v1/key'),
      200,
    ).json;
    assert.equal(operator.merchant_id, '*');
    assert.ok(operator.scopes.includes('operator'));
    expectProblem(await at.as(undefined).get('/v1/key'), 401, 'key_missing');
  }
});

describe('scopes', () => {
  test('each route takes exactly the scopes that it prints, and refuses every other', async () => {
    for (const route of guarded) {
      for (const scope of SCOPES) {
        const answer = await call(route, keyOf[scope]);
        const about = `${route.method} ${route.path} with ${scope}: ${answer.text}`;
        if (route.scopes.includes(scope)) {
          assert.ok(![401, 403].includes(answer.status) && answer.status < 500, about);
        } else {
          assert.equal(answer.status, 403, about);
          expectProblem(answer, 403, 'missing_scope');
        }
      }
    }
  });

  test('sending, delivering and returning need orders:fulfil, everything else orders:write', async () => {
    const writer = shop.as(keyOf['orders:write']);
    const sender = shop.as(keyOf['orders:fulfil']);
    const { id } = await shop.createOrder(invoice(100));
    const patch = (at, body) => at.patch(`/v1/orders/${id}`, body);
    for (const status of ['sent', 'delivered', 'returned']) {
      expectProblem(await patch(writer, { status }), 403, 'missing_scope');
    }
    expectProblem(await patch(sender, { status: 'canceled' }), 403, 'missing_scope');
    expectProblem(await patch(sender, { metadata: { a: '1' } }), 403, 'missing_scope');
    const both = { status: 'sent', metadata: { a: '1' } };
    expectProblem(await patch(sender, both), 403, 'missing_scope');
    expectProblem(await patch(writer, both), 403, 'missing_scope');
    expectStatus(await patch(writer, { metadata: { a: '1' } }), 200);
    expectStatus(await patch(sender, { status: 'sent' }), 200);
    const open = await shop.createOrder(order());
    expectStatus(await writer.patch(`/v1/orders/${open.id}`, { status: 'canceled' }), 200);
  });
});

describe('merchants', () => {
  test("another merchant's object is missing: the same answer as for one that is not there", async () => {
    const theirs = await makeObjects();
    const withObject = guarded.filter(
      /* What an operator may do is for every merchant. */
      ({ path: at, scopes }) => at.includes('{') && !scopes.includes('operator'),
    );
    assert.ok(withObject.length >= 9, 'routes with an object in them');
    for (const route of withObject) {
      /* A key of its own each: wrong codes are counted. */
      const at = shop.at(route.url).as(await makeKey(stack, 'stranger', SCOPES_OF_A_MERCHANT));
      for (const name of theirs.namesFor(route)) {
        const [other, missing] = [await ask(at, route, name.there), await ask(at, route, name.missing)];
        assert.deepEqual(other, missing, `${route.method} ${route.path}`);
      }
    }
    const stranger = shop.as(await makeKey(stack, 'stranger', SCOPES_OF_A_MERCHANT));
    assert.deepEqual(await stranger.all('/v1/orders'), []);
    assert.deepEqual(await stranger.at(services['voucher-service']).all('/v1/vouchers'), []);
    for (const list of ['/v1/payments', '/v1/refunds']) {
      assert.deepEqual(await stranger.at(services['payment-service']).all(list), []);
    }
    await theirs.expectUntouched();
  });

  /** A 404, without what is each answer's own. */
  async function ask(at, route, name) {
    const { suffix } = /^[^{]*\{[^}]*\}(?<suffix>.*)$/.exec(route.path).groups;
    const body = route.body ? (BODIES[suffix] ?? assert.fail(`no body for ${route.path}`)) : undefined;
    const key = route.method === 'GET' ? undefined : newKey();
    const target = route.path.replace(/\{[^}]*\}/, encodeURIComponent(name));
    const answer = expectProblem(await at.request(route.method, target, { body, key }), 404);
    delete answer.instance;
    return answer;
  }

  /** An order, vouchers (one active and one redeemed by hand), a payment and its refund. */
  async function makeObjects() {
    const desk = stack.vouchers();
    const sent = await shop.sendOrder(10001);
    const spender = await shop.sendOrder(10001);
    await untilQuiet(stack);
    const voucherOf = async ({ id }) => {
      const [voucher] = await desk.all('/v1/vouchers', { order_id: id });
      return expectStatus(await desk.get(`/v1/vouchers/${voucher.id}`), 200).json;
    };
    const [voucher, spent] = [await voucherOf(sent), await voucherOf(spender)];
    const redeeming = desk.post(`/v1/vouchers/${spent.code}/redemptions`, { reference: 'till' }, { key: newKey() });
    const { redemption } = expectStatus(await redeeming, 201).json;
    const till = stack.payments();
    const payment = await makePayment(till);
    const refunding = till.post(`/v1/payments/${payment.id}/refunds`, { amount: 1 }, { key: newKey() });
    const refund = expectStatus(await refunding, 201).json;
    const { version } = expectStatus(await till.get(`/v1/payments/${payment.id}`), 200).json;
    const ids = (id) => ({ there: id, missing: nobody });
    const codes = { there: voucher.code, missing: codeOfNobody(voucher.code) };
    const names = {
      '/v1/orders/{id}': [ids(sent.id)],
      '/v1/vouchers/{voucher}': [ids(voucher.id), codes],
      '/v1/vouchers/{code}': [codes],
      '/v1/redemptions/{id}': [ids(redemption.id)],
      '/v1/payments/{id}': [ids(payment.id)],
      '/v1/refunds/{id}': [ids(refund.id)],
    };
    return {
      namesFor: ({ path: at }) => names[/^[^}]*\}/.exec(at)[0]] ?? assert.fail(`no object for ${at}`),
      expectUntouched: async () => {
        assert.equal((await shop.order(sent.id)).version, sent.version);
        assert.equal((await voucherOf(sent)).version, voucher.version);
        assert.equal((await voucherOf(spender)).redemption.id, redemption.id);
        const after = expectStatus(await till.get(`/v1/payments/${payment.id}`), 200).json;
        assert.equal(after.version, version);
      },
    };
  }

  /** A payment that any of the actions would change or answer otherwise than 404. */
  async function makePayment(till) {
    const body = { amount: 4711, currency: 'EUR', payment_method: byCard() };
    return expectStatus(await till.post('/v1/payments', body, { key: newKey() }), 201).json;
  }

  /** A code that nobody has, but well formed: the other one with another beginning, checked anew. */
  function codeOfNobody(code) {
    const symbols = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';
    const head = code.replaceAll('-', '').slice(1, 12);
    const first = code[0] === 'Z' ? 'Y' : 'Z';
    const digits = [...(first + head)];
    const sum = digits.reduce((total, symbol) => (total * 32 + symbols.indexOf(symbol)) % 37, 0);
    return [...digits, symbols[sum]].join('');
  }

  test("an operator's key sees every merchant's orders and writes none", async () => {
    const operator = shop.as(stack.env.CHECKOUT_OPERATOR_KEY);
    const { id } = await shop.createOrder();
    assert.equal((await operator.order(id)).id, id);
    const everything = shop.as(await makeKey(stack, '*', SCOPES));
    expectProblem(await everything.post('/v1/orders', order()), 403);
    expectProblem(await everything.patch(`/v1/orders/${id}`, { status: 'canceled' }), 403);
  });
});

describe('revoking', () => {
  test('a revoked key is refused within 5 s, and its connection to the bus ends', async () => {
    const key = await makeKey(stack, 'demo', ['orders:read', 'events:read']);
    const holder = shop.as(key);
    expectStatus(await holder.get('/v1/orders'), 200);
    const subscriber = await subscribe(stack.env.MQTT_URL, loginOf(key), '#');
    const dropped = new Promise((done) => subscriber.client.once('close', done));
    await revokeKey(stack, key);
    await waitFor(
      'the key to be refused',
      async (seen) => {
        const answer = await holder.get('/v1/orders');
        seen(answer.status);
        return answer.status === 401 && answer;
      },
      { within: REVOKED_WITHIN_MS },
    );
    await within(REVOKED_WITHIN_MS, 'the broker to drop the connection', dropped);
    await assert.rejects(connect(stack.env.MQTT_URL, loginOf(key)), /[Nn]ot authorized|Bad User/);
    expectStatus(await shop.get('/v1/orders'), 200);
  });
});

describe('secrets', () => {
  test('no key, password or whole voucher code stands in a log, a metric, a table or a process list', async () => {
    const code = await useVoucher();
    const misused = await misuseKeys();
    const secrets = readdirSync(path.join(stack.home, 'secrets'))
      .filter((name) => /^(role|key|broker)-/.test(name))
      .map((name) => readFileSync(path.join(stack.home, 'secrets', name), 'utf8').trim());
    const keys = [...secrets, ...misused].map((each) => each.split('_').at(-1));
    assert.ok(keys.length > 12);
    const codes = [code, code.replaceAll('-', '')];
    for (const { name, text } of [...logs(), ...commandLines(), ...(await metrics())]) {
      for (const secret of [...keys, ...codes]) {
        assert.ok(!text.includes(secret), `${name} tells a secret`);
      }
    }
    for (const database of ['orders', 'payments', 'vouchers', 'access', 'audit', 'bank']) {
      await expectNotStored(database, keys);
    }
  });

  /** Whoever reads a core file would have the keys that were in use. */
  test('no process of the services, the edge or the broker leaves a core file', async () => {
    for (const { name, pid } of await stack.processes()) {
      if (name === 'postgres') continue;
      const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
      assert.match(limits, /^Max core file size +0 /m, name);
    }
  });

  /** Names a voucher by its code wherever that is allowed. */
  async function useVoucher() {
    const { id } = await shop.sendOrder(10001);
    await untilQuiet(stack);
    const [{ id: voucher }] = await stack.vouchers().all('/v1/vouchers', { order_id: id });
    const { code } = expectStatus(await stack.vouchers().get(`/v1/vouchers/${voucher}`), 200).json;
    await stack.vouchers().get(`/v1/vouchers/${encodeURIComponent(code)}`);
    await stack.vouchers().post(`/v1/vouchers/${code}/validate`, {});
    return code;
  }

  /** Good keys where none belong, at each service and at the edge; returns them. */
  async function misuseKeys() {
    const [key, revoked] = [await makeKey(stack, 'demo', SCOPES_OF_A_MERCHANT), await makeKey(stack, 'demo', ['orders:read'])];
    await revokeKey(stack, revoked);
    for (const url of [...Object.values(services), stack.env.CHECKOUT_URL]) {
      const at = shop.at(url).as(undefined);
      await at.get(`/v1/orders?api_key=${key}`);
      await at.post(`/v1/orders?api_key=${key}`, {});
      await at.get(`/v1/orders/${key}`);
      await at.get(`/v1/nothing/${key}`);
      await at.as(key).post('/v1/orders', { [key]: key, customer: key }, { key });
      await at.as(`${key}${key}`).get('/v1/orders');
      await at.as(revoked).get('/v1/orders');
      await at.get('/v1/orders', { headers: { authorization: `Basic ${key}`, traceparent: key } });
    }
    return [key, revoked];
  }

  function logs() {
    return readdirSync(path.join(stack.home, 'log'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((name) => ({ name, text: readFileSync(name, 'utf8') }));
  }

  async function metrics() {
    const pages = Object.entries(services).map(async ([service, url]) => {
      const { text } = expectStatus(await shop.at(url).as(undefined).get('/metrics'), 200);
      return { name: `metrics of ${service}`, text };
    });
    return Promise.all(pages);
  }

  function commandLines() {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          return [{ name: `process ${pid}`, text: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
        } catch {
          return [];
        }
      });
  }

  async function expectNotStored(name, secrets) {
    await withDatabase(urlFor(stack, 'postgres', name), async (database) => {
      const tables = await database.rows(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      );
      assert.ok(tables.length > 0, name);
      for (const table of tables) {
        const sql = `SELECT count(*) FROM ${table.name} AS each
                     WHERE EXISTS (SELECT FROM unnest($1::text[]) AS secret WHERE strpos(each::text, secret) > 0)`;
        assert.equal(await database.value(sql, [secrets]), 0, `${name}: ${table.name}`);
      }
    });
  }
});
