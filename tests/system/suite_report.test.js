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

/** What one of the launcher's functions prints of the report. */
function told(words) {
  const script = `set -euo pipefail; . ${path.join(top, 'deploy/launcher/tap.sh')}; ${words} <(cat)`;
  return spawnSync('bash', ['-c', script], { encoding: 'utf8', input: REPORT }).stdout;
}

test('a failure is told with its error, a file that ended with what it said, and nothing else', () => {
  const said = told('tap_failures');
  assert.match(said, /^# Error: service ended with 2\nnot ok 1 - whole\.test\.js$/m);
  assert.match(said, /not ok 1 - wrong\n +error: '200 !== 429'$/m);
  assert.doesNotMatch(said, /right|part|Subtest/);
});

test('failures are counted as the report counts them', () => {
  assert.equal(told('tap_total fail').trim(), '2');
});
