/*
 * Keys and certificates are changed while everything runs, and no client notices. (The certificate of
 * PostgreSQL: database_tls.test.js; two secrets for webhooks: provider_webhooks.test.js.)
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate, randomUUID } from 'node:crypto';
import { chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { after, test } from 'node:test';

import { askOn } from '../support/asking.js';
import { makeAuthority, makeSigned } from '../support/certificates.js';
import { openSuperuser, urlFor } from '../support/database.js';
import { makeKey, revokeKey } from '../support/keys.js';
import { expectProblem, expectStatus, invoice } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const HOST = 'shop.example';
const REVOKED_WITHIN_MS = 5000;

/* The real certificate that the stack is told to show. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'checkout-certificates-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const authority = makeAuthority(folder, 'authority');
const shown = { EDGE_CERTIFICATE: path.join(folder, 'edge.pem'), EDGE_KEY: path.join(folder, 'edge.key') };
const first = renewCertificate('first');

const stack = await startStack({ CHECKOUT_INSTANCES: '2', ...shown });
after(() => stack.stop());

const httpsPort = Number(new URL(stack.env.CHECKOUT_HTTPS_URL).port);
const mqttsPort = Number(new URL(stack.env.MQTTS_URL).port);
const god = await openSuperuser(stack, 'orders');
after(() => god.close());

/** Puts a new certificate where the stack is told to look for it; returns its fingerprint. */
function renewCertificate(name) {
  const { certificate, key } = makeSigned(folder, 'authority', name, HOST);
  copyFileSync(certificate, shown.EDGE_CERTIFICATE);
  copyFileSync(key, shown.EDGE_KEY);
  return new X509Certificate(readFileSync(certificate)).fingerprint256;
}

const believing = () => ({ host: '127.0.0.1', servername: HOST, ca: readFileSync(authority) });

/** The fingerprint that a port shows to whoever believes the authority. */
function shownAt(port) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, ...believing() }, () => {
      resolve(socket.getPeerX509Certificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** A request on a connection of its own; `finish()` sends the end of its body. */
function beginOrder() {
  const body = JSON.stringify(invoice(100));
  const headers = {
    host: HOST,
    authorization: `Bearer ${stack.env.CHECKOUT_API_KEY}`,
    'content-type': 'application/json',
    'content-length': body.length,
    'idempotency-key': randomUUID(),
  };
  const request = https.request({ ...believing(), port: httpsPort, method: 'POST', path: '/v1/orders', headers, agent: false });
  const status = new Promise((resolve, reject) => {
    request.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode)));
    request.on('error', reject);
  });
  status.catch(() => {});
  request.write(body.slice(0, 10));
  const connected = new Promise((resolve) => {
    const tell = (socket) => resolve(socket.getPeerX509Certificate().fingerprint256);
    request.once('socket', (socket) => socket.once('secureConnect', () => tell(socket)));
  });
  return { connected: Promise.race([connected, status]), finish: () => (request.end(body.slice(10)), status) };
}

test('the certificate of edge and broker is renewed while requests are under way, and nobody is turned away', async () => {
  const processes = () => Promise.all(['edge', 'broker'].map((name) => stack.pid(name)));
  const before = await processes();
  const quick = askOn(() => beginOrder().finish());
  let [straddled, renewing] = [0, false];
  /* Each of them is under way while several others come and go; the last until the other one is shown. */
  const slow = askOn(async () => {
    const order = beginOrder();
    const its = await order.connected;
    const enough = quick.answers.length + 5;
    let current = its;
    const over = () => !renewing && quick.answers.length >= enough;
    await waitFor('others', async () => (current = await shownAt(httpsPort)) !== its || over(), { within: 60_000 });
    if (current !== its) straddled++;
    return order.finish();
  });
  const second = renewCertificate('second');
  renewing = true;
  await stack.up(['--no-restart']);
  renewing = false;
  for (const port of [httpsPort, mqttsPort]) assert.equal(await shownAt(port), second);
  const answers = [...(await slow.stop()), ...(await quick.stop())];
  assert.ok(answers.length > 5, `${answers.length} requests`);
  assert.deepEqual([...new Set(answers)], [201]);
  assert.ok(straddled > 0, 'a request that began with the old certificate and ended under the new one');
  assert.deepEqual(await processes(), before, 'they were not started anew');
  assert.notEqual(first, second);
});

