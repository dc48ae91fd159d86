/*
 * What the README says is so. (Promises that need a running stack have tests of their names in the
 * other files.)
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { runLauncher, top } from '../support/launcher.js';
import { programOf } from '../support/program.js';

const SERVICES = ['order-service', 'payment-service', 'voucher-service'];

const read = (...names) => readFileSync(path.join(top, ...names), 'utf8');

/** Name and default of each setting that a service knows. */
function settingsOf(service) {
  return execFileSync(programOf(service), ['--settings'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
    .map(([name, fallback]) => ({ name, fallback }));
}

for (const service of SERVICES) {
  test(`every setting of the ${service} is in the README, with its default`, () => {
    const lines = read('README.md').split('\n');
    const settings = settingsOf(service);
    assert.ok(settings.length >= 15);
    for (const { name, fallback } of settings) {
      const cells = lines
        .filter((line) => line.startsWith(`| \`${name}\` |`))
        .map((line) => line.split('|')[2].trim());
      assert.equal(cells.length, 1, `${name} is in ${cells.length} rows of README.md`);
      const words = { '(required)': [], '(empty)': ['none'] }[fallback] ?? [`\`${fallback}\``];
      assert.ok(['set by the launcher', ...words].includes(cells[0]), `${name}: ${cells[0]}`);
    }
  });

  test(`the ${service} has a page of its own with its routes, topics, tables and settings`, () => {
    const page = read(service, 'README.md');
    for (const { name } of settingsOf(service)) {
      const shared = read('README.md').includes(`\`${name}\``);
      assert.ok(shared || page.includes(name), `${name} is told nowhere`);
    }
    for (const word of [/routes/i, /topics/i, /tables/i, /settings/i]) assert.match(page, word);
  });
}

test('every scope that a route takes is in the README', () => {
  const rows = read('README.md').matchAll(/^\| ((?:`[a-z]+(?::[a-z]+)?`(?:, )?)+) \| [^|]+ \|$/gm);
  const told = [...rows].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const taken = SERVICES.flatMap((service) =>
    JSON.parse(execFileSync(programOf(service), ['--routes'], { encoding: 'utf8' })),
  ).flatMap((route) => route.scopes);
  assert.ok(taken.length > 20);
  for (const scope of new Set(taken)) {
    assert.equal(told.filter((name) => name === scope).length, 1, `${scope} in ${told}`);
  }
});

test('every command that help lists is in the README', async () => {
  const help = await runLauncher(['help'], process.env);
  assert.equal(help.code, 0);
  const commands = [...help.stdout.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1]);
  assert.ok(commands.length >= 10, help.stdout);
  const readme = read('README.md');
  for (const command of commands) {
    assert.ok(
      readme.includes(`./checkout ${command}`),
      `./checkout ${command} is not in README.md`,
    );
  }
});

test('every command in the README is one that the launcher knows', async () => {
  const { stdout } = await runLauncher(['help'], process.env);
  const commands = [...read('README.md').matchAll(/\.\/checkout ([a-z][a-z-]*)/g)];
  assert.ok(commands.length > 0);
  for (const [, command] of commands) {
    assert.match(stdout, new RegExp(`^ {2}${command}\\b`, 'm'), `./checkout ${command}`);
  }
});

test('every path that the README links to is there', () => {
  for (const page of ['README.md', 'docs/operations.md', ...SERVICES.map((service) => `${service}/README.md`)]) {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      const file = path.join(top, path.dirname(page), target);
      assert.ok(existsSync(file), `${page} links to ${target}`);
    }
  }
});

test('no secret and no path of a machine stands in the README', () => {
  assert.doesNotMatch(read('README.md'), /ck_[a-z0-9]+_[A-Za-z0-9]{32,}/);
  assert.doesNotMatch(read('README.md'), /\/(home|work|root)\//);
});
