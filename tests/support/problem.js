/*
 * Problem documents: RFC 9457, and what this API promises beyond it.
 */
import assert from 'node:assert/strict';

import { Ajv2020 } from 'ajv/dist/2020.js';

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';

const schema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
  properties: {
    type: { type: 'string', pattern: '^/problems/[a-z0-9_]+$' },
    title: { type: 'string', minLength: 1 },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', minLength: 1 },
    instance: { type: 'string', minLength: 1 },
    code: { type: 'string', pattern: '^[a-z0-9_]+$' },
    errors: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['pointer', 'code', 'detail'],
        additionalProperties: false,
        properties: {
          /* RFC 6901, or "?name" for a parameter of the query. */
          pointer: { type: 'string', pattern: '^(/|\\?|$)' },
          code: { type: 'string', pattern: '^[a-z0-9_]+$' },
          detail: { type: 'string', minLength: 1 },
        },
      },
    },
  },
};

const ajv = new Ajv2020({ allErrors: true });
const isProblem = ajv.compile(schema);

/* What no answer may tell: SQLSTATEs, paths of the file system, stacks, the server's version. */
const INDISCREET =
  /SQLSTATE|\/(home|usr|var|tmp|work)\/|\.c:\d+|libpq|civetweb|PostgreSQL|ERROR: /i;

/** Asserts that the answer is a well-made problem document. */
export function checkProblem(answer) {
  const about = `${answer.what} -> ${answer.text}`;
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json\b/, about);
  const problem = answer.json;
  assert.ok(isProblem(problem), `${ajv.errorsText(isProblem.errors)}: ${about}`);
  assert.equal(problem.status, answer.status, about);
  assert.equal(problem.type, `/problems/${problem.code}`, about);
  assert.match(answer.headers['request-id'] ?? '', new RegExp(UUID), about);
  assert.ok(problem.instance.includes(answer.headers['request-id']), about);
  assert.doesNotMatch(answer.text, INDISCREET, about);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff', about);
  assert.equal(answer.headers['cache-control'], 'no-store', about);
  assert.match(answer.headers.server ?? 'nginx', /^nginx$/, about); /* the edge's name, no version */
}
