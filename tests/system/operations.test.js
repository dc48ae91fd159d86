/*
 * docs/operations.md: each of its answers, typed as it stands there, does what it says.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate, randomUUID } from 'node:crypto';
import {
  chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { after, describe, test } from 'node:test';

import { askOn } from '../support/asking.js';
import { subscribe } from '../support/bus.js';
import { makeAuthority, makeSigned } from '../support/certificates.js';
import { openInspector, openSuperuser } from '../support/database.js';
import { Document, putLauncher, typeBlock } from '../support/document.js';
import { keyId, loginOf, makeKey } from '../support/keys.js';
import { buildDirectory, top } from '../support/launcher.js';
import { Postman, newSecret, notice, record } from '../support/postman.js';
import { expectProblem, expectStatus, invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const HOST = 'shop.example';
const page = new Document('docs', 'operations.md');
const stack = await startStack({}, { restart: true });
after(() => stack.stop());
putLauncher(stack.directory);
const shop = stack.shop();

/** Types the block of that section with these words in it. */
const type = (title, words, options) => typeBlock(stack, page.block(title, words), options);

const today = () => new Date().toISOString().slice(0, 10);
const pidsOf = async (...names) =>
  Object.fromEntries((await stack.processes()).filter(({ name }) => names.includes(name)).map(({ name, pid }) => [name, pid]));
const readyz = async (url) => (await stack.shop(url, undefined).get('/readyz')).text;

/** The voucher that an order has earned; undefined if there is none yet. */
const voucherOf = async ({ id }) =>
  expectStatus(await stack.vouchers().get(`/v1/vouchers?order_id=${id}`), 200).json.data[0];
const untilVoucher = (order) => waitFor(`the voucher of ${order.id}`, () => voucherOf(order));

describe('back up and restore', () => {
  const settings = { BACKUPS: path.join(stack.directory, 'backups') };
  let day;

  const restore = async () => {
    rmSync(path.join(stack.directory, 'home.lost'), { recursive: true, force: true });
    return type('Back up and restore', './checkout restore', { settings: { ...settings, DAY: day } });
  };

  test('a backup of a running stack becomes a second home: what was there before is, the audit is clean', async () => {
    const key = await makeKey(stack, 'demo', ['orders:read', 'events:read']);
    const kept = await shop.sendOrder(13700);
    await untilVoucher(kept);
    await type('Back up and restore', './checkout backup', { settings });
    [day] = readdirSync(settings.BACKUPS);
    assert.equal(day, today());
    const lost = await shop.createOrder();
    const { stdout } = await restore();
    assert.match(stdout, /^I4 +0 +ok /m);
    assert.doesNotMatch(stdout, /BROKEN/);
    assert.equal((await shop.order(kept.id)).status, 'sent');
    expectProblem(await shop.get(`/v1/orders/${lost.id}`), 404);
    /* A key that was made by hand is good again, over HTTP and on the bus. */
    expectStatus(await shop.as(key).get(`/v1/orders/${kept.id}`), 200);
    const subscriber = await subscribe(stack.env.MQTT_URL, loginOf(key), 'checkout/v1/demo/#');
    const next = await shop.sendOrder(13700);
    await subscriber.waitFor('the next event', ({ topic }) => topic.includes(next.id));
    await subscriber.close();
    await untilVoucher(next);
  });

  test('one database that was restored alone is told of by status, audit and log, and the backup mends it', async () => {
    const dump = path.join(stack.directory, 'orders.dump');
    const server = (program, ...words) => callPostgres(program, words);
    server('pg_dump', '-Fc', '-f', dump, 'orders');
    await untilVoucher(await shop.sendOrder(13700));
    const god = await openSuperuser(stack, 'postgres');
    await god.rows('DROP DATABASE orders WITH (FORCE)');
    await god.close();
    server('pg_restore', '--create', '-d', 'postgres', dump);
    await stack.must(['restart', 'order-service']);
    await waitFor('the voucher-service to notice', async (seen) => {
      const said = await readyz(stack.env.VOUCHER_URL);
      seen(said);
      return /its log was cut/.test(said);
    }, { within: 20_000 });
    const { stdout } = await type('Back up and restore', 'LAG is negative', { mayFail: true });
    assert.match(stdout, /^voucher-service .* degraded +\d+ +-\d+$/m);
    assert.match(stdout, /^I4 +\d+ +BROKEN/m);
    assert.match(stdout, /"message":"log ends before what took effect here","source":"order-service"/);
    const unseen = await shop.sendOrder(13700);
    assert.doesNotMatch((await restore()).stdout, /BROKEN/);
    expectProblem(await shop.get(`/v1/orders/${unseen.id}`), 404);
    await untilVoucher(await shop.sendOrder(13700));
    assert.doesNotMatch(await readyz(stack.env.VOUCHER_URL), /its log was cut/);
  });

  test('a backup that was damaged is refused, and nothing is put over what is there', async () => {
    const backup = path.join(settings.BACKUPS, day);
    const refused = await stack.launch(['restore', backup, '--no-install']);
    assert.match(refused.stderr, /^checkout: There is something in .*\n.*move it away/);
    writeFileSync(path.join(backup, 'postgres', 'PG_VERSION'), `${readFileSync(path.join(backup, 'postgres', 'PG_VERSION'), 'utf8')}\n`);
    const elsewhere = { ...stack.environment, CHECKOUT_HOME: path.join(stack.directory, 'elsewhere') };
    const damaged = await stack.launchWith(elsewhere, ['restore', backup, '--no-install']);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stderr, /^checkout: The backup is damaged: see above\.$/m);
    assert.ok(!existsSync(elsewhere.CHECKOUT_HOME));
    assert.equal((await stack.launch(['backup', backup])).code, 1, 'one that is there is not written over');
  });
});

