/*
 * API keys of a test's own, made with the launcher's own functions.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { top } from './launcher.js';

const run = promisify(execFile);

/** A new key of a merchant (made if it is new; '*' for all) with exactly these scopes. */
export async function makeKey(stack, merchant, scopes) {
  const { stdout } = await call(stack, 'key_create', merchant, scopes.join(','));
  return stdout.trim();
}

export async function revokeKey(stack, key) {
  await call(stack, 'key_revoke', keyId(key));
}

export function keyId(key) {
  return key.split('_')[1];
}

/** A key as the login to the bus that it is. */
export function loginOf(key) {
  const [, username, password] = key.split('_');
  return { username, password };
}

function call(stack, ...words) {
  const script = `
    set -euo pipefail; umask 077
    for part in "$top"/deploy/launcher/*.sh; do source "$part"; done
    home_require
    "$@"`;
  const options = { env: { ...stack.environment, top }, cwd: top };
  return run('bash', ['-c', script, 'keys', ...words], options);
}
