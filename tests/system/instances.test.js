/*
 * Two instances of both services: gapless logs, nothing doubled, and a takeover when one freezes.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import {
  expectCleanAudit,
  expectGaplessLog,
  expectLoadStored,
  untilQuiet,
} from '../support/audit.js';
import { openInspector } from '../support/database.js';
import { Load } from '../support/load.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const TAKEOVER_MS = 10_000;

const stack = await startStack({ CHECKOUT_INSTANCES: '2' });
after(() => stack.stop());

const orders = await openInspector(stack, 'orders');
const vouchers = await openInspector(stack, 'vouchers');
after(() => Promise.all([orders.close(), vouchers.close()]));

const shops = ['order-service', 'order-service-1'].map((name) => stack.shop(stack.urlOf(name)));
const shop = shops[0];

const vouchersOf = async (sent) =>
  Number(
    await vouchers.value('SELECT count(*) FROM vouchers WHERE order_id = ANY ($1)', [
      sent.map((order) => order.id),
    ]),
  );

const holderOf = (database, lease) =>
  database.value('SELECT holder FROM leases WHERE name LIKE $1 AND expires_at > now()', [lease]);

/** The name of the process that leads: leases carry the instance in their holder. */
async function leaderOf(database, lease, service) {
  const holder = await waitFor(`a holder of ${lease}`, () => holderOf(database, lease));
  const match = /^(?:[a-z-]+)?(\d+)\b/.exec(holder.replace(service, ''));
  assert.ok(match, `no instance in the holder ${holder}`);
  return Number(match[1]) === 0 ? service : `${service}-${match[1]}`;
}

async function expectAllWell(load) {
  await load.stop();
  assert.equal(load.unanswered.length, 0);
  await untilQuiet(stack);
  await expectLoadStored(stack, load);
  for (const name of ['orders', 'vouchers']) await expectGaplessLog(stack, name);
  await expectCleanAudit(stack);
}

test('two instances of both services under load leave gapless logs and no doubles', async () => {
  const load = new Load(shops, { perSecond: 400, clients: 32 });
  await waitFor('1500 answers', () => load.answers >= 1500, { within: 30_000 });
  await expectAllWell(load);
  const bothServed = await Promise.all(
    shops.map(async (each) => {
      const metrics = (await each.get('/metrics')).text;
      return /status="201"/.test(metrics);
    }),
  );
  assert.deepEqual(bothServed, [true, true], 'both instances created orders');
});

test('a frozen leader of the voucher-service is relieved within 10 s, and doubles nothing on waking', async () => {
  const leader = await leaderOf(vouchers, 'consumer:%', 'voucher-service');
  const before = await holderOf(vouchers, 'consumer:%');
  const load = new Load(shops, { perSecond: 60 });
  const frozen = await stack.freeze(leader);
  const { id } = await shop.sendOrder(10001);
  await waitUntilEqual('the voucher by the other instance', () => vouchersOf([{ id }]), 1, {
    within: TAKEOVER_MS,
  });
  assert.notEqual(await holderOf(vouchers, 'consumer:%'), before);
  frozen.thaw();
  const more = load.answers + 120;
  await waitFor('more load after the thaw', () => load.answers >= more);
  await expectAllWell(load);
});

test('a frozen relay is relieved within 10 s, and its waking skips and doubles nothing', async () => {
  const leader = await leaderOf(orders, 'relay:%', 'order-service');
  const other = leader === 'order-service' ? shops[1] : shops[0];
  const load = new Load([other], { perSecond: 60 });
  const frozen = await stack.freeze(leader);
  const { id } = await other.sendOrder(10001);
  await waitUntilEqual('the voucher by way of the other relay', () => vouchersOf([{ id }]), 1, {
    within: TAKEOVER_MS,
  });
  frozen.thaw();
  const more = load.answers + 120;
  await waitFor('more load after the thaw', () => load.answers >= more);
  await expectAllWell(load);
});

test('a rolling restart under load loses no answer and leaves no hole', async () => {
  const load = new Load(shops, { perSecond: 100 });
  const names = ['order-service', 'order-service-1', 'voucher-service', 'voucher-service-1'];
  for (const name of names) {
    const answers = load.answers + 50;
    await waitFor('load to flow', () => load.answers >= answers);
    await stack.kill(name, 'SIGTERM');
    stack.start(name);
    await stack.ready(name);
  }
  const answers = load.answers + 50;
  await waitFor('load to flow', () => load.answers >= answers);
  await expectAllWell(load);
});
