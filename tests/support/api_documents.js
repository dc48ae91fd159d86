/*
 * The API documents (docs/api), as they were built: what a service may answer, and what the bus may
 * carry. A Shop asks here about every answer it gets, so that one which is not in the documents fails
 * the test that meets it, whatever that test is about.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

import { buildDirectory } from './launcher.js';

export const SERVICES = ['order-service', 'payment-service', 'voucher-service'];

/** So many answers of one status to one operation are compared; the next would say the same. */
const SAMPLES = 25;

/* Said by the edge of a whole origin, not of an operation: go to HTTPS. */
const REDIRECT = 308;

const documents = new Map();

/** A document as it was built: of a service, or 'events'. */
export function documentOf(name) {
  if (!documents.has(name)) {
    const file = path.join(buildDirectory(), 'docs', 'api', `${name}.json`);
    documents.set(name, JSON.parse(readFileSync(file, 'utf8')));
  }
  return documents.get(name);
}

/** { service, method, path, operation, pointer } of every operation. */
export function operationsOf(service) {
  const { paths } = documentOf(service);
  return Object.entries(paths).flatMap(([at, item]) =>
    Object.entries(item)
      .filter(([, operation]) => operation.operationId)
      .map(([method, operation]) => ({
        service,
        method: method.toUpperCase(),
        path: at,
        operation,
        pointer: `/paths/${escaped(at)}/${method}`,
      })),
  );
}

const escaped = (text) => text.replaceAll('~', '~0').replaceAll('/', '~1');

let known;

/** Every path of the documents, with its operations by method; of equals the first one is meant. */
function paths() {
  if (known) return known;
  const found = new Map();
  for (const each of SERVICES.flatMap(operationsOf)) {
    if (!found.has(each.path)) found.set(each.path, { at: patternOf(each.path), service: each.service, by: {} });
    found.get(each.path).by[each.method] ??= each;
  }
  known = [...found.values()];
  return known;
}

/* Placeholders take a segment; a path with fewer of them comes first. */
function patternOf(template) {
  const source = template
    .split('/')
    .map((part) => (part.startsWith('{') ? '[^/]+' : part.replaceAll('.', '\\.')))
    .join('/');
  return { expression: new RegExp(`^${source}$`), wildness: template.split('{').length };
}

/** What the documents say of a request; undefined for what is none of theirs. */
export function findOperation(method, target) {
  const at = target.split('?')[0].replace(/^\/services\/[a-z]+-service(?=\/)/, '');
  const [item] = paths()
    .filter((each) => each.at.expression.test(at))
    .sort((a, b) => a.at.wildness - b.at.wildness);
  if (!item) return undefined;
  const operation = item.by[method === 'HEAD' ? 'GET' : method];
  return operation ?? { service: item.service, operation: documentOf(item.service)['x-other-answers'], pointer: '/x-other-answers' };
}

const counts = new Map();

/** Asserts that the answer to a request is one that the documents have. */
export function checkAnswer(method, target, answer) {
  const found = findOperation(method, target);
  if (!found || answer.status === REDIRECT) return;
  const name = `${found.service}${found.pointer} ${answer.status} ${method === 'HEAD'}`;
  const count = counts.get(name) ?? 0;
  if (count >= SAMPLES) return;
  compare(found, method, answer);
  counts.set(name, count + 1);
}

function compare({ service, operation }, method, answer) {
  const about = `${answer.what} -> ${answer.status} ${answer.text.slice(0, 1000)}`;
  const response = resolve(service, operation.responses[answer.status]);
  assert.ok(response, `not in the document of the ${service}: ${about}`);
  checkHeaders(service, response, answer, about);
  if (method !== 'HEAD') checkBody(service, response, answer, about);
}

/** A node, or what it refers to. */
export function resolve(service, node) {
  if (!node?.$ref) return node;
  const parts = node.$ref.slice(2).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return parts.reduce((within, part) => within[part], documentOf(service));
}

function checkHeaders(service, response, answer, about) {
  for (const [name, given] of Object.entries(response.headers ?? {})) {
    const header = resolve(service, given);
    const value = answer.headers[name.toLowerCase()];
    assert.ok(value !== undefined || !header.required, `${name} is missing: ${about}`);
    if (value === undefined) continue;
    const validate = compiled(service, header.schema);
    assert.ok(validate(value), `${name}: ${value} ${ajv(service).errorsText(validate.errors)}: ${about}`);
  }
}

function checkBody(service, response, answer, about) {
  if (!response.content) {
    assert.equal(answer.bytes.length, 0, `no body is documented: ${about}`);
    return;
  }
  const type = (answer.headers['content-type'] ?? '').split(';')[0];
  assert.ok(response.content[type], `${type} is not documented: ${about}`);
  if (!type.endsWith('json')) return;
  const validate = compiled(service, response.content[type].schema);
  assert.ok(validate(answer.json), `${ajv(service).errorsText(validate.errors)}: ${about}`);
}

const validators = new Map();

function ajv(name) {
  if (!validators.has(name)) {
    const made = new Ajv2020({ strict: false, validateSchema: false, allErrors: true });
    formats.default(made);
    made.addSchema(documentOf(name), name);
    validators.set(name, made);
  }
  return validators.get(name);
}

const compiledSchemas = new WeakMap();

/** A validator of a schema that stands in the document, made when it is first asked for. */
function compiled(name, schema) {
  if (!compiledSchemas.has(schema)) {
    compiledSchemas.set(schema, ajv(name).compile(absolute(name, schema)));
  }
  return compiledSchemas.get(schema);
}

/* References inside a document are to the document, from wherever they are looked at. */
function absolute(name, node) {
  if (Array.isArray(node)) return node.map((each) => absolute(name, each));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) =>
      key === '$ref' ? [key, `${name}${value}`] : [key, absolute(name, value)],
    ),
  );
}

/** Asserts that an event is a message of the channel that its topic belongs to. */
export function checkAnnounced(topic, event) {
  const { components } = documentOf('events');
  const { channel, values } = channelOf(topic);
  const messages = Object.values(channel.messages).map((each) => components.messages[each.$ref.split('/').pop()]);
  const message = messages.find((each) => each.name === event.type);
  assert.ok(message, `${event.type} is no message of ${channel.address}`);
  assert.ok(event.type.endsWith(`.${values.event}`), `${event.type} on ${topic}`);
  const validate = compiled('events', message.payload);
  assert.ok(validate(event), `${ajv('events').errorsText(validate.errors)}: ${JSON.stringify(event)}`);
}

/** The channel that a topic belongs to, and the values of its parameters. */
function channelOf(topic) {
  for (const channel of Object.values(documentOf('events').channels)) {
    const names = [...channel.address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const match = new RegExp(`^${channel.address.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(topic);
    if (match) return { channel, values: Object.fromEntries(names.map((name, i) => [name, match[i + 1]])) };
  }
  throw new assert.AssertionError({ message: `${topic} is a topic of no channel` });
}
