/*
 * Merchants and keys, as an operator makes and ends them with the launcher.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { untilQuiet } from '../support/audit.js';
import { connect, subscribe } from '../support/bus.js';
import { openSuperuser } from '../support/database.js';
import { keyId, loginOf, makeKey } from '../support/keys.js';
import { top } from '../support/launcher.js';
import { expectProblem, expectStatus, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, within } from '../support/wait.js';

const REVOKED_WITHIN_MS = 5000;

/* Moments at which `keys create` is killed: it takes some 300 ms alone, and longer beside others. */
const KILL_AFTER_MS = [60, 100, 140, 180, 220, 260, 300, 340, 400, 500];

const stack = await startStack();
after(() => stack.stop());
const access = await openSuperuser(stack, 'access');
after(() => access.close());

const listed = async () => JSON.parse((await stack.must(['keys', 'list', '--json'])).stdout);
const merchants = async () =>
  JSON.parse((await stack.must(['merchants', 'list', '--json'])).stdout);
const inHome = (...names) => path.join(stack.home, ...names);

/** Users in the broker's file of passwords and in its list of rights. */
const logins = () => ({
  passwords: readFileSync(inHome('broker', 'passwords'), 'utf8').match(/^[^:\n]+(?=:)/gm).sort(),
  rights: [...readFileSync(inHome('broker', 'acl'), 'utf8').matchAll(/^user (.+)$/gm)]
    .map((match) => match[1])
    .sort(),
});

/** Waits until a key is refused, within the time that revoking may take. */
const untilRefused = (key) =>
  waitFor(
    `${keyId(key)} to be refused`,
    async (seen) => {
      const answer = await stack.shop(stack.env.ORDER_URL, key).get('/v1/key');
      seen(answer.status);
      return answer.status === 401 && expectProblem(answer, 401, 'key_invalid');
    },
    { within: REVOKED_WITHIN_MS },
  );

const refusedByBroker = (key) =>
  assert.rejects(connect(stack.env.MQTT_URL, loginOf(key)), /[Nn]ot authorized|Bad User/);

