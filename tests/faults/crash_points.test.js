/*
 * Processes die exactly between an effect and what must follow it: at every crash point that the
 * programs list, in a build that has them (`./checkout test faults` makes one).
 *
 * A new point is hit without a line here if the load comes by; if not, REACH takes the service there.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit, expectGaplessLog, expectLoadStored } from '../support/audit.js';
import { crashAt, pointsOf } from '../support/crash.js';
import { openSuperuser } from '../support/database.js';
import { Load } from '../support/load.js';
import { Random, runSeed } from '../support/random.js';
import { startStack } from '../support/stack.js';

const ROUNDS = Number(process.env.TEST_ROUNDS ?? 1);

/* Most points are passed many times a second, and any of those may be the last. */
const PASSINGS = 20;
const SELDOM = /expiry$|pull$|^lapse:/;

/* Nobody pays in this load, so the order-service has nothing to consume. */
const NOT_REACHED = { 'order-service': /^consumer:/ };

/* Prepaid orders of the load expire after a second; vouchers live for days. */
const stack = await startStack({ ORDER_EXPIRY_S: '1' });
after(() => stack.stop());
const clockmakers = {
  'order-service': await openSuperuser(stack, 'orders'),
  'voucher-service': await openSuperuser(stack, 'vouchers'),
};
const voucherSearch = await openSuperuser(stack, 'vouchers');
after(() => Promise.all([...Object.values(clockmakers), voucherSearch].map((one) => one.close())));
let searching = Promise.resolve();

const vouchers = stack.vouchers();

/** Two vouchers expire, and one is reserved for a second. */
async function endVouchers() {
  const clockmaker = clockmakers['voucher-service'];
  await clockmaker.rows(
    `UPDATE vouchers SET expires_at = now() - interval '1 second'
     WHERE id IN (SELECT id FROM vouchers WHERE status = 'active' LIMIT 2)`,
  );
  const code = await clockmaker.value(
    "SELECT code FROM vouchers WHERE status = 'active' AND expires_at > now() LIMIT 1",
  );
  const path = `/v1/vouchers/${encodeURIComponent(code)}/reserve`;
  const body = { holder: 'till 1', ttl_s: 1 };
  /* It may die instead of answering. */
  if (code) await vouchers.post(path, body, { patience: 1000 }).catch(() => {});
}

const REACH = { 'order-service': () => {}, 'voucher-service': endVouchers };

const seed = runSeed();
const random = new Random(`crash points ${seed}`);
const whim = new Random(`vouchers ${seed}`);
const load = new Load([stack.shop()], {
  seed,
  perSecond: 150,
  clients: 24,
  repeats: 0.2,
  prepaid: 0.1,
  voucher: spendableVoucher,
});
const hits = new Map();

/** For about every fifth order; two may get the same one, and then the second is refused. */
function spendableVoucher() {
  if (!whim.chance(0.2)) return undefined;
  searching = searching.then(findVoucher);
  return searching;
}

async function findVoucher() {
  const found = await voucherSearch.rows(
    "SELECT code FROM vouchers WHERE status = 'active' ORDER BY random() LIMIT 1",
  );
  return found[0]?.code;
}

const reachable = async (service) =>
  (await pointsOf(service)).filter((point) => !NOT_REACHED[service]?.test(point));

for (const service of ['order-service', 'voucher-service']) {
  for (const point of await reachable(service)) {
    test(`the ${service} dies at ${point} and comes back (seed ${seed})`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const passing = SELDOM.test(point) ? 1 : random.between(1, PASSINGS);
        const reach = REACH[service];
        await crashAt(stack, clockmakers[service], { service, point, passing, reach });
        hits.set(point, (hits.get(point) ?? 0) + 1);
      }
    });
  }
}

test('after all of it every answer is stored, every key has one effect, the audit is clean', async (t) => {
  await load.stop();
  t.diagnostic(`${load.answers} answers; hits: ${JSON.stringify(Object.fromEntries(hits))}`);
  assert.equal(load.unanswered.length, 0, 'every request was answered in the end');
  await expectLoadStored(stack, load);
  for (const name of ['orders', 'vouchers']) await expectGaplessLog(stack, name);
  await expectCleanAudit(stack);
});