/** A program of the cluster's PostgreSQL, as its superuser. */
function callPostgres(program, words) {
  const version = readFileSync(path.join(stack.home, 'postgres', 'PG_VERSION'), 'utf8').trim();
  const { hostname, port } = new URL(stack.env.ORDERS_DATABASE_URL);
  execFileSync(path.join('/usr/lib/postgresql', version, 'bin', program),
    ['-h', hostname, '-p', port, '-U', 'postgres', ...words],
    { env: { ...process.env, PGPASSFILE: path.join(stack.home, 'secrets', 'pgpass') } });
}

describe('upgrade', () => {
  /* A clone of its own, with what was built, into which `git pull` brings a migration and another program. */
  const clone = path.join(stack.directory, 'clone');
  const build = path.basename(buildDirectory());
  const main = path.join(clone, 'order-service', 'main.c');
  const settings = {
    BACKUPS: path.join(stack.directory, 'upgrades'),
    CHECKOUT_BUILD: build,
    PATH: `${path.join(clone, 'bin')}:${process.env.PATH}`,
  };

  test('a pull and an up build, stop and start what has changed, migrate, and leave the rest alone', async () => {
    makeClone();
    const order = await shop.createOrder();
    const others = ['postgres', 'broker', 'edge', 'payment-service', 'voucher-service'];
    const before = await pidsOf('order-service', ...others);
    const { stderr, stdout } = await type('Upgrade', 'git pull', { folder: clone, settings });
    assert.match(stderr, /^What changed is started anew: order-service\.$/m);
    assert.match(stdout, /^order-service .* yes /m);
    const now = await pidsOf('order-service', ...others);
    assert.notEqual(now['order-service'], before['order-service']);
    for (const name of others) assert.equal(now[name], before[name], name);
    const database = await openInspector(stack, 'orders');
    assert.equal(await database.value('SELECT works FROM ops.upgrade'), 1);
    await database.close();
    const told = execFileSync(path.join(stack.home, 'bin', 'order-service'), ['--settings'], { encoding: 'utf8' });
    assert.match(told, /^ORDER_EXPIRY_S\t86401\t/m);
    assert.equal((await shop.order(order.id)).id, order.id);
    assert.ok(existsSync(path.join(settings.BACKUPS, 'before-upgrade', 'settings')));
  });

  test('a build that fails stops nothing, and says what to do', async () => {
    const before = await pidsOf('order-service');
    writeFileSync(main, `${readFileSync(main, 'utf8')}\nint broken = ;\n`);
    const failed = await typeBlock(stack, './checkout up --detach', { folder: clone, settings, mayFail: true });
    assert.match(failed.stderr, /main\.c:\d+:\d+: error: /);
    assert.doesNotMatch(failed.stderr, /^\[\d+\/\d+\]/m, 'of what went well nothing is said');
    assert.match(failed.stderr, /^checkout: The build failed; .*\n {2}Mend it, .*\n {2}\.\/checkout up --no-build /m);
    assert.deepEqual(await pidsOf('order-service'), before);
  });

  function makeClone() {
    mkdirSync(clone);
    const left = ['.git', 'var'];
    const parts = readdirSync(top).filter((name) => !left.includes(name) && (!name.startsWith('build') || name === build));
    const archive = execFileSync('tar', ['-C', top, '--exclude=node_modules', '--format=posix', '-cf', '-', ...parts],
      { maxBuffer: 1 << 30 });
    execFileSync('tar', ['-C', clone, '-xf', '-'], { input: archive });
    for (const folder of ['tests', 'console']) {
      const installed = path.join(top, folder, 'node_modules');
      if (existsSync(installed)) symlinkSync(installed, path.join(clone, folder, 'node_modules'));
    }
    renameSync(path.join(clone, 'checkout'), path.join(clone, 'launcher'));
    putLauncher(clone, path.join(clone, 'launcher'));
    mkdirSync(path.join(clone, 'bin'));
    writeFileSync(path.join(clone, 'bin', 'git'), pull(), { mode: 0o755 });
  }

  const pull = () => `#!/bin/sh
[ "$*" = pull ] || exit 1
sed -i 's/"86400"/"86401"/' order-service/main.c
cat > migrations/orders/20991231000000_upgrade.sql <<END
-- migrate:up
CREATE VIEW ops.upgrade AS SELECT 1 AS works;
GRANT SELECT ON ops.upgrade TO inspector;
-- migrate:down
END
`;
});