describe('keys create', () => {
  let before; /* anything was refused */

  test('a new key is printed once and works at once, over HTTP and on the bus', async () => {
    const { stdout, stderr } = await stack.must(['keys', 'create', '--name', `the "till's" \\ Käse`]);
    assert.match(stdout, /^ck_[a-z0-9]{12}_[A-Za-z0-9]{43}\n$/);
    assert.match(stderr, /only time that the key is shown/);
    const key = stdout.trim();
    const me = expectStatus(await stack.shop(stack.env.ORDER_URL, key).get('/v1/key'), 200).json;
    assert.deepEqual([me.id, me.merchant_id, me.scopes.length], [keyId(key), 'demo', 9]);
    await (await connect(stack.env.MQTT_URL, loginOf(key))).endAsync();
    const mine = (await listed()).find(({ id }) => id === keyId(key));
    assert.equal(mine.name, `the "till's" \\ Käse`);
    assert.equal(mine.revoked_at, null);
    const everything = (await stack.must(['keys', 'list'])).stdout + JSON.stringify(await listed());
    assert.ok(!everything.includes(key.split('_')[2]), 'list tells the secret');
    assert.match(everything, new RegExp(`^${keyId(key)} +demo +active .* the "till's" `, 'm'));
  });

  test('a key has the scopes that were asked for, and no login without events:read', async () => {
    const key = await makeKey(stack, 'demo', ['orders:read']);
    const me = expectStatus(await stack.shop(stack.env.ORDER_URL, key).get('/v1/key'), 200).json;
    assert.deepEqual(me.scopes, ['orders:read']);
    await refusedByBroker(key);
    assert.ok(!logins().passwords.includes(keyId(key)));
  });

  test('keys that are made at the same time are all good, on the bus too', async () => {
    const made = await Promise.all(['a', 'b', 'c', 'd'].map(() => makeKey(stack, 'demo', ['events:read'])));
    for (const key of made) {
      expectStatus(await stack.shop(stack.env.ORDER_URL, key).get('/v1/key'), 200);
      await (await connect(stack.env.MQTT_URL, loginOf(key))).endAsync();
    }
  });

  test('a merchant that is new is made, on the stream that was asked for', async () => {
    const words = ['keys', 'create', '--merchant', 'brand-new', '--stream', '0'];
    const { stderr } = await stack.must(words);
    assert.match(stderr, /Merchant brand-new is new, on stream 0\./);
    assert.ok((await merchants()).some(({ id, stream }) => id === 'brand-new' && stream === 0));
  });

  for (const [what, words, code, advice] of [
    ['an unknown scope', ['--scopes', 'orders:read,orders:eat'], 2, /no scope 'orders:eat' \(did you mean orders:read\?\); there are: orders:read /],
    ['no scope', ['--scopes', ''], 2, /--scopes is empty; there are: /],
    ['blanks between scopes', ['--scopes', 'orders:read orders:write'], 2, /commas between them/],
    ['the scope operator for a merchant', ['--scopes', 'operator'], 2, /--merchant '\*'/],
    ['a merchant in capitals', ['--merchant', 'Demo'], 2, /1 to 40 of a-z, 0-9 and -/],
    ['a merchant of 41 characters', ['--merchant', 'x'.repeat(41)], 2, /1 to 40/],
    ['SQL as a merchant', ['--merchant', `x'; DROP TABLE api_keys; --`], 2, /1 to 40/],
    ['the merchant service', ['--merchant', 'service'], 2, /reserved/],
    ['a stream that no service has', ['--merchant', 'lonely', '--stream', '7'], 1, /no stream 7 .* there are: 0/],
    ['a stream that is no number', ['--stream', '0; --'], 2, /a number from 0 to 32767/],
    ['another stream than the merchant is on', ['--merchant', 'demo', '--stream', '1'], 1, /on stream 0 for good/],
    ['a stream for every merchant', ['--merchant', '*', '--stream', '0'], 2, /no stream of its own/],
    ['a name of 201 characters', ['--name', 'x'.repeat(201)], 2, /at most 200/],
    ['a name of two lines', ['--name', 'a\nb'], 2, /printable/],
    ['a word without its value', ['--merchant'], 2, /keys takes: create/],
    ['an unknown word', ['--colour', 'red'], 2, /keys takes: create/],
  ]) {
    test(`${what} is refused, with what to do`, async () => {
      before ??= [await listed(), await merchants()];
      const { code: got, stdout, stderr } = await stack.launch(['keys', 'create', ...words]);
      assert.equal(got, code, stderr);
      assert.match(stderr, advice);
      assert.equal(stdout, '');
    });
  }

  test('what was refused left nothing behind', async () => {
    assert.deepEqual([await listed(), await merchants()], before);
  });

  test('the database refuses the scope operator for a merchant too, and a key without scopes', async () => {
    const insert = (scopes) =>
      access.rows(
        `INSERT INTO api_keys (id, merchant_id, secret_sha256, scopes) VALUES ('wrong', 'demo', sha256('x'), $1)`,
        [scopes],
      );
    await assert.rejects(insert(['operator']), { code: '23514', constraint: 'api_keys_operator' });
    await assert.rejects(insert([]), { code: '23514', constraint: 'api_keys_scopes_some' });
  });
});

describe('revoking', () => {
  test('what can not be revoked is named', async () => {
    const key = await makeKey(stack, 'demo', ['orders:read']);
    await stack.must(['keys', 'revoke', keyId(key)]);
    for (const [words, advice] of [
      [[keyId(key)], /no key '.*' that could be revoked/],
      [['nobody'], /keys list/],
      [[key], /takes the id of a key/],
      [[], /keys takes/],
    ]) {
      const refused = await stack.launch(['keys', 'revoke', ...words]);
      assert.ok(refused.code > 0, refused.stdout);
      assert.match(refused.stderr, advice);
    }
  });

  test('an id of several lines is looked for like any other, and none of its lines is run', async () => {
    const before = await listed();
    const id = ['x', "UPDATE api_keys SET name = $$mine$$;", "\\set y '"].join('\n');
    const refused = await stack.launch(['keys', 'revoke', id]);
    assert.deepEqual(await listed(), before);
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(refused.stderr, /no key '.*' that could be revoked/s);
  });

  test("a deleted merchant's keys are dead for good, and what it has stays", async () => {
    const key = await makeKey(stack, 'shortlived', ['orders:read', 'orders:write', 'events:read']);
    const { id } = await stack.shop(stack.env.ORDER_URL, key).createOrder(order());
    const subscriber = await subscribe(stack.env.MQTT_URL, loginOf(key), '#');
    const dropped = new Promise((done) => subscriber.client.once('close', done));

    await stack.must(['merchants', 'delete', 'shortlived']);
    await within(REVOKED_WITHIN_MS, 'the broker to drop the connection', dropped);
    await untilRefused(key);
    await refusedByBroker(key);
    const refused = await stack.launch(['keys', 'create', '--merchant', 'shortlived']);
    assert.match(refused.stderr, /merchants restore shortlived/);

    await stack.must(['merchants', 'restore', 'shortlived']);
    assert.equal((await stack.shop(stack.env.ORDER_URL, key).get('/v1/key')).status, 401);
    await refusedByBroker(key);
    const next = await makeKey(stack, 'shortlived', ['orders:read']);
    assert.equal((await stack.shop(stack.env.ORDER_URL, next).order(id)).id, id);
  });

  test('merchants that are there, missing or gone are told apart', async () => {
    await stack.must(['merchants', 'create', 'twice']);
    await stack.must(['merchants', 'delete', 'twice']);
    assert.notEqual((await merchants()).find(({ id }) => id === 'twice').deleted_at, null);
    for (const [words, advice] of [
      [['create', 'twice'], /There is a merchant 'twice' already/],
      [['delete', 'twice'], /deleted already/],
      [['delete', 'nobody'], /There is no merchant 'nobody'/],
      [['restore', 'demo'], /active already/],
      [['create', 'a', 'b'], /merchants takes/],
      [['create', 'lonely', '--stream', '9'], /no stream 9/],
      [[], /merchants takes/],
    ]) {
      const refused = await stack.launch(['merchants', ...words]);
      assert.ok(refused.code > 0, words.join(' '));
      assert.match(refused.stderr, advice);
    }
    assert.match((await stack.must(['merchants', 'list'])).stdout, /^ID +STATE +CREATED +STREAM\n(.*\n)*twice +deleted +\S+ +0$/m);
  });
});

