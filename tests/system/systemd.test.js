/*
 * The units for systemd: what systemd says of them, and that they and the programs mean the same settings.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { top } from '../support/launcher.js';
import { programOf, settingsOf } from '../support/program.js';

const SERVICES = ['order-service', 'payment-service', 'voucher-service'];
const FOLDER = path.join(top, 'deploy', 'systemd');

/* Of 10; what the page in that folder says. */
const EXPOSURE_MAX = 1.4;

const unitName = (service) => `checkout-${service}@.service`;
const read = (...names) => readFileSync(path.join(top, ...names), 'utf8');
const sandbox = read('deploy', 'systemd', 'checkout-.service.d', 'sandbox.conf');

/* The same units with the programs that were built. */
const units = mkdtempSync(path.join(os.tmpdir(), 'checkout-units-'));
after(() => rmSync(units, { recursive: true, force: true }));
cpSync(FOLDER, units, { recursive: true });
for (const service of SERVICES) {
  const file = path.join(units, unitName(service));
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(`/usr/local/bin/${service}`, programOf(service)));
}

/** What systemd-analyze says of units here, and of no other. */
function analyze(...words) {
  const environment = { ...process.env, SYSTEMD_UNIT_PATH: `${units}:/lib/systemd/system` };
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8', env: environment });
  return { status, said: `${stdout}${stderr}` };
}

const verify = (...names) =>
  analyze('verify', '--man=no', '--recursive-errors=no', ...names.map((name) => path.join(units, name)));

const expose = (service, most) =>
  analyze('security', '--no-pager', '--offline=true', `--threshold=${Math.round(most * 10)}`, path.join(units, unitName(service)));

/** The values of each line NAME=value of a unit or a file of settings. */
const valuesOf = (text, name) =>
  [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value);

/** Variables that a unit sets itself: [name, value]. */
const environmentOf = (service) =>
  valuesOf(read('deploy', 'systemd', unitName(service)), 'Environment').map((line) => line.split(/=(.*)/s).slice(0, 2));

/** The example of a file of settings in the folder's page, as lines. */
const exampleOf = (file) =>
  new RegExp(`^# /etc/checkout/${file}\\n([^\`]*)`, 'm').exec(read('deploy', 'systemd', 'README.md'))?.[1] ?? '';

describe('systemd', () => {
  test('finds nothing wrong with any unit', () => {
    const { status, said } = verify('checkout.target', ...SERVICES.map(unitName));
    assert.equal(said, '');
    assert.equal(status, 0);
  });

  test('would say so if there were', () => {
    writeFileSync(path.join(units, 'broken.service'), '[Service]\nExecStart=/nowhere/at/all\nProtectSistem=strict\n');
    const { said } = verify('broken.service');
    assert.match(said, /ProtectSistem/);
    assert.match(said, /not executable/);
  });

  for (const service of SERVICES) {
    test(`counts the ${service} as exposed by ${EXPOSURE_MAX} of 10 at most`, () => {
      const { status, said } = expose(service, EXPOSURE_MAX);
      assert.equal(status, 0, said);
      assert.notEqual(expose(service, EXPOSURE_MAX - 1).status, 0, 'the threshold is looked at');
    });
  }

  test('is told of the sandbox in words that the pages repeat', () => {
    for (const page of [read('deploy', 'systemd', 'README.md'), read('docs', 'security.md')]) {
      assert.ok(page.includes(`says ${EXPOSURE_MAX}`), `${EXPOSURE_MAX} is not told`);
    }
  });
});

describe('each unit', () => {
  for (const service of SERVICES) {
    test(`${service}: sets only what the program knows, and all that it needs`, () => {
      const settings = settingsOf(service);
      const own = environmentOf(service).map(([name]) => name);
      const asked = ['checkout', service, `${service}-0`].flatMap((file) =>
        [...exampleOf(`${file}.env`).matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name),
      );
      const names = [...own, ...asked].map((name) => name.replace(/_FILE$/, ''));
      for (const name of names) assert.ok(settings.has(name), `${name} is no setting of it`);
      const perInstance = exampleOf('order-service-0.env');
      for (const [name, fallback] of settings) {
        const given = names.includes(name) || valuesOf(perInstance, name).length === 1;
        assert.ok(fallback !== '(required)' || given, `${name} is given nowhere`);
      }
    });

    test(`${service}: gets each secret as a file, which is loaded for it`, () => {
      const unit = read('deploy', 'systemd', unitName(service));
      const secrets = [...read('README.md').matchAll(/^\| `([A-Z_]+)` \|.*\(\*secret\*\)/gm)].map(([, name]) => name);
      assert.ok(secrets.includes('DATABASE_URL') && secrets.includes('PAYMENT_KEY'));
      const environment = new Map(environmentOf(service));
      for (const name of secrets.filter((each) => settingsOf(service).has(each))) {
        assert.match(environment.get(`${name}_FILE`) ?? 'nothing', /^%d\//, name);
      }
      const loaded = valuesOf(unit, 'LoadCredential').map((line) => line.split(':'));
      for (const [, value] of environment) {
        const file = /^%d\/(.*)$/.exec(value)?.[1];
        assert.ok(!file || loaded.some(([name]) => name === file), `${value} is not loaded`);
      }
      const folder = new RegExp(`^/etc/checkout/(secrets/${service}/|gateways.json$)`);
      for (const [, source] of loaded) assert.match(source, folder);
    });
  }

  test('leaves a process longer to end by itself than it takes', () => {
    const endMs = Number(/SERVICE_END_MS = (\d+)/.exec(read('shared', 'runtime', 'service.c'))[1]);
    const [stop] = valuesOf(sandbox, 'TimeoutStopSec').map(Number);
    assert.ok(stop * 1000 > endMs && stop < 30, `${stop} s`);
  });

  test('does not start a service again whose setting is wrong', () => {
    const code = /EXIT_CONFIGURATION = (\d+)/.exec(read('shared', 'runtime', 'config.h'))[1];
    assert.deepEqual(valuesOf(sandbox, 'RestartPreventExitStatus'), [code]);
  });

  test('is there for each service, and for nothing else', () => {
    const there = readdirSync(FOLDER).filter((name) => name.endsWith('.service')).sort();
    assert.deepEqual(there, SERVICES.map(unitName).sort());
  });
});
