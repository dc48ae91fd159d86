/*
 * The bus fails: orders are taken as before, and nothing is lost, whatever became of the broker's
 * files.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';

import { expectCleanAudit, expectLoadStored, untilQuiet } from '../support/audit.js';
import { openInspector, urlFor, withDatabase } from '../support/database.js';
import { Load } from '../support/load.js';
import { samplesOf } from '../support/prometheus.js';
import { Proxy } from '../support/proxy.js';
import { expectStatus, invoice, newKey, order } from '../support/shop.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { byCard } from '../support/till.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();
const vouchers = await openInspector(stack, 'vouchers');
after(() => vouchers.close());

const RECOVERY_MS = 10_000;

/* Events that the bus may bring again: a consumer's distance, a relay's window, and what came meanwhile. */
const AHEAD_MAX = 3000;

function deleteBrokerFiles() {
  const directory = path.join(stack.home, 'broker', 'data');
  for (const name of readdirSync(directory)) rmSync(path.join(directory, name));
}

const vouchersOf = async (orders) =>
  Number(
    await vouchers.value('SELECT count(*) FROM vouchers WHERE order_id = ANY ($1)', [
      orders.map((order) => order.id),
    ]),
  );

/** Sends orders one after the other; returns them and how long each took, in order of duration. */
async function sendMany(count) {
  const sent = [];
  const took = [];
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    sent.push(await shop.sendOrder(10001 + i));
    took.push(performance.now() - from);
  }
  return { sent, took: took.sort((a, b) => a - b) };
}

const median = (sorted) => sorted[Math.floor(sorted.length / 2)];

test('with the broker stopped orders are taken as before; started empty, every voucher is there', async () => {
  const before = await sendMany(60);
  await waitUntilEqual('vouchers before', () => vouchersOf(before.sent), 60);

  await stack.kill('broker', 'SIGTERM');
  const during = await sendMany(200);
  const ready = expectStatus(await shop.get('/readyz'), 200);
  assert.match(ready.text, /degraded/, 'readiness tells about the broker');
  assert.ok(
    median(during.took) < 3 * median(before.took) + 5,
    `an order took ${median(during.took)} ms without the broker, ${median(before.took)} ms with it`,
  );
  assert.ok(during.took.at(-1) < 1000 * SLOWDOWN, `the slowest took ${during.took.at(-1)} ms`);

  deleteBrokerFiles();
  stack.start('broker');
  await waitUntilEqual('vouchers after', () => vouchersOf(during.sent), 200, {
    within: RECOVERY_MS,
  });
  await expectCleanAudit(stack);
});

test('the broker killed with its files deleted while events flow loses no voucher', async () => {
  const load = new Load([stack.shop()], { perSecond: 150 });
  try {
    for (let round = 0; round < 5; round++) {
      const target = load.answers + 100;
      await waitFor(`answer ${target}`, () => load.answers >= target);
      await stack.kill('broker');
      deleteBrokerFiles();
      const during = load.answers + 60;
      await waitFor(`answer ${during} without a broker`, () => load.answers >= during);
      stack.start('broker');
    }
  } finally {
    await load.stop();
  }
  assert.equal(load.unanswered.length, 0);
  await untilQuiet(stack, { within: RECOVERY_MS });
  await expectLoadStored(stack, load);
  await expectCleanAudit(stack);
});

test('a broker that stands still delays no order, and vouchers follow when it moves again', async () => {
  const frozen = await stack.freeze('broker');
  const { sent, took } = await sendMany(50);
  assert.ok(took.at(-1) < 1000 * SLOWDOWN, `the slowest took ${took.at(-1)} ms`);
  frozen.thaw();
  await waitUntilEqual('vouchers', () => vouchersOf(sent), 50, { within: RECOVERY_MS });
});

test('an event that was lost on the bus is pulled from the log, without another to show the hole', async () => {
  await untilQuiet(stack);
  await stack.kill('broker');
  const { id } = await shop.createOrder(invoice(10001));
  await shop.move(id, 'sent');
  deleteBrokerFiles();
  stack.start('broker');
  await waitUntilEqual('the voucher', () => vouchersOf([{ id }]), 1, { within: RECOVERY_MS });
});