describe('the next up', () => {
  test('makes keys and logins agree, wherever creating one was killed', async () => {
    const kept = await makeKey(stack, 'demo', ['events:read']);
    for (const ms of KILL_AFTER_MS) await killedAfter(ms, ['keys', 'create']);
    await stack.up();
    const alive = (await listed())
      .filter(({ revoked_at, scopes }) => revoked_at === null && scopes.includes('events:read'))
      .map(({ id }) => id);
    const expected = [...alive, 'order-service', 'payment-service', 'voucher-service'].sort();
    assert.deepEqual(logins(), { passwords: expected, rights: expected });
    await (await connect(stack.env.MQTT_URL, loginOf(kept))).endAsync();
  });

  /** Ends the launcher and all that it started, that long after its beginning. */
  async function killedAfter(ms, words) {
    const options = { cwd: top, env: stack.environment, detached: true, stdio: 'ignore' };
    const child = spawn(path.join(top, 'checkout'), words, options);
    const ended = new Promise((done) => child.once('exit', done));
    await Promise.race([ended, new Promise((done) => setTimeout(done, ms))]);
    if (child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }

  test('tells the broker of a key whose revoking was killed before it could', async () => {
    const key = await makeKey(stack, 'demo', ['events:read']);
    const subscriber = await subscribe(stack.env.MQTT_URL, loginOf(key), '#');
    const dropped = new Promise((done) => subscriber.client.once('close', done));
    await access.rows('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [keyId(key)]);
    await stack.up();
    await within(REVOKED_WITHIN_MS, 'the broker to drop the connection', dropped);
    await refusedByBroker(key);
  });

  test("replaces the stack's own keys that were revoked, and the services go on with them", async () => {
    const old = stack.env.CHECKOUT_API_KEY;
    for (const id of ['demo', 'voucherservice']) {
      assert.match((await stack.must(['keys', 'revoke', id])).stderr, /checkout up makes another/);
    }
    await stack.up();
    assert.notEqual(stack.env.CHECKOUT_API_KEY, old);
    await untilRefused(old);
    await stack.shop().sendOrder(10001);
    await untilQuiet(stack);
    assert.ok((await stack.vouchers().all('/v1/vouchers')).length > 0);
  });

  test('gives each service a key of its own where all of them had one', async () => {
    const shared = `ck_services_${'s'.repeat(43)}`;
    writeFileSync(inHome('secrets', 'key-services'), `${shared}\n`);
    await access.rows(
      `INSERT INTO api_keys (id, secret_sha256, scopes) VALUES ('services', sha256($1), '{events:read}')`,
      [Buffer.from('s'.repeat(43))],
    );
    expectStatus(await stack.shop(stack.env.ORDER_URL, shared).get('/v1/key'), 200);
    await stack.up();
    await untilRefused(shared);
    assert.ok(!existsSync(inHome('secrets', 'key-services')));
    const own = ['order-service', 'payment-service', 'voucher-service'].map((service) =>
      readFileSync(inHome('secrets', `key-${service}`), 'utf8').trim(),
    );
    for (const key of own) {
      const me = expectStatus(await stack.shop(stack.env.ORDER_URL, key).get('/v1/key'), 200).json;
      assert.deepEqual([me.merchant_id, me.scopes], ['*', ['events:read']]);
    }
    assert.equal(new Set(own.map(keyId)).size, own.length);
  });
});
