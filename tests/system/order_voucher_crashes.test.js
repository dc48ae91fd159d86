/*
 * The order-service dies while orders spend vouchers: every voucher ends with exactly one live order,
 * or free again.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit, expectGaplessLog, expectLoadStored } from '../support/audit.js';
import { openInspector } from '../support/database.js';
import { Load } from '../support/load.js';
import { Random, runSeed } from '../support/random.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';
import { earnVouchers } from '../support/wallet.js';

const KILLS = Number(process.env.TEST_VOUCHER_KILLS ?? 50);

/* Short, so that what a kill leaves reserved lapses while the test watches. */
const HOLD_S = 8;

const stack = await startStack({ VOUCHER_HOLD_S: String(HOLD_S) });
after(() => stack.stop());

const seed = runSeed();
const vouchers = await openInspector(stack, 'vouchers');
const orders = await openInspector(stack, 'orders');
after(() => Promise.all([vouchers.close(), orders.close()]));

test(`the order-service is killed ${KILLS} times while vouchers are spent: each ends with one live order or free (seed ${seed})`, async (t) => {
  const random = new Random(`voucher crashes ${seed}`);
  const wallet = await earnVouchers(stack, 80);
  const codes = wallet.map((voucher) => voucher.code);
  const whim = new Random(`voucher wishes ${seed}`);
  const voucher = () => (whim.chance(0.5) ? whim.pick(codes) : undefined);
  const load = new Load([stack.shop()], { seed, perSecond: 200, clients: 24, voucher });
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const enough = load.answers + random.between(5, 50);
      await waitFor(`answer ${enough}`, () => load.answers >= enough, { every: 1 });
      await stack.kill('order-service');
      stack.start('order-service');
      await stack.ready('order-service', { every: 10 });
    }
  } finally {
    await load.stop();
  }
  const spent = load.answered.filter(({ answer }) => JSON.parse(answer.text).voucher);
  t.diagnostic(
    `${load.answers} answers, ${spent.length} of orders with a voucher, ${load.refused.length} refused`,
  );
  assert.equal(load.unanswered.length, 0, 'every request was answered in the end');
  assert.ok(spent.length > KILLS, 'vouchers were spent all the time');
  await expectLoadStored(stack, load);
  for (const name of ['orders', 'vouchers']) await expectGaplessLog(stack, name);

  await waitUntilEqual(
    'the number of vouchers that are still reserved',
    async () => Number(await vouchers.value(`SELECT count(*) FROM vouchers WHERE status = 'reserved'`)),
    0,
    { within: 60_000, every: 200 },
  );
  await expectCleanAudit(stack);
  await expectOneOrderEach(wallet);
});

/** Looked at here as well, with nothing of the audit's. */
async function expectOneOrderEach(wallet) {
  const ids = wallet.map((voucher) => voucher.id);
  const states = new Map(
    (await vouchers.rows('SELECT id, status FROM vouchers WHERE id = ANY ($1)', [ids])).map(
      ({ id, status }) => [id, status],
    ),
  );
  const live = new Map();
  for (const { voucher } of await orders.rows(
    `SELECT voucher_id AS voucher FROM orders
     WHERE voucher_id = ANY ($1) AND status NOT IN ('canceled', 'expired')`,
    [ids],
  )) {
    live.set(voucher, (live.get(voucher) ?? 0) + 1);
  }
  for (const id of ids) {
    const expected = live.has(id) ? 'redeemed' : 'active';
    assert.equal(states.get(id), expected, `voucher ${id} has ${live.get(id) ?? 0} live orders`);
    assert.ok((live.get(id) ?? 0) <= 1, `voucher ${id} has ${live.get(id)} live orders`);
  }
}
