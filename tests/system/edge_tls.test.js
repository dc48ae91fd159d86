/*
 * TLS at the edge and at the broker: with the launcher's own certificate, and with a real one.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { after, describe, test } from 'node:test';

import { subscribe } from '../support/bus.js';
import { expectProblem, expectStatus, invoice } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { within } from '../support/wait.js';
import { Wire, requestText } from '../support/wire.js';

const stack = await startStack({}, { restart: true });
after(() => stack.stop());

const edge = stack.shop(stack.env.CHECKOUT_URL);
const httpsPort = Number(new URL(stack.env.CHECKOUT_HTTPS_URL).port);
const mqttsPort = Number(new URL(stack.env.MQTTS_URL).port);

const shown = () => readFileSync(stack.env.CHECKOUT_CERTIFICATE, 'utf8');

/** Shakes hands and tells the protocol, or fails with what the server said. */
function handshake(port, options) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca: shown(), ...options }, () => {
      resolve({ protocol: socket.getProtocol(), certificate: socket.getPeerX509Certificate() });
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** GET over HTTPS, believing only the certificate that `env` names. */
function get(target, { host = '127.0.0.1', key } = {}) {
  const options = { host: '127.0.0.1', servername: net.isIP(host) ? '' : host, port: httpsPort, path: target, ca: shown() };
  options.checkServerIdentity = (_, certificate) => tls.checkServerIdentity(host, certificate);
  options.headers = { host, ...(key ? { authorization: `Bearer ${key}` } : {}) };
  return new Promise((resolve, reject) => {
    https
      .get(options, (response) => {
        response.resume().on('end', () => resolve({ status: response.statusCode, headers: response.headers }));
      })
      .on('error', reject);
  });
}

for (const [what, port] of [['the edge', httpsPort], ['the broker', mqttsPort]]) {
  test(`${what} speaks TLS 1.2 and 1.3, and refuses 1.1`, async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const { protocol } = await handshake(port, { minVersion: version, maxVersion: version });
      assert.equal(protocol, version);
    }
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await assert.rejects(handshake(port, old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  test(`${what} takes no cipher without forward secrecy`, async () => {
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES128-SHA' };
    await assert.rejects(handshake(port, weak), { code: /HANDSHAKE_FAILURE/ });
  });
}

describe('with the certificate that the launcher makes', () => {
  test('HTTPS is believed by the file that env names, for localhost and both loopbacks', async () => {
    const certificate = new X509Certificate(shown());
    assert.ok(certificate.checkHost('localhost'));
    for (const address of ['127.0.0.1', '::1']) assert.ok(certificate.checkIP(address), address);
    for (const host of ['127.0.0.1', 'localhost']) {
      const answer = await get('/v1/orders', { host, key: stack.env.CHECKOUT_API_KEY });
      assert.equal(answer.status, 200);
    }
    await assert.rejects(get('/v1/orders', { host: 'example.com' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('HTTP/2 is spoken', async () => {
    const session = http2.connect(stack.env.CHECKOUT_HTTPS_URL, { ca: shown() });
    const request = session.request({ ':path': '/v1/orders', authorization: `Bearer ${stack.env.CHECKOUT_API_KEY}` });
    const status = await new Promise((resolve, reject) => {
      request.on('response', (headers) => resolve(headers[':status']));
      session.on('error', reject);
    });
    session.destroy();
    assert.equal(status, 200);
  });

  test('over HTTP/2 too a body is read only after its key was found good', async () => {
    const session = http2.connect(stack.env.CHECKOUT_HTTPS_URL, { ca: shown() });
    after(() => session.destroy());
    const status = (key) => {
      const headers = { ':method': 'POST', ':path': '/v1/orders', 'content-type': 'application/json', authorization: `Bearer ${key}` };
      const request = session.request(headers);
      const answered = new Promise((resolve, reject) => {
        request.on('response', (answer) => resolve(answer[':status'])).on('error', reject);
      });
      return { request, answered: within(5000, 'an answer over HTTP/2', answered) };
    };
    const refused = status(`ck_nobody_${'x'.repeat(43)}`);
    refused.request.write('{'); /* and no end */
    assert.equal(await refused.answered, 401);
    const served = status(stack.env.CHECKOUT_API_KEY);
    served.request.end(JSON.stringify(invoice(100)));
    assert.equal(await served.answered, 201);
  });

  test('plain HTTP stays for this machine, and nobody is told to forget it', async () => {
    for (const answer of [await edge.get('/v1/orders'), await edge.get('/docs/'), await edge.get('/nothing'), await get('/docs/')]) {
      assert.ok([200, 404].includes(answer.status));
      assert.equal(answer.headers['strict-transport-security'], undefined);
    }
  });

  test('plain HTTP at the port of HTTPS is told so', async () => {
    const wire = await Wire.connect(`http://127.0.0.1:${httpsPort}`);
    const answer = await wire.send(requestText('GET /v1/orders HTTP/1.1', ['Host: x'])).answer();
    wire.close();
    expectProblem({ ...answer, what: 'plain' }, 400, 'https_expected');
  });

  test('the bus is reached by mqtts and by wss, and only by whom it knows', async () => {
    for (const url of [stack.env.MQTTS_URL, `${stack.env.CHECKOUT_HTTPS_URL.replace('https', 'wss')}/mqtt`]) {
      const trust = { ca: shown(), wsOptions: { ca: shown() } };
      const bus = await subscribe(url, stack.login, 'checkout/v1/demo/order/+/created', trust);
      const order = await edge.createOrder();
      await bus.waitFor('the order', (message) => message.event?.subject === order.id);
      await bus.close();
      await assert.rejects(subscribe(url, { username: 'demo', password: 'wrong' }, '#', trust));
    }
  });

  test('its key is for the owner of the home only', () => {
    const listing = execFileSync('stat', ['-c', '%a', path.join(stack.home, 'tls', 'key.pem')], { encoding: 'utf8' });
    assert.equal(listing.trim(), '600');
  });

  test('it is kept, and another one is made and shown before it ends', async () => {
    const before = shown();
    await stack.up();
    assert.equal(shown(), before);
    makeCertificate(path.join(stack.home, 'tls'), 'certificate', 'localhost', 10);
    execFileSync('mv', [path.join(stack.home, 'tls', 'certificate.key'), path.join(stack.home, 'tls', 'key.pem')]);
    await stack.up();
    const made = new X509Certificate(shown());
    assert.ok(Date.parse(made.validTo) - Date.now() > 300 * 86_400_000);
    for (const port of [httpsPort, mqttsPort]) {
      assert.equal((await handshake(port)).certificate.fingerprint256, made.fingerprint256);
    }
  });
});

describe('with a real certificate', () => {
  const name = 'shop.example';
  const files = () => ({ EDGE_CERTIFICATE: path.join(stack.directory, 'real.pem'), EDGE_KEY: path.join(stack.directory, 'real.key') });

  test('one that can not be used is named, and nothing changes', async () => {
    makeCertificate(stack.directory, 'real', name, 90);
    makeCertificate(stack.directory, 'other', name, 90);
    const before = await stack.pid('edge');
    const rows = [
      [{ EDGE_CERTIFICATE: files().EDGE_CERTIFICATE }, /EDGE_KEY is not set/],
      [{ EDGE_KEY: files().EDGE_KEY }, /EDGE_CERTIFICATE is not set/],
      [{ ...files(), EDGE_KEY: path.join(stack.directory, 'other.key') }, /EDGE_KEY is .* not the key of that certificate/],
      [{ ...files(), EDGE_CERTIFICATE: files().EDGE_KEY }, /EDGE_CERTIFICATE is .* no certificate/],
      [{ ...files(), EDGE_KEY: '/nonexistent' }, /EDGE_KEY is .* can not be read/],
      [{ EDGE_ADDRESS: 'everywhere' }, /EDGE_ADDRESS is 'everywhere'/],
    ];
    for (const [settings, said] of rows) {
      const own = { ...stack.environment, ...settings };
      const refused = await stack.launchWith(own, ['up', '--detach', '--no-install', '--no-build']);
      assert.equal(refused.code, 2, JSON.stringify(settings));
      assert.match(refused.stderr, said);
    }
    assert.equal(await stack.pid('edge'), before);
  });

  test('plain HTTP is redirected to HTTPS, which asks to be used from then on', async () => {
    Object.assign(stack.environment, files());
    await stack.up();
    assert.equal(stack.env.CHECKOUT_URL, `https://${name}:${httpsPort}`);
    const plain = await edge.request('POST', '/v1/orders?a=b', { body: invoice(100), headers: { host: name } });
    expectStatus(plain, 308);
    assert.equal(plain.headers.location, `https://${name}:${httpsPort}/v1/orders?a=b`);
    assert.equal(plain.headers['strict-transport-security'], undefined);
    for (const [target, status] of [['/v1/orders', 200], ['/docs/', 200], ['/nothing', 404]]) {
      const answer = await get(target, { host: name, key: stack.env.CHECKOUT_API_KEY });
      assert.equal(answer.status, status);
      assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
    }
    const broken = await Wire.connect(edge.url);
    expectProblem({ ...(await broken.send('garbage\r\n\r\n').answer()), what: 'garbage' }, 400, 'request_malformed');
    broken.close();
  });

  test('the demo goes through HTTPS, and the broker shows the same certificate', async () => {
    assert.match((await stack.must(['demo'])).stdout, /EUR 137\.00/);
    const { certificate } = await handshake(mqttsPort, { servername: name });
    assert.ok(certificate.checkHost(name));
  });
});

/** A certificate <file>.pem and its key <file>.key for a host. */
function makeCertificate(directory, file, host, days) {
  const [key, certificate] = [`${file}.key`, `${file}.pem`].map((each) => path.join(directory, each));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc',
    '-days', String(days), '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-keyout', key, '-out', certificate],
    { stdio: 'ignore' });
  for (const each of [key, certificate]) chmodSync(each, 0o644);
}
