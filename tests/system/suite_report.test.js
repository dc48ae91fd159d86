/*
 * What a suite says at its end of what failed: the cause, and not all that stands around it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

import { top } from '../support/launcher.js';

const REPORT = `TAP version 13
# Error: service ended with 2
# Subtest: whole.test.js
not ok 1 - whole.test.js
  ---
  failureType: 'testCodeFailure'
  ...
# Subtest: part
    # Subtest: wrong
    not ok 1 - wrong
      ---
      error: '200 !== 429'
      ...
    ok 2 - right
      ---
      type: 'test'
      ...
not ok 2 - part
  ---
  failureType: 'subtestsFailed'
  ...
# tests 3
# pass 1
# fail 2
`;

/** What shell text prints, with a part of the launcher and that input. */
function printed(part, text, input) {
  const script = `set -euo pipefail; . ${path.join(top, 'deploy/launcher', part)}; ${text}`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', input });
  assert.equal(stderr, '');
  return stdout;
}

/** What one of the launcher's functions prints of the report. */
const told = (words) => printed('tap.sh', `${words} <(cat)`, REPORT);

test('a failure is told with its error, a file that ended with what it said, and nothing else', () => {
  const said = told('tap_failures');
  assert.match(said, /^# Error: service ended with 2\nnot ok 1 - whole\.test\.js$/m);
  assert.match(said, /^not ok 1 - wrong\n +error: '200 !== 429'$/m);
  assert.doesNotMatch(said, /right|part|Subtest/);
});

test('failures are counted as the report counts them', () => {
  assert.equal(told('tap_total fail').trim(), '2');
});

/* Whoever reads only the lines "not ok" must not miss one. */
test('what fails and is no test is told as well: a suite that ended badly, or that played nothing', () => {
  const said = printed(
    'suite.sh',
    `stage=$(mktemp -d); declare -i passed=0 failed=0
     suite_count 3 0 9; suite_count 0 0 0; suite_count 2 1 1
     cat "$stage/failures"; rm -r "$stage"; echo "$passed $failed"`,
  );
  const ended = (status, tests) => `not ok - a suite that ended with status ${status}, after ${tests} tests\n`;
  assert.equal(said, `${ended(9, 3)}${ended(0, 0)}5 3\n`);
});

test('a unit test that fails is told by its name', () => {
  const rows = [
    { name: 'http/server', result: 'TIMEOUT', duration: 60.02 },
    { name: 'db/journal', result: 'OK', duration: 0.5 },
  ];
  const log = rows.map((row) => JSON.stringify(row)).join('\n');
  assert.equal(
    printed('suite.sh', 'jq -r "$unit_failures"', log),
    'not ok - unit test http/server: TIMEOUT after 60 s\n',
  );
});
