/*
 * The stage of a run of tests: what a file that was killed has left there ends with the run.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { top } from '../support/launcher.js';
import { isAlive } from '../support/proc.js';
import { SLOWDOWN } from '../support/slowdown.js';

/** Runs shell text among the launcher's functions, on a stage of its own. */
function onStage(text) {
  const parts = ['message', 'stage'].map((name) => path.join(top, 'deploy/launcher', `${name}.sh`));
  const script = `set -euo pipefail; . ${parts[0]}; . ${parts[1]}; top=${top}; stage_make; ${text}`;
  return spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 30_000 * SLOWDOWN });
}

test('a process that a killed test file left behind is named, ended, and a failure', () => {
  const { status, stdout, stderr } = onStage(`
    mkdir "$stage/checkout-x"
    cd "$stage/checkout-x"
    sleep 600 > /dev/null 2>&1 &
    cd /
    echo "$! $stage"
    stage_clear || { cat "$stage/failures"; exit 9; }`);
  const [where, ...failures] = stdout.trim().split('\n');
  const [pid, stage] = where.split(' ');
  assert.equal(status, 9, stderr);
  const named = `${pid} \\S*/sleep in ${stage}/checkout-x`;
  assert.match(stderr, new RegExp(named));
  assert.match(failures.join('\n'), new RegExp(`^not ok - left behind by a test: ${named}$`));
  assert.ok(!isAlive(Number(pid)), 'it still runs');
  assert.ok(!existsSync(stage), 'the stage is still there');
});

test('a stage on which nothing is left is cleared without a word', () => {
  const { status, stdout, stderr } = onStage('mkdir "$stage/checkout-x"; stage_clear; ls "$stage"');
  assert.equal(status, 0, stderr);
  assert.equal(stdout + stderr, '');
});

test('what is in use elsewhere is not touched', () => {
  const { status, stdout, stderr } = onStage(`
    sleep 600 > /dev/null 2>&1 &
    stage_clear || exit 9
    kill -0 $! && kill $! && echo alive`);
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trim(), 'alive');
});