describe('change keys and certificates', () => {
  const section = 'Change keys and certificates';

  test('a merchant\'s key: the new one is good, the old one is refused within 5 s', async () => {
    const old = await makeKey(stack, 'demo', ['orders:read']);
    const { stdout } = await type(section, 'till 4', { settings: { OLD: keyId(old) } });
    const [fresh] = /^ck_\w+$/m.exec(stdout);
    assert.match(stdout, new RegExp(`^${keyId(old)} +demo +active`, 'm'));
    expectStatus(await shop.as(fresh).get('/v1/orders'), 200);
    await waitFor('the old one to be refused', async () => (await shop.as(old).get('/v1/orders')).status === 401, { within: 5000 });
  });

  test('the certificate: a renewed one is shown, and nothing is started anew', async () => {
    makeAuthority(stack.directory, 'authority');
    const show = async (name) => {
      const { certificate, key } = makeSigned(stack.directory, 'authority', name, HOST);
      await type(section, 'EDGE_CERTIFICATE=', { settings: { CERTIFICATE: certificate, KEY: key } });
      const { fingerprint256 } = new X509Certificate(readFileSync(certificate));
      for (const url of [stack.env.CHECKOUT_HTTPS_URL, stack.env.MQTTS_URL]) assert.equal(await shownAt(url), fingerprint256);
    };
    await show('first');
    const before = await pidsOf('edge', 'broker', 'order-service');
    await show('second');
    assert.deepEqual(await pidsOf('edge', 'broker', 'order-service'), before);
  });

  test('the key of a service: up makes another, and what others announce goes on taking effect', async () => {
    await type(section, 'revoke orderservice');
    const { stdout } = await stack.must(['keys', 'list']);
    assert.match(stdout, /^orderservice +\* +revoked /m);
    assert.match(stdout, /^orderservice\w+ +\* +active /m);
    const till = await openTill(stack);
    const order = await till.order();
    expectStatus(await till.pay(order), 201);
    await till.untilOrder(order, { status: 'paid' });
    await till.close();
  });

  test('the payment key: cards have other fingerprints, and what was paid before can be given back', async () => {
    const till = await openTill(stack);
    const before = await till.paid();
    await type(section, 'payment-key');
    const now = await till.paid();
    assert.notEqual(now.payment_method.card.fingerprint, before.payment_method.card.fingerprint);
    const refund = expectStatus(await till.act(before, 'refunds'), 201).json;
    await till.untilRefund(refund, 'succeeded');
    await till.close();
  });
});

