/*
 * Access to the bus: who gets in, what each login hears, and where it may speak. Over TCP and over
 * websockets, by a client that knows only the package mqtt.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { connect, subscribe } from '../support/bus.js';
import { keyId, loginOf, makeKey, revokeKey } from '../support/keys.js';
import { top } from '../support/launcher.js';
import { startStack } from '../support/stack.js';
import { within } from '../support/wait.js';

const DROPPED_WITHIN_MS = 5000;
const REFUSED = /[Nn]ot authorized|Bad User/;

const stack = await startStack();
after(() => stack.stop());
const transports = { TCP: stack.env.MQTT_URL, websockets: stack.env.MQTT_WS_URL };

/** Two shops that know nothing of each other. */
const keys = {};
for (const merchant of ['lamps', 'lamps-2']) {
  keys[merchant] = await makeKey(stack, merchant, ['orders:write', 'orders:fulfil', 'events:read']);
}
const silent = await makeKey(stack, 'lamps', ['orders:write', 'orders:fulfil']);
const shopOf = (merchant) => stack.shop(stack.env.ORDER_URL, keys[merchant]);
const operator = loginOf(stack.env.CHECKOUT_OPERATOR_KEY);
const secret = (name) => readFileSync(path.join(stack.home, 'secrets', name), 'utf8').trim();

/** The logins of the services, as the broker's file of rights names them. */
const services = [
  ...readFileSync(path.join(top, 'deploy', 'broker', 'services.acl'), 'utf8').matchAll(/^user (.+)$/gm),
].map(([, name]) => ({ username: name, password: secret(`broker-${name}`) }));

/** Whatever a merchant could ask for to hear another one. */
const GREEDY = [
  '#',
  '+/#',
  '+/+/+/#',
  'checkout/#',
  'checkout/v1/#',
  'checkout/v1/+/order/#',
  'checkout/v1/lamps-2/#',
  'checkout/v1/service/#',
  '$SYS/#',
  '$share/group/#',
  '$share/group/checkout/v1/lamps-2/#',
];

