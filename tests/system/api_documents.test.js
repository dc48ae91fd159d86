/*
 * The API documents are true: what they say is what there is, their examples run, and whoever reads
 * them at /docs/ needs nothing from anywhere else. (That every answer is in them, every system test
 * sees: support/api_documents.js.)
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { createConfig, lintFromString } from '@redocly/openapi-core';

import { checkAnnounced, documentOf, operationsOf, resolve, SERVICES } from '../support/api_documents.js';
import { subscribe } from '../support/bus.js';
import { top } from '../support/launcher.js';
import { runProgram } from '../support/program.js';
import { expectStatus, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const bus = await subscribe(stack.env.MQTT_URL, stack.login, 'checkout/v1/#');
after(() => bus.close());

const edge = stack.shop(stack.env.CHECKOUT_URL);
const operations = SERVICES.flatMap(operationsOf);
const read = (...names) => readFileSync(path.join(top, ...names), 'utf8');

/* Examples of mistakes are mistakes on purpose; what a schema requires without saying more of it, and
 * a header of `x-other-answers`, is there on purpose too. */
const ALLOWED = ['no-invalid-media-type-examples', 'no-required-schema-properties-undefined', 'no-unused-components'];

for (const name of [...SERVICES, 'events']) {
  test(`redocly finds nothing to say about the document of ${name}`, async () => {
    const rules = Object.fromEntries(ALLOWED.map((rule) => [rule, 'off']));
    const config = await createConfig({ extends: ['recommended'], rules });
    const source = JSON.stringify(documentOf(name));
    const found = await lintFromString({ source, absoluteRef: `${name}.json`, config });
    assert.deepEqual(
      found.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0].pointer}`),
      [],
    );
  });
}

test('a document has the routes of its service, with their scopes, and no other', async () => {
  for (const service of SERVICES) {
    const { stdout } = await runProgram(stack, service, ['--routes']);
    const routes = JSON.parse(stdout).map(({ method, path: at, scopes, body }) => `${method} ${at} ${[...scopes].sort()} ${body}`);
    const told = operationsOf(service).map(({ method, path: at, operation }) => {
      const scopes = operation.security.flatMap((each) => each.ApiKey);
      const any = operation.security.length > 0 && scopes.length === 0;
      const all = resolve(service, { $ref: '#/components/schemas/Key' }).properties.scopes.items.enum;
      return `${method} ${at} ${(any ? [...all] : scopes).sort()} ${operation.requestBody !== undefined}`;
    });
    assert.deepEqual(told.sort(), routes.sort(), service);
  }
});

/** Every problem code that stands in a document, as an answer's or as a dead letter's reason. */
function codesOf(service) {
  const document = documentOf(service);
  const found = new Set(document.components.schemas.DeadLetter.properties.reason.examples);
  const walk = (node) => {
    if (node === null || typeof node !== 'object') return;
    for (const code of node.properties?.code?.enum ?? []) found.add(code);
    Object.values(node).forEach(walk);
  };
  walk(document);
  return found;
}

/* What one service says to another or to itself, and what is said where there is no API. */
const NEVER_ANSWERED = [
  'answer_too_large',
  'feed_unavailable',
  'feed_unusable',
  'peer_busy',
  'peer_lost',
  'peer_timeout',
  'peer_unavailable',
  'websocket_expected',
];

test('every problem code of the documents is explained, and the other way round', () => {
  const sections = read('docs', 'problems.md').split('\n## ').slice(1);
  const explained = sections.filter((text) => !text.includes('simulated bank')).map((text) => text.split('\n')[0]);
  const told = new Set(SERVICES.flatMap((service) => [...codesOf(service)]));
  const expected = explained.filter((code) => !NEVER_ANSWERED.includes(code));
  assert.deepEqual([...told].sort(), expected.sort());
});

test('a service answers with its own document, directly and through the edge', async () => {
  for (const [service, url] of [
    ['order-service', stack.env.ORDER_URL],
    ['payment-service', stack.env.PAYMENT_URL],
    ['voucher-service', stack.env.VOUCHER_URL],
  ]) {
    const direct = expectStatus(await stack.shop(url, undefined).get('/openapi.json'), 200);
    assert.deepEqual(direct.json, documentOf(service));
    const behind = expectStatus(await edge.as(undefined).get(`/services/${service}/openapi.json`), 200);
    assert.equal(behind.text, direct.text);
  }
});

describe('at /docs/', () => {
  test('the page asks for files of its own only, and has neither script nor style in itself', async () => {
    const page = expectStatus(await edge.as(undefined).get('/docs/'), 200);
    const policy = page.headers['content-security-policy'];
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.doesNotMatch(page.text, /<style|\s(?:style|on[a-z]+)=|<script(?![^>]*src=)/);
    const asked = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target);
    assert.ok(asked.length >= 10);
    assert.ok(asked.includes('data:,'), 'the icon is empty');
    for (const target of asked.filter((each) => each !== 'data:,')) {
      assert.match(target, /^\//);
      expectStatus(await edge.as(undefined).get(target), 200);
    }
  });

  test('scripts, styles and documents come as what they are', async () => {
    for (const [file, type] of [
      ['swagger-ui.css', /^text\/css/],
      ['swagger-ui-bundle.js', /^text\/javascript/],
      ['docs.js', /^text\/javascript/],
      ['events.json', /^application\/json/],
    ]) {
      const answer = expectStatus(await edge.as(undefined).get(`/docs/${file}`), 200);
      assert.match(answer.headers['content-type'], type);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
    const css = (await edge.get('/docs/swagger-ui.css')).text;
    for (const [, target] of css.matchAll(/url\(["']?([^)"']+)/g)) assert.match(target, /^(data:|#)/);
    assert.deepEqual(JSON.parse((await edge.get('/docs/events.json')).text), documentOf('events'));
  });

  test('events have a page with every topic and type', async () => {
    const { text } = expectStatus(await edge.as(undefined).get('/docs/events.html'), 200);
    const { channels, components } = documentOf('events');
    for (const { address } of Object.values(channels)) assert.ok(text.includes(address), address);
    for (const { name } of Object.values(components.messages)) assert.ok(text.includes(`<code>${name}</code>`), name);
    assert.doesNotMatch(text, /`/);
  });
});