/** The fingerprint of the certificate that is shown at the port of a URL. */
function shownAt(url) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port: new URL(url).port, servername: HOST, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('look into the databases: views, counts, a file of rows, and an order\'s timeline', async () => {
  const order = await shop.sendOrder(13700);
  await untilVoucher(order);
  const { stdout } = await type('Look into the databases', './checkout psql orders\n');
  assert.match(stdout, /\bresolve_at\b/);
  assert.match(stdout, /^[1-9]\d*$/m);
  const [head, ...lines] = readFileSync(path.join(stack.directory, 'lines.csv'), 'utf8').trim().split('\n');
  assert.match(head, /\border_id\b/);
  assert.ok(lines.some((line) => line.includes(order.id)));
  const timeline = await type('Look into the databases', 'timeline', { settings: { ORDER_ID: order.id } });
  assert.match(timeline.stdout, /"order\.sent"/);
});

test('see how far behind it is: a service that stands still lags by what it missed, and then by nothing', async () => {
  const { thaw } = await stack.freeze('voucher-service');
  const sent = await shop.sendOrder(13700);
  const behind = await type('See how far behind it is', '--json', { mayFail: true });
  thaw();
  assert.match(behind.stdout, /^voucher-service .* no +\d+ +[1-9]\d*$/m);
  assert.match(behind.stdout, /^voucher-service\t0\t[1-9]\d*$/m);
  await untilVoucher(sent);
  const level = await waitFor('no lag', async () => {
    const { stdout } = await stack.launch(['status']);
    return /^voucher-service .* yes +\d+ +0$/m.test(stdout) && stdout;
  });
  assert.match(level, /^order-service .* yes +\d+ +0$/m);
  const { stdout } = await type('See how far behind it is', 'ops.relay_lag');
  assert.match(stdout, /\bhead\b[^]*\bsource\b/);
});

test('replay a dead letter: the event takes effect once its cause is mended, and another one is discarded', async () => {
  const god = await openSuperuser(stack, 'vouchers');
  await god.rows('ALTER TABLE vouchers ADD CONSTRAINT staged CHECK (value_amount <> 500) NOT VALID');
  const orders = [await shop.sendOrder(13700), await shop.sendOrder(13700)];
  const operator = stack.vouchers(stack.env.CHECKOUT_OPERATOR_KEY);
  const letterOf = ({ id }) =>
    waitFor('its dead letter', async () =>
      (await operator.all('/v1/dead_letters')).find((letter) => JSON.stringify(letter).includes(id)));
  const [letter, other] = [await letterOf(orders[0]), await letterOf(orders[1])];
  const listed = await type('Replay a dead letter', 'dead-letters list');
  for (const { id } of [letter, other]) assert.match(listed.stdout, new RegExp(`^${id} +open +order-service `, 'm'));
  await god.rows('ALTER TABLE vouchers DROP CONSTRAINT staged');
  await god.close();
  await type('Replay a dead letter', 'replay', { settings: { ID: letter.id, OTHER_ID: other.id } });
  assert.equal((await voucherOf(orders[0])).value_amount, 500);
  assert.equal(await voucherOf(orders[1]), undefined);
  assert.match((await stack.must(['dead-letters', 'list'])).stderr, /There are no dead letters/);
});

