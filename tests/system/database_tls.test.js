/*
 * TLS between a service and PostgreSQL: as sslmode says, and never less.
 */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { makeAuthority, makeSigned } from '../support/certificates.js';
import { openSuperuser, urlFor } from '../support/database.js';
import { runAlone } from '../support/program.js';
import { expectStatus, invoice } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

/* The name that the server's certificate is for, and another one by which it is reached too. */
const HOST = 'localhost';
const OTHER_HOST = '127.0.0.1';

const stack = await startStack();
after(() => stack.stop());
const god = await openSuperuser(stack, 'orders');
after(() => god.close());

/* Readable by the user whom the services run as. */
const folder = path.join(stack.directory, 'tls');
mkdirSync(folder, { mode: 0o755 });
const ours = makeAuthority(folder, 'ours');
const strangers = makeAuthority(folder, 'strangers');
await serve('first');

const recipe = stack.recipes.get('order-service');
const [port, healthPort] = [31, 32].map((number) => String(stack.portBase + number));

/** Has the server show a certificate that is signed by `authority`; a file is whole or not there. */
async function serve(name, authority = 'ours') {
  const files = makeSigned(folder, authority, name, HOST);
  const data = path.join(stack.home, 'postgres');
  for (const [file, as] of [[files.key, 'server.key'], [files.certificate, 'server.crt']]) {
    const fresh = path.join(data, `${as}.new`);
    copyFileSync(file, fresh);
    chmodSync(fresh, 0o600);
    if (process.getuid() === 0) chownSync(fresh, statSync(data).uid, statSync(data).gid);
    renameSync(fresh, path.join(data, as));
  }
  await god.rows('ALTER SYSTEM SET ssl = on');
  await god.rows('SELECT pg_reload_conf()');
  await waitFor('the server to speak TLS', async () => (await god.value('SHOW ssl')) === 'on');
}

/** What makes an instance of the order-service connect with these words behind its URLs. */
function settings(host, words) {
  const url = (role, database) => {
    const made = new URL(urlFor(stack, role, database));
    made.hostname = host;
    made.search = new URLSearchParams({ ...words, application_name: 'by-tls' });
    return made.href;
  };
  return {
    PORT: port,
    HEALTH_PORT: healthPort,
    INSTANCE: '7',
    DATABASE_URL_FILE: undefined,
    ACCESS_DATABASE_URL_FILE: undefined,
    DATABASE_URL: url('orders_service', 'orders'),
    ACCESS_DATABASE_URL: url('access_reader', 'access'),
  };
}

/** Starts it beside the others, and answers when it is ready. */
async function start(host, words) {
  const environment = { ...recipe.environment, ...settings(host, words) };
  for (const name of ['DATABASE_URL_FILE', 'ACCESS_DATABASE_URL_FILE']) delete environment[name];
  stack.startFrom('order-service-7', { ...recipe, environment });
  const shop = stack.shop(`http://127.0.0.1:${port}`);
  const probe = async (seen) => {
    seen(stack.said('order-service-7'));
    return (await shop.get('/readyz').catch(() => undefined))?.status === 200;
  };
  await waitFor('the instance to be ready', probe, { within: 20_000 });
  return shop;
}

/** Its sessions, those of the access database included, and whether each is encrypted. */
const sessions = () =>
  god.rows(`SELECT datname, ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE application_name = 'by-tls'`);

/** Tries to start it: it gives up, and says why without its password. */
async function expectRefused(host, words, reason) {
  const environment = Object.fromEntries(
    Object.entries({ ...recipe.environment, ...settings(host, words) }).filter(([, value]) => value !== undefined),
  );
  const { code, stderr } = await runAlone('order-service', [], environment, { patience: 120_000 });
  assert.equal(code, 3, stderr.slice(-600));
  assert.ok(reason.test(stderr), stderr.slice(-600));
  for (const name of ['DATABASE_URL', 'ACCESS_DATABASE_URL']) {
    assert.ok(!stderr.includes(new URL(environment[name]).password), 'the password is told');
  }
}

/** Once it has sessions with both databases: a key that it knows it asks for again after seconds. */
async function expectEncrypted(shop) {
  const all = await waitFor('sessions with both databases', async (seen) => {
    expectStatus(await shop.post('/v1/orders', invoice(100)), 201);
    const there = await sessions();
    seen(there);
    return new Set(there.map(({ datname }) => datname)).size === 2 && there;
  });
  for (const session of all) {
    assert.ok(session.ssl, `${session.datname} is not encrypted`);
    assert.match(session.version, /^TLSv1\.[23]$/);
  }
}

describe('sslmode=require', () => {
  test('encrypts every session, of both databases', async () => {
    await expectEncrypted(await start(OTHER_HOST, { sslmode: 'require' }));
    await stack.kill('order-service-7', 'SIGTERM');
  });
});

describe('sslmode=verify-full', () => {
  const believed = { sslmode: 'verify-full', sslrootcert: ours };

  test('refuses a certificate of another authority, and says so', () =>
    expectRefused(HOST, { ...believed, sslrootcert: strangers }, /certificate verify failed/));

  test('refuses a certificate for another host, and says which', () =>
    expectRefused(OTHER_HOST, believed, /server certificate for \\"localhost\\".* does not match host name \\"127\.0\.0\.1\\"/));

  test('refuses to go on without the file of the authority', () =>
    expectRefused(HOST, { ...believed, sslrootcert: '/nowhere/at/all.pem' }, /root certificate file .*does not exist/));

  test('works with the right one, and goes on when the server renews its certificate', async () => {
    const shop = await start(HOST, believed);
    await expectEncrypted(shop);
    await serve('second');
    await endSessions();
    await expectEncrypted(shop);
  });

  test('a service that runs is not ready any more when the server is another, and is again when it is back', async () => {
    const shop = stack.shop(`http://127.0.0.1:${port}`);
    const becomes = (status) =>
      waitFor(`readyz to be ${status}`, async (seen) => {
        const answer = await shop.get('/readyz');
        seen(answer.text);
        return answer.status === status;
      });
    await serve('false', 'strangers');
    await endSessions();
    await becomes(503);
    assert.match(stack.said('order-service-7'), /certificate verify failed/);
    await serve('third');
    await becomes(200);
    await expectEncrypted(shop);
  });

  /** Makes it connect anew. */
  const endSessions = () =>
    god.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'by-tls'`);
});