test('the events of the document are those of the schemas and of the README', () => {
  const schema = JSON.parse(read('shared', 'schemas', 'event.json'));
  const types = schema.allOf.flatMap((each) => each.then.properties.type.enum).sort();
  const { channels, components } = documentOf('events');
  const told = Object.values(components.messages).map(({ name }) => name).filter((name) => name !== 'presence');
  assert.deepEqual(told.sort(), types);
  const byTopic = Object.values(channels)
    .filter(({ parameters }) => parameters.event)
    .flatMap(({ address, parameters }) => parameters.event.enum.map((event) => `${address.split('/')[3]}.${event}`));
  assert.deepEqual(byTopic.sort(), types);
  for (const type of types) assert.ok(read('README.md').includes(`\`${type.split('.')[1]}\``), type);
});

describe('the examples', () => {
  /* In this order they are one story. */
  const story = [
    ['createOrder', 'mistakes'],
    ['createOrder', 'invoice'],
    ['getOrder', 'order'],
    ['changeOrder', 'metadata'],
    ['changeOrder', 'sent'],
    ['changeOrder', 'back'],
    ['createPayment', 'mistyped'],
    ['createPayment', 'card'],
    ['getPayment', 'payment'],
    ['listAttempts', 'attempts'],
    ['createPayment', 'held'],
    ['capturePayment', 'part'],
    ['createPayment', 'transfer'],
    ['cancelPayment', 'transfer'],
    ['createRefund', 'part'],
    ['getRefund', 'refund'],
    ['listVouchers', 'earned'],
    ['getVoucher', 'whole'],
    ['validateVoucher', 'small'],
    ['reserveVoucher', 'till'],
    ['releaseVoucher', 'till'],
    ['redeemVoucher', 'receipt'],
    ['rollBackRedemption', 'undone'],
    ['createOrder', 'voucher'],
    ['createVoucherRule', 'francs'],
  ];
  /** What stands in the documents, and what it is here: ids, codes, times. */
  const meant = new Map();
  const operationOf = (id) => operations.find(({ operation }) => operation.operationId === id);

  /** { status, value } that the example of that name promises. */
  function promiseOf({ service, operation }, name) {
    const found = Object.entries(operation.responses).flatMap(([status, given]) =>
      Object.values(resolve(service, given).content ?? {})
        .filter(({ examples }) => examples?.[name])
        .map(({ examples }) => ({ status: Number(status), value: examples[name].value })),
    );
    assert.equal(found.length, 1, `${operation.operationId} promises ${found.length} answers to ${name}`);
    return found[0];
  }

  const namesOf = ({ service, operation }) => [
    ...Object.values(operation.requestBody?.content ?? {}).flatMap(({ examples }) => Object.keys(examples ?? {})),
    ...Object.values(operation.responses).flatMap((given) =>
      Object.values(resolve(service, given).content ?? {}).flatMap(({ examples }) => Object.keys(examples ?? {})),
    ),
  ];

  test('all of them are played', () => {
    const all = SERVICES.flatMap(operationsOf).flatMap((each) =>
      namesOf(each).map((name) => `${each.operation.operationId} ${name}`),
    );
    assert.deepEqual([...new Set(all)].sort(), story.map((each) => each.join(' ')).sort());
  });

  /** The same with what is meant here. */
  function translated(value) {
    let text = JSON.stringify(value);
    for (const [told, here] of meant) text = text.replaceAll(JSON.stringify(told), JSON.stringify(here));
    return JSON.parse(text);
  }

  function requestOf({ service, method, path: template, operation }, name) {
    const parameters = operation.parameters.map((each) => resolve(service, each));
    let target = template;
    const query = new URLSearchParams();
    for (const { name: parameter, in: place, example, examples } of parameters) {
      if (place === 'path') target = target.replace(`{${parameter}}`, encodeURIComponent(translated(example)));
      if (place === 'query' && examples?.[name]) query.set(parameter, translated(examples[name].value));
    }
    const key = parameters.some((each) => each.name === 'Idempotency-Key') ? newKey() : undefined;
    const body = operation.requestBody?.content['application/json'].examples[name].value;
    return { method, target: query.size > 0 ? `${target}?${query}` : target, body: body && translated(body), key };
  }

  /* Of each request and machine another one: an id, a time, a digest, a code, a bank's own id. */
  const VOLATILE = /^(?:order:)?[0-9a-f]{32,64}$|^[0-9a-f-]{36}$|^\d{4}-\d\d-\d\dT|^op_|(?:^|-)[0-9A-Z*]{4}-/;

  /** The answer is the example, but for what is another one each time; that is learned. */
  function compare(told, here, at) {
    if (told !== null && typeof told === 'object') {
      assert.ok(here !== null && typeof here === 'object', `${at} is ${here}`);
      assert.deepEqual(Object.keys(here).sort(), Object.keys(told).sort(), at);
      for (const key of Object.keys(told)) compare(told[key], here[key], `${at}/${key}`);
    } else if (typeof told === 'string' && VOLATILE.test(told)) {
      assert.match(String(here), VOLATILE, at);
      if (/^[0-9a-f-]{36}$/.test(told)) assert.equal(meant.get(told) ?? here, here, at);
      meant.set(told, here);
    } else {
      assert.deepEqual(here, told, at);
    }
  }

  for (const [id, name] of story) {
    test(`${id} ${name}`, async () => {
      const found = operationOf(id);
      const promise = promiseOf(found, name);
      const { method, target, body, key } = requestOf(found, name);
      const operator = found.operation.security[0].ApiKey.includes('operator');
      const shop = operator ? edge.as(stack.env.CHECKOUT_OPERATOR_KEY) : edge;
      const ask = () => shop.request(method, target, { body, key });
      /* The voucher comes when the voucher-service has heard of it. */
      const answer = await (id === 'listVouchers'
        ? waitFor('the voucher', async () => {
            const page = await ask();
            return page.json.data.length > 0 && page;
          })
        : ask());
      expectStatus(answer, promise.status);
      compare(promise.value, answer.json, id);
    });
  }

  test('what they made was announced as the document of events says', async () => {
    const types = ['order.created', 'order.sent', 'payment.succeeded', 'refund.succeeded', 'voucher.issued', 'voucher.redeemed'];
    for (const type of types) await bus.waitFor(type, (message) => message.event?.type === type);
    for (const { topic, text } of bus.messages) checkAnnounced(topic, JSON.parse(text));
  });
});