test('add a voucher rule for a currency: orders above it that are sent from then on earn a voucher', async () => {
  const early = await shop.sendOrder(12001, { currency: 'CHF' });
  const { stdout } = await type('Add a voucher rule for a currency', 'voucher_rules');
  assert.match(stdout, /"currency": ?"CHF"/);
  const voucher = await untilVoucher(await shop.sendOrder(12001, { currency: 'CHF' }));
  assert.deepEqual([voucher.currency, voucher.value_amount], ['CHF', 600]);
  const low = await shop.sendOrder(12000, { currency: 'CHF' });
  await untilVoucher(await shop.sendOrder(13700)); /* what was sent before has been looked at */
  for (const order of [early, low]) assert.equal(await voucherOf(order), undefined);
});

test('connect a real bank: it is asked, its webhooks are believed by their signature, a mistake is named', async () => {
  const banks = path.join(stack.directory, 'banks');
  const secret = newSecret();
  mkdirSync(banks);
  cpSync(path.join(stack.home, 'secrets', 'bank-key'), path.join(banks, 'acquirer-key'));
  writeFileSync(path.join(banks, 'acquirer-webhooks'), `${secret}\n`);
  for (const name of readdirSync(banks)) chmodSync(path.join(banks, name), 0o644);
  const settings = { BANKS: banks, ACQUIRER: stack.env.BANK_URL };
  await type('Connect a real bank', 'GATEWAYS_FILE=', { settings });
  const listed = await type('Connect a real bank', '/v1/gateways');
  assert.match(listed.stdout, /"acquirer"/);
  const till = await openTill(stack);
  const payment = await till.paid(4711);
  assert.equal(payment.gateway, 'acquirer');
  const [{ id: reference }] = await till.attempts(payment);
  await till.close();
  const postman = new Postman(stack);
  const told = JSON.stringify(notice(record(reference)));
  const to = { gateway: 'acquirer', secret };
  assert.ok((await postman.post(told, to)).status < 300);
  expectStatus(await postman.post(told, { ...to, secret: newSecret() }), 401);

  const list = path.join(banks, 'gateways.json');
  writeFileSync(list, readFileSync(list, 'utf8').replace('CHF', 'XYZ'));
  const refused = await typeBlock(stack, page.block('Connect a real bank', 'GATEWAYS_FILE=').replace(/^cat[^]*^END$/m, ''),
    { settings, mayFail: true });
  assert.match(refused.stderr, /^checkout: payment-service can not start like this:\n.*currencies/m);
});

test('run two instances: one dies and requests go on, they are restarted and nobody notices, and back to one', async () => {
  await type('Run two instances', 'CHECKOUT_INSTANCES=2');
  const names = async () => (await stack.processes()).map(({ name }) => name);
  assert.ok((await names()).includes('order-service-1'));
  const edge = stack.shop(stack.env.CHECKOUT_URL);
  const create = async () => (await edge.post('/v1/orders', invoice(100), { key: newKey() })).status;
  const asking = askOn(create);
  process.kill((await pidsOf('order-service'))['order-service'], 'SIGKILL');
  const died = asking.answers.length;
  await waitFor('more orders', () => asking.answers.length > died + 20, { within: 30_000 });
  await waitFor('both to be ready', async () =>
    (await stack.processes()).every(({ ready }) => ready), { within: 30_000 });
  const before = await pidsOf('order-service', 'order-service-1');
  await type('Run two instances', 'restart order-service');
  const now = await pidsOf('order-service', 'order-service-1');
  for (const [name, pid] of Object.entries(before)) assert.notEqual(now[name], pid, name);
  assert.deepEqual([...new Set(await asking.stop())], [201]);
  await type('Run two instances', 'CHECKOUT_INSTANCES=1');
  assert.ok(!(await names()).includes('order-service-1'));
  expectStatus(await edge.post('/v1/orders', invoice(100), { key: randomUUID() }), 201);
});

test('every command of the document was typed', () => {
  assert.deepEqual(page.untried, []);
});
