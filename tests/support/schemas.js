/*
 * Events as they were received, against their published schemas (shared/schemas).
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

import { top } from './launcher.js';

const directory = path.join(top, 'shared', 'schemas');

const ajv = new Ajv2020({ allErrors: true, strict: false });
formats.default(ajv);
for (const name of readdirSync(directory).filter((each) => each.endsWith('.json'))) {
  ajv.addSchema(JSON.parse(readFileSync(path.join(directory, name), 'utf8')));
}

const published = (name) => {
  const validate = ajv.getSchema(`urn:checkout:v1:/schemas/${name}.json`);
  assert.ok(validate, `/schemas/${name}.json is not published`);
  return validate;
};

/** The event follows the schema of events, and its data the one of its subject, which it names. */
export function checkEvent(event) {
  const about = JSON.stringify(event);
  const kind = event.type.split('.')[0];
  for (const [validate, value] of [
    [published('event'), event],
    [published(kind), event.data],
  ]) {
    assert.ok(validate(value), `${ajv.errorsText(validate.errors)}: ${about}`);
  }
  assert.ok(event.dataschema.endsWith(`/schemas/${kind}.json`), about);
  assert.equal(event.data.id, event.subject);
  assert.equal(event.data.version, event.subjectversion);
}
