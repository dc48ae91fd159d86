/*
 * API keys of a test's own.
 */

/** A new key of a merchant (made if it is new; '*' for all) with exactly these scopes. */
export async function makeKey(stack, merchant, scopes) {
  const words = ['keys', 'create', '--merchant', merchant, '--scopes', scopes.join(',')];
  return (await stack.must(words)).stdout.trim();
}

/** A key with each of the scopes alone: { scope: key }; operator keys are of every merchant. */
export async function makeKeyOfEach(stack, merchant, scopes) {
  const keys = {};
  for (const scope of scopes) {
    keys[scope] = await makeKey(stack, scope === 'operator' ? '*' : merchant, [scope]);
  }
  return keys;
}

export async function revokeKey(stack, key) {
  await stack.must(['keys', 'revoke', keyId(key)]);
}

export function keyId(key) {
  return key.split('_')[1];
}

/** A key as the login to the bus that it is. */
export function loginOf(key) {
  const [, username, password] = key.split('_');
  return { username, password };
}