for (const [transport, url] of Object.entries(transports)) {
  describe(`over ${transport}`, () => {
    test('nobody gets in without a login, with a wrong one, or with a key that may not read events', async () => {
      const [lamps, other] = [loginOf(keys.lamps), loginOf(keys['lamps-2'])];
      const wrong = [
        {},
        { username: lamps.username },
        { username: lamps.username, password: '' },
        { username: lamps.username, password: 'wrong' },
        { username: lamps.username, password: other.password },
        { username: lamps.username, password: `${lamps.password}x` },
        { username: 'nobody', password: lamps.password },
        { username: '+', password: lamps.password },
        loginOf(silent),
      ];
      for (const login of wrong) await assert.rejects(connect(url, login), REFUSED, login.username);
    });

    test('a merchant hears its own events only, whatever it subscribes to', async () => {
      const greedy = await subscribe(url, loginOf(keys.lamps), GREEDY);
      const other = await subscribe(url, loginOf(keys['lamps-2']), '#');
      const all = await subscribe(url, operator, '#');
      try {
        /* The neighbour's event is first in the one log of both, so it would be heard first too. */
        const theirs = await shopOf('lamps-2').sendOrder(10001);
        const mine = await shopOf('lamps').sendOrder(10001);
        for (const each of [greedy, all]) await issuedFor(each, mine);
        for (const each of [other, all]) await issuedFor(each, theirs);
        for (const { topic } of greedy.messages) assert.match(topic, /^checkout\/v1\/lamps\//);
        for (const { topic } of other.messages) assert.match(topic, /^checkout\/v1\/lamps-2\//);
        assert.ok(all.messages.some(({ topic }) => topic.startsWith('checkout/v1/service/')));
      } finally {
        await Promise.all([greedy, other, all].map((each) => each.close()));
      }
    });

    test('a merchant publishes nowhere, neither at once nor by a last will', async () => {
      const listener = await subscribe(url, operator, '#');
      const id = '01940000-0000-7000-8000-00000000f09e';
      const topics = [
        `checkout/v1/lamps/order/${id}/sent`,
        `checkout/v1/lamps-2/order/${id}/sent`,
        `checkout/v1/lamps/voucher/${id}/issued`,
        'checkout/v1/service/order-service/0',
        'checkout/v1/lamps',
        'anything',
        '$SYS/broker/uptime',
      ];
      try {
        for (const topic of topics) {
          const will = { topic, payload: Buffer.from('forged'), qos: 1, retain: true };
          const client = await connect(url, loginOf(keys.lamps), { will });
          client.on('error', () => {});
          const publishing = client.publishAsync(topic, 'forged', { qos: 1, retain: true });
          await assert.rejects(publishing, /[Nn]ot authorized/, topic);
          client.stream.destroy(); /* the broker speaks the last will */
        }
        await issuedFor(listener, await shopOf('lamps').sendOrder(10001));
        assert.ok(!listener.messages.some(({ text }) => text === 'forged'));
        /* Nothing was kept for those who come later either. */
        const later = await subscribe(url, operator, '#');
        await later.waitFor('what is retained', ({ retain }) => retain);
        await issuedFor(later, await shopOf('lamps').sendOrder(10001));
        assert.ok(!later.messages.some(({ text }) => text === 'forged'));
        await later.close();
      } finally {
        await listener.close();
      }
    });

    test('a login that is revoked is dropped at once, and the others stay', async () => {
      const key = await makeKey(stack, 'lamps', ['events:read']);
      const mine = await subscribe(url, loginOf(key), '#');
      const others = await subscribe(url, loginOf(keys.lamps), '#');
      let lost = false;
      others.client.once('close', () => (lost = true));
      const dropped = new Promise((done) => mine.client.once('close', done));
      await revokeKey(stack, key);
      await within(DROPPED_WITHIN_MS, `the broker to drop ${keyId(key)}`, dropped);
      await assert.rejects(connect(url, loginOf(key)), REFUSED);
      await issuedFor(others, await shopOf('lamps').sendOrder(10001));
      assert.equal(lost, false, 'a login that was not revoked was dropped too');
      await others.close();
    });
  });
}

describe('the services', () => {
  /* What each may write, for a merchant that there is not; the topics of all are tried by each. */
  const writes = {
    'order-service': ['checkout/v1/nobody/order/1/tried', 'checkout/v1/service/order-service/tried'],
    'payment-service': [
      'checkout/v1/nobody/payment/1/tried',
      'checkout/v1/nobody/refund/1/tried',
      'checkout/v1/service/payment-service/tried',
    ],
    'voucher-service': ['checkout/v1/nobody/voucher/1/tried', 'checkout/v1/service/voucher-service/tried'],
  };

  test('each writes its own topics and no other', async () => {
    assert.deepEqual(services.map(({ username }) => username).sort(), Object.keys(writes).sort());
    const topics = [...Object.values(writes).flat(), 'checkout/v1/nobody/ledger/1/tried', 'anything'];
    for (const login of services) {
      const client = await connect(stack.env.MQTT_URL, login);
      for (const topic of topics) {
        const publishing = client.publishAsync(topic, 'tried', { qos: 1 });
        if (writes[login.username].includes(topic)) await publishing;
        else await assert.rejects(publishing, /[Nn]ot authorized/, `${login.username}: ${topic}`);
      }
      await client.endAsync(true);
    }
  });

  test('each hears what it consumes and no more', async () => {
    const heard = {
      'order-service': /^checkout\/v1\/[^/]+\/(payment|refund)\//,
      'payment-service': /^checkout\/v1\/[^/]+\/order\//,
      'voucher-service': /^checkout\/v1\/[^/]+\/order\//,
    };
    const subscribers = [];
    for (const login of services) {
      subscribers.push(await subscribe(stack.env.MQTT_URL, login, ['#', 'checkout/v1/+/voucher/#']));
    }
    const all = await subscribe(stack.env.MQTT_URL, operator, '#');
    await issuedFor(all, await shopOf('lamps').sendOrder(10001));
    for (const [index, { username }] of services.entries()) {
      for (const { topic } of subscribers[index].messages) assert.match(topic, heard[username]);
      await subscribers[index].close();
    }
    await all.close();
  });

  test('their keys read every event, as an operator does, and publish nothing', async () => {
    for (const { username } of services) {
      const login = loginOf(secret(`key-${username}`));
      const reader = await subscribe(stack.env.MQTT_URL, login, 'checkout/v1/#');
      await issuedFor(reader, await shopOf('lamps').sendOrder(10001));
      const publishing = reader.client.publishAsync('checkout/v1/lamps/order/1/sent', '{}', { qos: 1 });
      await assert.rejects(publishing, /[Nn]ot authorized/);
      await reader.close();
    }
  });
});

/** Waits until a subscriber has heard of the voucher that an order earned: the last thing it causes. */
function issuedFor(subscriber, order) {
  return subscriber.waitFor(
    `the voucher of order ${order.id}`,
    ({ event }) => event?.type === 'voucher.issued' && event.data.order_id === order.id,
  );
}
