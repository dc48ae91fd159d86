/*
 * The consumer: every event takes effect exactly once, whenever the process dies, and whatever
 * arrives that is no event.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { expectCleanAudit, headOf, untilQuiet } from '../support/audit.js';
import { publish, subscribe } from '../support/bus.js';
import { holdLock, lockWaiters, openInspector, openSuperuser, urlFor, withDatabase } from '../support/database.js';
import { expectProblem, expectStatus, invoice, newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const operator = stack.vouchers(stack.env.CHECKOUT_OPERATOR_KEY);
const orders = await openInspector(stack, 'orders');
const vouchers = await openInspector(stack, 'vouchers');
after(() => Promise.all([orders.close(), vouchers.close()]));

const vouchersOf = async (sent) =>
  Number(
    await vouchers.value('SELECT count(*) FROM vouchers WHERE order_id = ANY ($1)', [
      sent.map((order) => order.id),
    ]),
  );

const sendMany = (count) =>
  Promise.all(Array.from({ length: count }, (_, i) => shop.sendOrder(10001 + i)));

describe('killed between reading and committing', () => {
  const moments = {
    'and its transaction is rolled back': async (god, lock) => {
      await waitUntilEqual(
        'sessions that wait for the lock',
        () => lockWaiters(god, 'vouchers').then(Number),
        0,
      );
      await lock.release();
    },
    'and its transaction may still commit': async (god, lock) => lock.release(),
  };

  for (const [what, release] of Object.entries(moments)) {
    test(`a consumer that dies inside its transaction, ${what}, issues each voucher once`, async () => {
      const god = await openSuperuser(stack, 'postgres');
      try {
        const lock = await holdLock(stack, 'vouchers', 'SELECT stream FROM streams FOR UPDATE');
        const sent = await sendMany(10);
        await waitFor('the consumer to wait inside its transaction', async (seen) => {
          const waiting = await lockWaiters(god, 'vouchers');
          seen(waiting);
          return Number(waiting) > 0;
        });
        await stack.kill('voucher-service');
        assert.equal(await vouchersOf(sent), 0, 'nothing was committed before');
        await release(god, lock);
        stack.start('voucher-service');
        await waitUntilEqual('the vouchers', () => vouchersOf(sent), 10);
        await untilQuiet(stack);
        assert.equal(await vouchersOf(sent), 10);
      } finally {
        await god.close();
      }
      await expectCleanAudit(stack);
    });
  }

  test('while the lock is held nothing is lost, and everything follows when it is released', async () => {
    const lock = await holdLock(stack, 'vouchers', 'SELECT stream FROM streams FOR UPDATE');
    const god = await openSuperuser(stack, 'postgres');
    try {
      const sent = await sendMany(5);
      const sql = `SELECT count(*) FROM pg_stat_activity WHERE datname = 'vouchers'
                   AND wait_event_type = 'Lock' AND state = 'active'`;
      await waitFor('the consumer to try', async () => Number(await god.value(sql)) > 0);
      await waitUntilEqual(
        'the consumer to give up once',
        async () => Number(await god.value(sql)),
        0,
      );
      await lock.release();
      await waitUntilEqual('the vouchers', () => vouchersOf(sent), 5);
    } finally {
      await god.close();
      await lock.release();
    }
  });
});

describe('poison', () => {
  const password = readFileSync(path.join(stack.home, 'secrets', 'broker-order-service'), 'utf8');
  const producer = { username: 'order-service', password: password.trim() };
  const deadLetters = (status = 'open') => operator.all('/v1/dead_letters', { status });

  /** A real order.sent, as it was on the bus, dressed up as the next event of the log. */
  async function nextEvent() {
    const subscriber = await subscribe(
      stack.env.MQTT_URL,
      stack.login,
      'checkout/v1/+/order/+/sent',
    );
    const { id } = await shop.sendOrder(10001);
    const message = await subscriber.waitFor('order.sent', (m) => m.event?.subject === id);
    await subscriber.close();
    await untilQuiet(stack);
    const event = JSON.parse(message.text);
    event.id = randomUUID();
    event.subject = event.data.id = randomUUID();
    event.sequence = String((await headOf(orders)) + 1).padStart(20, '0');
    return event;
  }

  const topicOf = (event) =>
    `checkout/v1/${event.merchantid}/order/${event.subject}/${event.type.split('.')[1]}`;

  const without = (name) => (event) => {
    delete event[name];
    return { event };
  };

  /* What arrives instead of an event; `topic` and `payload` where they are not the event's own. */
  const kinds = {
    'not JSON': () => ({ payload: 'this is not JSON' }),
    empty: () => ({ payload: '' }),
    'no object': () => ({ payload: '[1, 2, 3]' }),
    'JSON with a tail': (event) => ({ payload: `${JSON.stringify(event)} and more` }),
    'an event whose data is no JSON': (event) => ({ payload: JSON.stringify(event).replace('"data":{', '"data":{nonsense,') }),
    'bytes that are not UTF-8': () => ({ payload: Buffer.from([0x22, 0xff, 0xfe, 0x22]) }),
    'of another version of CloudEvents': (event) => ({ event: { ...event, specversion: '0.3' } }),
    'of another source': (event) => ({ event: { ...event, source: '/payment-service' } }),
    'without an id': without('id'),
    'without a type': without('type'),
    'without a subject': without('subject'),
    'without a time': without('time'),
    'without a sequence': without('sequence'),
    'without a version of its subject': without('subjectversion'),
    'without a merchant': without('merchantid'),
    'without data': without('data'),
    'with a sequence that is no number': (event) => ({ event: { ...event, sequence: 'next' } }),
    'as large as the broker lets through': (event) => {
      const payload = JSON.stringify({ ...event, specversion: '0.9', padding: '' });
      return {
        payload: payload.replace(
          '"padding":""',
          `"padding":"${'x'.repeat(261_000 - payload.length)}"`,
        ),
      };
    },
    "on another merchant's topic": (event) => ({
      topic: topicOf({ ...event, merchantid: 'other' }),
      event,
    }),
    "on another event's topic": (event) => ({
      topic: topicOf({ ...event, type: 'order.canceled' }),
      event,
    }),
  };

  for (const [kind, make] of Object.entries(kinds)) {
    test(`a message that is ${kind} becomes a dead letter and delays nothing`, async () => {
      const event = await nextEvent();
      const topic = topicOf(event);
      const made = make(event);
      const payload = made.payload ?? JSON.stringify(made.event);
      const open = await deadLetters();
      await publish(stack.env.MQTT_URL, producer, [{ topic: made.topic ?? topic, payload }]);
      const letter = await waitFor('the dead letter', async () =>
        (await deadLetters()).find((each) => !open.some(({ id }) => id === each.id)),
      );
      assert.equal(letter.source, 'order-service');
      assert.ok(letter.reason.length > 0 && letter.detail.length > 0, 'it says why');
      await expectUndelayed();
      expectStatus(await operator.post(`/v1/dead_letters/${letter.id}/discard`), 200);
      const left = await vouchers.value('SELECT count(*) FROM vouchers WHERE order_id::text = $1', [
        event.subject ?? '',
      ]);
      assert.equal(Number(left), 0, 'it had no effect');
    });
  }

  /** The next real event takes effect within a second. */
  async function expectUndelayed() {
    const { id } = await shop.sendOrder(10001);
    await waitUntilEqual('the next voucher', () => vouchersOf([{ id }]), 1, { within: 1000 });
  }

  test('what came garbled in the place of an event does not take its effect away', async () => {
    const { id } = await shop.createOrder(invoice(10001));
    const event = await nextEvent();
    const payload = JSON.stringify(event).replace('"data":{', '"data":{nonsense,');
    const before = (await deadLetters()).length;
    await publish(stack.env.MQTT_URL, producer, [{ topic: topicOf(event), payload }]);
    await waitFor('the dead letter', async () => (await deadLetters()).length > before);
    await shop.move(id, 'sent');
    assert.equal((await headOf(orders)), Number(event.sequence), 'it has the number that was taken');
    await waitUntilEqual('its voucher', () => vouchersOf([{ id }]), 1, { within: 1000 });
  });

  test('the same poison three times is one dead letter', async () => {
    const event = await nextEvent();
    const message = { topic: topicOf(event), payload: `poison ${randomUUID()}` };
    const before = (await deadLetters()).length;
    await publish(stack.env.MQTT_URL, producer, [message, message, message]);
    await waitFor('the dead letter', async () => (await deadLetters()).length > before);
    await expectUndelayed();
    assert.equal((await deadLetters()).length, before + 1);
  });

  test('duplicates, old events and events far ahead change nothing and are no dead letters', async () => {
    const subscriber = await subscribe(stack.env.MQTT_URL, stack.login, 'checkout/v1/+/order/#');
    const sent = await sendMany(5);
    await waitFor('ten events', () => subscriber.messages.length >= 10);
    await subscriber.close();
    await untilQuiet(stack);
    const before = (await deadLetters()).length;
    const again = subscriber.messages.map(({ topic, payload }) => ({ topic, payload }));
    await publish(stack.env.MQTT_URL, producer, [...again, ...again.toReversed(), ...again]);
    await expectUndelayed();
    await untilQuiet(stack);
    assert.equal(await vouchersOf(sent), 5);
    assert.equal((await deadLetters()).length, before);
  });

  /** Written to the log as its next event, by nobody who may. */
  async function forge(type, subject, data) {
    await untilQuiet(stack);
    const sequence = (await headOf(orders)) + 1;
    await withDatabase(urlFor(stack, 'postgres', 'orders'), (god) =>
      god.rows(
        `INSERT INTO events (stream, sequence, id, merchant_id, type, subject, subject_version, time,
                             traceparent, data)
         VALUES (0, $1, $2, 'demo', $3, $4, 1, now(), $5, $6)`,
        [sequence, randomUUID(), type, subject, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, data],
      ),
    );
  }

  const payments = stack.payments(stack.env.CHECKOUT_OPERATOR_KEY);
  const nothing = () => '{}';
  const list = () => '[]';
  const another = async () => JSON.stringify(await shop.createOrder(invoice(10001)));

  /* What it is, its type and data, and who can make nothing of it. */
  const forged = [
    ['is of an unknown type', 'order.exploded', nothing, [operator, payments]],
    ['says that an order was sent, and has none', 'order.sent', nothing, [operator]],
    ['says that an order was sent, and has another', 'order.sent', another, [operator]],
    ['says that an order was made, and has none', 'order.created', nothing, [payments]],
    ['says that an order was made, and has another', 'order.created', another, [payments]],
    ['says that an order was canceled, and has a list', 'order.canceled', list, [operator, payments]],
  ];
  for (const [what, type, data, services] of forged) {
    test(`an event in the log that ${what}, is put aside, and the next one takes effect`, async () => {
      const subject = randomUUID();
      await forge(type, subject, await data());
      await expectUndelayed();
      for (const service of services) {
        const letter = await waitFor('the dead letter', async () =>
          (await service.all('/v1/dead_letters', { status: 'open' })).find((each) => JSON.stringify(each).includes(subject)),
        );
        expectStatus(await service.post(`/v1/dead_letters/${letter.id}/discard`), 200);
      }
      await untilQuiet(stack);
      for (const service of [operator, payments]) {
        const left = JSON.stringify(await service.all('/v1/dead_letters', { status: 'open' }));
        assert.ok(!left.includes(subject), 'once in the dead letters, by way of bus and log together');
      }
    });
  }

  describe('dead letters over HTTP', () => {
    /** An event whose voucher the database refuses (SQLSTATE 23514), and its dead letter. */
    async function refused() {
      const god = await openSuperuser(stack, 'vouchers');
      try {
        await god.rows(
          'ALTER TABLE vouchers ADD CONSTRAINT staged CHECK (value_amount <> 500) NOT VALID',
        );
        const { id } = await shop.sendOrder(10001);
        const letter = await waitFor('the dead letter', async () =>
          (await deadLetters()).find((each) => JSON.stringify(each).includes(id)),
        );
        return { id, letter };
      } finally {
        await god.rows('ALTER TABLE vouchers DROP CONSTRAINT IF EXISTS staged');
        await god.close();
      }
    }

    test('an event that the database refuses is replayed once its cause is gone, with one effect', async () => {
      const { id, letter } = await refused();
      assert.equal(await vouchersOf([{ id }]), 0);
      const replay = () => operator.post(`/v1/dead_letters/${letter.id}/replay`);
      assert.equal(expectStatus(await replay(), 200).json.status, 'replayed');
      assert.equal(await vouchersOf([{ id }]), 1);
      expectProblem(await replay(), 409);
      assert.equal(await vouchersOf([{ id }]), 1);
      const listed = (await deadLetters('replayed')).map((each) => each.id);
      assert.ok(listed.includes(letter.id));
    });

    test('a replay that still fails is a conflict with its reason, and changes nothing', async () => {
      const event = await nextEvent();
      const payload = `no event: ${randomUUID()}`;
      await publish(stack.env.MQTT_URL, producer, [{ topic: topicOf(event), payload }]);
      const sql = 'SELECT id FROM ops.dead_letters WHERE topic = $1';
      const { id } = await waitFor(
        'the dead letter',
        async () => (await vouchers.rows(sql, [topicOf(event)]))[0],
      );
      const problem = expectProblem(await operator.post(`/v1/dead_letters/${id}/replay`), 409);
      assert.ok(problem.detail.length > 0);
      assert.ok(
        (await deadLetters()).some((each) => each.id === id),
        'still open',
      );
      const key = newKey();
      const discard = () => operator.post(`/v1/dead_letters/${id}/discard`, undefined, { key });
      assert.equal(expectStatus(await discard(), 200).json.status, 'discarded');
      expectProblem(await discard(), 409, 'dead_letter_resolved');
      expectProblem(await operator.post(`/v1/dead_letters/${id}/replay`), 409);
    });

    test('a dead letter that is not there is missing, and a wrong status is named', async () => {
      const missing = '/v1/dead_letters/01940000-0000-7000-8000-00000000dead';
      expectProblem(await operator.post(`${missing}/replay`), 404);
      expectProblem(await operator.post(`${missing}/discard`), 404);
      expectProblem(await operator.get('/v1/dead_letters?status=lost'), 422, undefined, [
        '?status',
      ]);
    });
  });
});

describe('the fence', () => {
  test('a leader whose position was moved by another drops what it has read', async () => {
    await untilQuiet(stack);
    const god = await openSuperuser(stack, 'vouchers');
    try {
      /* As if another leader had taken the two events that come next. */
      await god.rows('UPDATE consumer_position SET sequence = sequence + 2');
      const taken = await shop.sendOrder(10001);
      const next = await shop.sendOrder(10002);
      await waitUntilEqual('the voucher of the order behind', () => vouchersOf([next]), 1);
      assert.equal(await vouchersOf([taken]), 0, 'its effect belongs to the other leader');
    } finally {
      await god.close();
    }
  });
});