test('a backlog of large orders, more than one page of the log can carry, is pulled in pieces', async () => {
  const line = { sku: 'S'.repeat(30), name: 'N'.repeat(50), quantity: 1, unit_amount: 21 };
  const body = JSON.stringify(invoice(0, { lines: Array(480).fill(line) }));
  assert.ok(body.length > 60_000 && body.length <= 65_536);
  await stack.kill('voucher-service');
  const clients = Array.from({ length: 8 }, async () => {
    for (let i = 0; i < 40; i++) await shop.createOrder(body);
  });
  await Promise.all(clients);
  const sent = await shop.createOrder(body);
  await shop.move(sent.id, 'sent');
  stack.start('voucher-service');
  await waitUntilEqual('the voucher behind the backlog', () => vouchersOf([sent]), 1, {
    within: 2 * RECOVERY_MS,
  });
  await expectCleanAudit(stack);
});

test('a service that was far behind has read the log, and then hears the bus', async () => {
  const orders = 6000;
  await untilQuiet(stack);
  for (const name of ['voucher-service', 'broker']) await stack.kill(name, 'SIGTERM');
  await manyOrders(orders);
  for (const name of ['broker', 'voucher-service']) stack.start(name);
  await untilQuiet(stack, { within: RECOVERY_MS });
  await untilHeard();
  const { pulled, duplicates } = await readBy('voucher-service');
  assert.ok(pulled >= orders, `${pulled} were read from the log`);
  assert.ok(duplicates < orders / 2, `and ${duplicates} of them came by the bus as well`);
  await expectHeard();
});

/* Its relay does not reach the broker, and begins again, as one would whose database was restored. */
test('a service that is ahead of the bus hears it when it has caught up', async () => {
  const { head } = expectStatus(await shop.get('/v1/events?limit=1'), 200).json;
  await manyOrders(Math.max(0, 2 * AHEAD_MAX - head));
  const door = await Proxy.to(Number(stack.recipes.get('order-service').environment.MQTT_PORT));
  after(() => door.close());
  await untilQuiet(stack);
  for (const name of ['order-service', 'voucher-service']) await stack.kill(name, 'SIGTERM');
  await withDatabase(urlFor(stack, 'postgres', 'orders'), (orders) =>
    orders.rows('UPDATE relay_position SET sequence = 0'),
  );
  door.cut();
  stack.start('order-service', { environment: { MQTT_PORT: String(door.port) } });
  stack.start('voucher-service');
  await waitFor('the voucher-service to leave the bus alone', async (seen) => {
    const text = await readiness();
    seen(text);
    return text.includes('reads the log only');
  });
  const { sent } = await sendMany(1);
  await waitUntilEqual('the voucher', () => vouchersOf(sent), 1);

  door.heal();
  await untilQuiet(stack, { within: RECOVERY_MS });
  await untilHeard();
  const { duplicates } = await readBy('voucher-service');
  assert.ok(duplicates < AHEAD_MAX, `${duplicates} came again`);
  await expectHeard();
  await stack.kill('order-service', 'SIGTERM'); /* its way to the broker ends here */
  stack.start('order-service');
  await stack.ready('order-service');
});

test('an event that the broker refuses for good is read from the log, and holds up nothing', async () => {
  const file = path.join(stack.home, 'broker', 'acl');
  const allowed = readFileSync(file, 'utf8');
  const denied = allowed.replace('user order-service\n', '$&topic deny checkout/v1/+/order/+/sent\n');
  try {
    await untilRefuses(denied, true);
    const before = await refused();
    const { sent } = await sendMany(3);
    await shop.createOrder(invoice(1)); /* which shows the hole */
    await waitUntilEqual('vouchers', () => vouchersOf(sent), 3, { within: 2 * RECOVERY_MS });
    await waitUntilEqual('events that were refused', async () => (await refused()) - before, 3);
  } finally {
    await untilRefuses(allowed, false);
  }
  await expectHeard();

  async function refused() {
    return (await metricsOf('order-service')).get('checkout_relay_refused_total') ?? 0;
  }

  /** The broker reads its rules anew some time after it was told to. */
  async function untilRefuses(rules, wanted) {
    writeFileSync(file, rules);
    process.kill(await stack.pid('broker'), 'SIGHUP');
    await waitFor(`the broker to ${wanted ? 'refuse' : 'take'} what it is sent`, async () => {
      const before = await refused();
      await sendMany(1);
      await shop.createOrder(invoice(1));
      await untilQuiet(stack, { within: 2 * RECOVERY_MS });
      return (await refused()) > before === wanted;
    });
  }
});

