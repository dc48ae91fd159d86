/*
 * What a model says a request is answered with: { status } and, where they are known, { body } (members
 * of the answer), { parts } (members of its members), { version } (its ETag), { replayed }, { text } (its
 * bytes), or of a refusal { code } (one, or those that may be), { pointers } and { says } (members of the
 * problem).
 */
import assert from 'node:assert/strict';

import { expectProblem, expectStatus } from './shop.js';

export const refused = (status, code, says = {}) => ({ status, code, says });

export const invalid = (...pointers) => ({ ...refused(422, 'validation_failed'), pointers });

export const NOT_FOUND = refused(404, 'not_found');

export const REUSED = refused(422, 'idempotency_key_reused');

/** The refusal of a caller who has no key, or none of the scopes; undefined if there is nothing to say. */
export function refuseCaller({ scopes }, ...needed) {
  if (scopes === undefined) return refused(401, 'key_missing');
  return needed.some((scope) => scopes.includes(scope)) ? undefined : refused(403, 'missing_scope');
}

/** The answer is what was expected; returns it. */
export function expectAnswer(answer, expected) {
  if (expected.status >= 400) expectRefusal(answer, expected);
  else expectSuccess(answer, expected);
  return answer;
}

function expectRefusal(answer, { status, code, pointers, says }) {
  const problem = expectProblem(answer, status, undefined, pointers);
  assert.ok([code].flat().includes(problem.code), `${problem.code}, expected ${code}: ${answer.text}`);
  expectMembers(answer, problem, says);
}

function expectSuccess(answer, { status, body, parts, version, replayed, text }) {
  expectStatus(answer, status);
  if (body) expectMembers(answer, answer.json, body);
  for (const [name, part] of Object.entries(parts ?? {})) expectMembers(answer, answer.json[name], part);
  if (version) assert.equal(answer.headers.etag, `"${version}"`, answer.what);
  if (text) assert.equal(answer.text, text, `${answer.what}: a repeat has the same bytes`);
  const said = answer.headers['idempotent-replayed'];
  assert.equal(said, replayed ? 'true' : undefined, `${answer.what}: Idempotent-Replayed`);
}

function expectMembers(answer, found, wanted) {
  const seen = Object.fromEntries(Object.keys(wanted).map((name) => [name, found[name]]));
  assert.deepEqual(seen, wanted, `${answer.what} -> ${answer.text}`);
}