test('of two keys of a merchant the old one is revoked, and the new one is good before, while and after', async () => {
  const [old, fresh] = [await makeKey(stack, 'demo', ['orders:read']), await makeKey(stack, 'demo', ['orders:read'])];
  const shop = stack.shop();
  for (const key of [old, fresh]) expectStatus(await shop.as(key).get('/v1/orders'), 200);
  const asking = askOn(async () => (await shop.as(fresh).get('/v1/orders?limit=1')).status);
  await revokeKey(stack, old);
  const refused = await waitFor('the old key to be refused', async () => {
    const answer = await shop.as(old).get('/v1/orders');
    return answer.status === 401 && answer;
  }, { within: REVOKED_WITHIN_MS });
  expectProblem(refused, 401, 'key_invalid');
  assert.deepEqual([...new Set(await asking.stop())], [200]);
});

/** Lets each instance of the order-service go on with other settings, one after the other. */
async function rollOrderService(settings) {
  for (const name of ['order-service', 'order-service-1']) {
    const recipe = stack.recipes.get(name);
    const environment = { ...recipe.environment, ...settings };
    for (const each of Object.keys(settings)) delete environment[`${each}_FILE`];
    await stack.kill(name, 'SIGTERM');
    stack.startFrom(name, { ...recipe, environment });
    await stack.ready(name);
  }
}

/** Another login that may do what the service's own may; its password is the returned URL's. */
async function makeDatabaseLogin(role) {
  const login = `${role}_second`;
  await god.rows(`CREATE ROLE ${login} LOGIN PASSWORD 'another-one' IN ROLE ${role}`);
  for (const name of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
    const settings = await god.value('SELECT array_to_string(rolconfig, chr(10)) FROM pg_roles WHERE rolname = $1', [role]);
    const [, value] = new RegExp(`^${name}=(.*)$`, 'm').exec(settings);
    await god.rows(`ALTER ROLE ${login} SET ${name} TO '${value}'`);
  }
  const url = new URL(urlFor(stack, role, 'orders'));
  Object.assign(url, { username: login, password: 'another-one' });
  return url.href;
}

/** Has the broker know a service by another password; who is connected stays. */
async function changeBrokerPassword(user, password) {
  const file = path.join(stack.home, 'broker', 'passwords');
  const { uid, gid } = statSync(file);
  execFileSync('mosquitto_passwd', ['-b', file, user, password], { stdio: 'ignore' });
  if (process.getuid() === 0) chownSync(file, uid, gid);
  process.kill(await stack.pid('broker'), 'SIGHUP');
}

test('database login, broker password and service key of a service with two instances change, and orders go on', async () => {
  const settings = {
    DATABASE_URL: await makeDatabaseLogin('orders_service'),
    MQTT_PASSWORD: 'yet-another-one',
    SERVICE_KEY: await makeKey(stack, '*', ['events:read']),
  };
  const asking = askOn(async () => beginOrder().finish());
  await changeBrokerPassword('order-service', settings.MQTT_PASSWORD);
  await rollOrderService(settings);
  const old = readFileSync(path.join(stack.home, 'secrets', 'key-order-service'), 'utf8').trim();
  await revokeKey(stack, old);
  await god.rows('ALTER ROLE orders_service NOLOGIN');
  const before = asking.answers.length;
  await waitFor('more orders', () => asking.answers.length > before + 5, { within: 30_000 });
  assert.deepEqual([...new Set(await asking.stop())], [201]);
  await expectChanged();
});

/** Both instances are ready in every respect, and nobody has a session by the old login. */
async function expectChanged() {
  for (const name of ['order-service', 'order-service-1']) {
    const shop = stack.shop(stack.urlOf(name));
    await waitFor(`${name} to miss nothing`, async (seen) => {
      const { json } = await shop.get('/readyz');
      seen(json);
      return json.status === 'ready';
    });
  }
  const users = () => god.rows("SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE 'orders_service%'");
  await waitUntilEqual('whose sessions there are', users, [{ usename: 'orders_service_second' }]);
}