test('a log that answers nobody holds up nothing that the bus brings', async () => {
  const recipe = stack.recipes.get('voucher-service');
  const door = await Proxy.to(Number(new URL(recipe.environment.ORDER_URL).port));
  after(() => door.close());
  await stack.kill('voucher-service', 'SIGTERM');
  stack.start('voucher-service', { environment: { ORDER_URL: `http://127.0.0.1:${door.port}` } });
  try {
    await waitFor('what comes to come by the bus', () => expectHeard().then(() => true));
    door.hold();
    await waitFor('the log to be asked', () => door.holds > 0, { every: 2 });
    const from = performance.now();
    const { sent } = await sendMany(1);
    await waitUntilEqual('the voucher', () => vouchersOf(sent), 1);
    const took = performance.now() - from;
    assert.ok(SLOWDOWN > 1 || took < 1000, `it took ${took} ms`); /* a page is waited for for 2 s */
  } finally {
    door.heal();
    await stack.kill('voucher-service', 'SIGTERM');
    stack.start('voucher-service');
    await stack.ready('voucher-service');
  }
});

test('an order that the bus does not bring is paid from a log that is slow', async () => {
  const door = await Proxy.to(Number(new URL(stack.recipes.get('payment-service').environment.ORDER_URL).port));
  after(() => door.close());
  await stack.kill('payment-service', 'SIGTERM');
  stack.start('payment-service', { environment: { ORDER_URL: `http://127.0.0.1:${door.port}` } });
  await stack.ready('payment-service');
  await untilHeard('payment-service');
  await waitFor('it to have read the log', () => shop.createOrder(order()).then(({ id }) => known(id)));
  const frozen = await stack.freeze('broker');
  try {
    door.slow(150);
    const { id } = await shop.createOrder(order());
    const body = { order_id: id, payment_method: byCard() };
    const answer = await stack.payments().post('/v1/payments', body, { key: newKey() });
    assert.equal(expectStatus(answer, 201).json.status, 'succeeded');
  } finally {
    frozen.thaw();
    door.heal();
    await stack.kill('payment-service', 'SIGTERM');
    stack.start('payment-service');
    await stack.ready('payment-service');
  }
});

/** payment-service has heard of an order. */
const known = (id) =>
  withDatabase(urlFor(stack, 'inspector', 'payments'), (payments) =>
    waitFor('the order to be known', () => payments.value('SELECT count(*) FROM payable_orders WHERE id = $1', [id]).then(Number)),
  );

test('after all that the audit is clean', async () => {
  await untilQuiet(stack, { within: RECOVERY_MS });
  await expectCleanAudit(stack);
});

async function readiness(service = 'voucher-service') {
  const answer = await stack.shop(stack.urlOf(service), undefined).get('/readyz');
  return answer.text;
}

const untilHeard = (service) =>
  waitFor('the bus to be heard', async (seen) => {
    const text = await readiness(service);
    seen(text);
    return !text.includes('reads the log only') && !text.includes('broker away');
  });

/** What comes now comes by the bus. */
async function expectHeard() {
  await untilQuiet(stack);
  const { pulled } = await readBy('voucher-service');
  const { sent } = await sendMany(20);
  await waitUntilEqual('vouchers', () => vouchersOf(sent), 20);
  assert.equal((await readBy('voucher-service')).pulled, pulled, 'the bus brought what came then');
}

async function manyOrders(count) {
  const writers = 20;
  const write = async () => {
    for (let i = 0; i < count / writers; i++) await shop.createOrder(invoice(1));
  };
  await Promise.all(Array.from({ length: writers }, write));
}

/** Events that it pulled from the log, and those that had taken effect before. */
async function readBy(service) {
  const samples = await metricsOf(service);
  const [pulled, duplicates] = ['pulled', 'duplicates'].map((what) =>
    samples.get(`checkout_consumer_${what}_total`),
  );
  return { pulled, duplicates };
}

/** The first sample of each name. */
async function metricsOf(service) {
  const page = expectStatus(await stack.shop(stack.urlOf(service), undefined).get('/metrics'), 200).text;
  return new Map(samplesOf(page).toReversed().map(({ name, value }) => [name, value]));
}
