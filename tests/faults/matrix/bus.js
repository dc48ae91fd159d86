/*
 * What happens on the bus: a broker that is away while much is written, messages that are no events,
 * and events that come again, backwards, or all from the beginning.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { headOf, positionOf } from '../../support/audit.js';
import { publish, subscribe } from '../../support/bus.js';
import { openInspector, openSuperuser } from '../../support/database.js';
import { residentKb } from '../../support/proc.js';
import { expectStatus, invoice, newKey } from '../../support/shop.js';
import { SLOWDOWN } from '../../support/slowdown.js';
import { waitFor } from '../../support/wait.js';
import { earnVouchers } from '../../support/wallet.js';
import { SERVICES } from './world.js';

/* --- the broker is away -------------------------------------------------------------------------- */

const BURST = 20_000;
const CONNECTIONS = 32;
const BEFORE = 1000;

/* What is promised: events are read within this time, with this memory, and nobody waits longer. */
const READ_WITHIN_MS = 30_000;
const GROWTH_KB_MAX = 64 * 1024;
const SLOWER_BY_MAX = 2;
const SLOWER_MS = 10;

const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];

/** That many orders, over many connections; the milliseconds that each took. */
async function orderMany({ stack }, count) {
  const shop = stack.shop(undefined, undefined, { connections: CONNECTIONS });
  const times = [];
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      const from = performance.now();
      expectStatus(await shop.post('/v1/orders', invoice(1000), { key: newKey() }), 201);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  return times;
}

async function memoryOf({ stack }) {
  const of = async (name) => residentKb(await stack.pid(name));
  return Promise.all(SERVICES.map(of));
}

/** Until the voucher- and the payment-service have read what was in the log of orders when it was asked. */
async function untilRead({ stack }) {
  const opened = await Promise.all(['orders', 'vouchers', 'payments'].map((name) => openInspector(stack, name)));
  const [orders, ...readers] = opened;
  try {
    const head = await headOf(orders);
    for (const reader of readers) {
      await waitFor(`event ${head} to be read`, async () => (await positionOf(reader)) >= head, {
        within: READ_WITHIN_MS,
      });
    }
  } finally {
    await Promise.all(opened.map((database) => database.close()));
  }
}

const away = {
  id: 'away broker',
  what: `the broker is away while ${BURST} events are written`,
  seconds: 10,
  async begin(world) {
    const usual = median(await orderMany(world, BEFORE));
    const memory = await memoryOf(world);
    await world.stack.kill('broker');
    const now = median(await orderMany(world, BURST));
    assert.ok(now < usual * SLOWER_BY_MAX + SLOWER_MS, `orders take ${now} ms instead of ${usual} ms`);
    return async () => {
      await world.start('broker');
      await untilRead(world);
      const grown = (await memoryOf(world)).map((kb, i) => kb - memory[i]);
      assert.ok(Math.max(...grown) < GROWTH_KB_MAX * SLOWDOWN, `memory grew by ${grown} kB`);
    };
  },
};

/* --- what is no event, and what was one already --------------------------------------------------- */

function producer(stack) {
  const file = path.join(stack.home, 'secrets', 'broker-order-service');
  return { username: 'order-service', password: readFileSync(file, 'utf8').trim() };
}

const topicOf = (event) =>
  `checkout/v1/${event.merchantid}/order/${event.subject}/${event.type.split('.')[1]}`;

/** What was published on orders while `meanwhile` went on: [{ topic, payload }]. */
async function overheard({ stack }, count) {
  const subscriber = await subscribe(stack.env.MQTT_URL, stack.login, 'checkout/v1/+/order/#');
  try {
    await waitFor(`${count} events`, () => subscriber.messages.length >= count, { within: 30_000 });
    return subscriber.messages.map(({ topic, payload }) => ({ topic, payload }));
  } finally {
    await subscriber.close();
  }
}

/** Each of them is none; the event that it was made from has an id of its own. */
function poisonFrom({ payload }) {
  const event = { ...JSON.parse(payload), id: randomUUID() };
  const topic = topicOf(event);
  const changed = (members) => JSON.stringify({ ...event, ...members });
  return [
    { topic, payload: `not JSON ${randomUUID()}` },
    { topic, payload: changed({ specversion: '0.3' }) },
    { topic, payload: changed({ data: undefined }) },
    { topic, payload: changed({ sequence: 'next' }) },
    { topic, payload: changed({ specversion: '0.9', padding: 'x'.repeat(259_000) }) },
    { topic: topicOf({ ...event, merchantid: 'other' }), payload: changed({}) },
  ];
}

const operatorAt = ({ stack }, url) => stack.shop(url, stack.env.CHECKOUT_OPERATOR_KEY);
const letters = (operator) => operator.all('/v1/dead_letters', { status: 'open' });

/** They are all there, once each, and are thrown away. */
async function discardLetters(world, url, count) {
  const operator = operatorAt(world, url);
  const found = await waitFor(`${count} dead letters at ${url}`, async (seen) => {
    const open = await letters(operator);
    seen(open);
    return open.length >= count && open;
  });
  assert.equal(found.length, count, 'dead letters');
  for (const { id } of found) expectStatus(await operator.post(`/v1/dead_letters/${id}/discard`), 200);
}

const poison = {
  id: 'poison',
  what: 'messages that are no events: not JSON, of another version, without data, too large, of another merchant',
  async begin(world) {
    const [message] = await overheard(world, 1);
    const messages = poisonFrom(message);
    await publish(world.stack.env.MQTT_URL, producer(world.stack), messages);
    await earnVouchers(world.stack, 1);
    return async () => {
      for (const url of [world.stack.env.VOUCHER_URL, world.stack.env.PAYMENT_URL]) {
        await discardLetters(world, url, messages.length);
      }
    };
  },
};

const again = {
  id: 'events again',
  what: 'events once more, three times, and backwards',
  async begin(world) {
    const messages = await overheard(world, 50);
    await publish(world.stack.env.MQTT_URL, producer(world.stack), [
      ...messages,
      ...messages.toReversed(),
      ...messages,
    ]);
    return () => {};
  },
};

/** A reader that has forgotten what it has read. */
const fromTheBeginning = (service, database) => ({
  id: `replay ${service}`,
  what: `the ${service} reads the whole log once more`,
  async begin(world) {
    const god = await openSuperuser(world.stack, database);
    await world.stack.kill(service, 'SIGTERM');
    await god.rows('UPDATE consumer_position SET sequence = 0').finally(() => god.close());
    return () => world.start(service);
  },
});

export const busRows = [
  away,
  poison,
  again,
  fromTheBeginning('voucher-service', 'vouchers'),
  fromTheBeginning('payment-service', 'payments'),
  fromTheBeginning('order-service', 'orders'),
];
