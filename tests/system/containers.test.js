/*
 * The containers, as they are described: docker-compose.yml against the specification of compose files and
 * against what else in the project it has to agree with. `./checkout test compose` builds and starts it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { DCLinter } from 'dclint';
import { parse } from 'yaml';

import { top } from '../support/launcher.js';
import { settingsOf } from '../support/program.js';

const FILE = path.join(top, 'docker-compose.yml');
const PROGRAMS = ['order-service', 'payment-service', 'voucher-service', 'bank-simulator'];

/* What compose 1.29 knows; what came later it refuses. */
const TOP_LEVEL = /^(services|networks|volumes|secrets|configs|x-.*)$/;

const read = (...names) => readFileSync(path.join(top, ...names), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true });
const services = Object.entries(compose.services);
const dockerfile = read('Dockerfile');

const ours = services.filter(([, service]) => service.build);

const folder = mkdtempSync(path.join(os.tmpdir(), 'checkout-containers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What breaks the specification; how it looks is another matter. */
function breaches(file) {
  const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] });
  return linter.lintFiles([file], false).flatMap(({ messages }) => messages)
    .filter(({ rule }) => rule.startsWith('invalid-')).map(({ line, message }) => `${line}: ${message}`);
}

describe('docker-compose.yml', () => {
  test('is what the specification of compose files allows', () => {
    assert.deepEqual(breaches(FILE), []);
    const wrong = path.join(folder, 'docker-compose.yml');
    writeFileSync(wrong, read('docker-compose.yml').replace('shm_size:', 'shm_sizes:'));
    assert.equal(breaches(wrong).length, 1);
  });

  test('has nothing that compose 1.29 does not know', () => {
    for (const name of Object.keys(compose)) assert.match(name, TOP_LEVEL);
    for (const [name, service] of services) {
      for (const word of ['develop', 'ulimits', 'attach', 'annotations', 'provider']) assert.ok(!(word in service), `${name}: ${word}`);
      for (const secret of service.secrets ?? []) assert.equal(typeof secret, 'string', name);
    }
  });

  test('lets no container write to its root, gain rights or have a capability', () => {
    for (const [name, service] of services) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
      assert.ok(!service.privileged && !service.cap_add, name);
    }
  });

  test('knows of everything that stays whether it is well, and waits for what it needs', () => {
    for (const [name, service] of services.filter(([, { profiles, restart }]) => !profiles && restart !== 'no')) {
      assert.ok(service.healthcheck?.test, name);
      if (name !== 'postgres') assert.ok(Object.keys(service.depends_on).length > 0, name);
    }
    assert.equal(compose.services.setup.depends_on.postgres.condition, 'service_healthy');
    for (const name of PROGRAMS) {
      assert.equal(compose.services[name].depends_on.setup.condition, 'service_completed_successfully');
      assert.equal(compose.services.edge.depends_on[name].condition, 'service_healthy');
    }
  });

  test('tells programs nothing that they do not know, and everything that they require', () => {
    for (const name of PROGRAMS) {
      const told = Object.keys(compose.services[name].environment).map((setting) => setting.replace(/_FILE$/, ''));
      const known = settingsOf(name);
      for (const setting of told) assert.ok(known.has(setting), `${name}: ${setting}`);
      for (const [setting, fallback] of known) assert.ok(fallback !== '(required)' || told.includes(setting), `${name}: ${setting}`);
    }
  });

  test('takes each secret from a file, and gives none to who does not use it', () => {
    for (const [name, service] of ours.filter(([each]) => PROGRAMS.includes(each))) {
      const files = Object.values(service.environment).filter((value) => String(value).startsWith('/run/secrets/'));
      const used = files.map((file) => path.basename(file));
      if (name === 'payment-service') used.push('bank-key', 'bank-webhook-secret');
      assert.deepEqual([...service.secrets].sort(), used.sort(), name);
    }
  });

  test('pins every image by a variable, with the same version as the Dockerfile', () => {
    for (const [name, { image }] of services) assert.match(image, /^\$\{[A-Z_]+:-[^}]+\}/, name);
    const built = new Map(dockerfile.matchAll(/^ARG ([A-Z_]+)=(.+)$/gm).map(([, variable, image]) => [variable, image]));
    for (const [variable, value] of Object.entries(compose['x-build'].args)) {
      assert.equal(value, `\${${variable}:-${built.get(variable)}}`);
      assert.match(built.get(variable), /:.*[0-9]+\.[0-9]+|-[0-9]{8}/, variable);
    }
  });

  test('builds a stage of the Dockerfile for each, which does not run as root', () => {
    for (const [name, { build, image }] of ours) {
      assert.match(dockerfile, new RegExp(`^FROM .+ AS ${build.target}$`, 'm'), name);
      assert.ok(image.includes(`/${build.target}:`), name);
      const stage = dockerfile.split(/^(?=FROM )/m).find((text) => new RegExp(`^FROM .+ AS ${build.target}\\b`).test(text));
      assert.ok(!/^USER root/m.test(stage), name);
    }
  });
});

describe('./checkout secrets', () => {
  /* The launcher in a place of its own: secrets are made beside it. */
  const copy = path.join(folder, 'copy');
  cpSync(path.join(top, 'deploy'), path.join(copy, 'deploy'), { recursive: true });
  cpSync(path.join(top, 'checkout'), path.join(copy, 'checkout'));
  const make = () => spawnSync(path.join(copy, 'checkout'), ['secrets'], { encoding: 'utf8' });
  const texts = () => readdirSync(path.join(copy, 'secrets')).sort().map((name) => [name, readFileSync(path.join(copy, 'secrets', name), 'utf8')]);

  test('makes every secret that docker-compose.yml names, and no other', () => {
    const { status, stderr } = make();
    assert.equal(status, 0, stderr);
    assert.deepEqual(readdirSync(path.join(copy, 'secrets')).sort(), Object.keys(compose.secrets).sort());
    for (const [name, { file }] of Object.entries(compose.secrets)) assert.equal(file, `./secrets/${name}`);
  });

  test('lets nobody else into their folder, and the one user of a container read them', () => {
    assert.equal(statSync(path.join(copy, 'secrets')).mode & 0o777, 0o700);
    for (const [name] of texts()) assert.equal(statSync(path.join(copy, 'secrets', name)).mode & 0o777, 0o444, name);
  });

  test('keeps those that are there', () => {
    const before = texts();
    rmSync(path.join(copy, 'secrets', 'bank-key'));
    assert.equal(make().status, 0);
    const changed = texts().filter(([name, text]) => text !== before.find(([other]) => other === name)[1]);
    assert.deepEqual(changed.map(([name]) => name), ['bank-key']);
  });

  test('gives a key that is made again another id, since that of one that was revoked is dead', () => {
    const file = path.join(copy, 'secrets', 'key-order-service');
    const before = readFileSync(file, 'utf8');
    rmSync(file);
    assert.equal(make().status, 0);
    assert.match(readFileSync(file, 'utf8'), /^ck_[a-z0-9]{1,32}_[A-Za-z0-9]{43}\n$/);
    assert.notEqual(readFileSync(file, 'utf8').split('_')[1], before.split('_')[1]);
  });

  test('is no part of what git keeps', () => {
    assert.match(read('.gitignore'), /^\/secrets\/$/m);
  });
});
