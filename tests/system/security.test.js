/*
 * The page about security names tests: they exist, and each row has some.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

import { top } from '../support/launcher.js';

const ROWS = 14;

const read = (...names) => readFileSync(path.join(top, ...names), 'utf8');
const page = read('docs', 'security.md');

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Matches what a name with ${...} in it may become. */
const patternOf = (name) => new RegExp(`^${name.split(/\$\{[^}]*\}/).map(escaped).join('.+')}$`);

/** Names of the tests of a file; those of cmocka are labels of rows, or functions. */
function namesIn(file) {
  const text = read(file);
  if (!file.endsWith('.js')) {
    const labels = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, label]) => label);
    const functions = [...text.matchAll(/TABLE_ADD\(&table, (\w+)\)/g)].map(([, name]) => name.replaceAll('_', ' '));
    return [...labels, ...functions].map((name) => new RegExp(`^${escaped(name)}$`));
  }
  const called = text.matchAll(/\b(?:test|refuses)\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g);
  return [...called].map(([, , name]) => patternOf(name.replace(/\\(.)/g, '$1')));
}

/** Every test that a text of the page names: [name, file]. */
const namedIn = (text) =>
  [...text.matchAll(/"([^"]+)" \(\[[^\]]+\]\(\.\.\/(tests\/[^)]+)\)/g)].map(([, name, file]) => [name, file]);

describe('the page about security', () => {
  test('names tests that exist', () => {
    const named = namedIn(page);
    assert.ok(named.length > 60, `${named.length} tests`);
    for (const [name, file] of named) {
      assert.ok(existsSync(path.join(top, file)), `${file} is not there`);
      assert.ok(namesIn(file).some((pattern) => pattern.test(name)), `${file} has no test "${name}"`);
    }
    const quoted = page.match(/^- "/gm).length;
    assert.ok(named.length >= quoted, 'a test is named without its file');
  });

  test('would notice one that does not', () => {
    const names = namesIn('tests/system/access.test.js');
    assert.ok(names.some((pattern) => pattern.test('every route but the public ones answers 401 to no key')));
    assert.ok(!names.some((pattern) => pattern.test('every route answers 401 to no key')));
  });

  test('has each of its rows, and a test for it', () => {
    const rows = page.split(/^### /m).slice(1);
    assert.equal(rows.length, ROWS);
    rows.forEach((row, index) => {
      assert.ok(row.startsWith(`${index + 1}. `), row.slice(0, 40));
      assert.ok(namedIn(row.split(/^## /m)[0]).length > 0, `no test in ${row.slice(0, 40)}`);
    });
  });

  test('links only to what is there', () => {
    for (const [, target] of page.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      assert.ok(existsSync(path.join(top, 'docs', target)), target);
    }
  });
});

test('every fuzzer is built, and has seeds and a dictionary', () => {
  const there = readdirSync(path.join(top, 'tests', 'fuzz'));
  const targets = there.filter((file) => file.endsWith('_fuzz.c')).map((file) => file.replace(/_fuzz\.c$/, ''));
  assert.ok(targets.length > 20);
  for (const target of targets) {
    assert.match(read('tests', 'fuzz', 'meson.build'), new RegExp(`'${target}'`), target);
    assert.ok(there.includes(`${target}.dict`), `${target} has no dictionary`);
    assert.ok(readdirSync(path.join(top, 'tests', 'fuzz', 'corpus', target)).length > 0, `${target} has no seed`);
  }
});
