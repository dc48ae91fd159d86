/*
 * Redeeming against expiring against canceling, at two instances of each service: whoever is first, a
 * voucher is redeemed at most once at a time, and never by an order that is over.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit } from '../support/audit.js';
import { openInspector } from '../support/database.js';
import { Random, runSeed } from '../support/random.js';
import { newKey, order } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';
import { earnVouchers } from '../support/wallet.js';

const ROUNDS = Number(process.env.TEST_VOUCHER_RACES ?? 200);
const AT_ONCE = 20;
const EXPIRY_S = 1;

const stack = await startStack({ ORDER_EXPIRY_S: String(EXPIRY_S), CHECKOUT_INSTANCES: '2' });
after(() => stack.stop());

/* Each wish goes to another instance than the one before. */
const shop = stack.shop();
const shops = [shop, stack.shop(stack.urlOf('order-service-1'))];
const tills = [stack.vouchers(), stack.shop(stack.urlOf('voucher-service-1'))];
let turn = 0;
const another = (instances) => instances[turn++ % instances.length];

const database = await openInspector(stack, 'vouchers');
after(() => database.close());

const seed = runSeed();

/** What may become of a wish for a voucher; anything else is a bug. */
const EXPECTED = /voucher_(reserved|redeemed)|illegal_transition|version_conflict/;

function expectFair(answer) {
  if (answer.status < 300 || answer.status === 503) return answer;
  assert.equal(answer.status, 409, answer.text);
  assert.match(answer.text, EXPECTED);
  return answer;
}

const spend = (code) =>
  another(shops)
    .post('/v1/orders', order({ voucher_code: code }), { key: newKey() })
    .then(expectFair);

const redeem = (code) =>
  another(tills)
    .post(`/v1/vouchers/${code}/redemptions`, { reference: 'till' }, { key: newKey() })
    .then(expectFair);

/**
 * A prepaid order has the voucher and expires in a second. At about that moment it is canceled,
 * another order wants the voucher, and so does a till.
 */
async function race(voucher, random) {
  const first = await spend(voucher.code);
  assert.equal(first.status, 201, first.text);
  const { id, expires_at: end } = first.json;
  const at = Date.parse(end) + random.between(-60, 160);
  await waitFor('the moment', () => Date.now() >= at, { every: 1 });
  const cancel = () =>
    random.chance(0.7) &&
    another(shops).patch(`/v1/orders/${id}`, { status: 'canceled' }).then(expectFair);
  const wishes = [cancel, () => spend(voucher.code), () => redeem(voucher.code)];
  await Promise.all(random.chance(0.5) ? wishes.map((wish) => wish()) : await inTurn(wishes));
  return id;
}

async function inTurn(wishes) {
  for (const wish of wishes) await wish();
  return [];
}

test(`redeem against expire against cancel, ${ROUNDS} rounds: a voucher has one owner at a time (seed ${seed})`, async (t) => {
  const random = new Random(`voucher races ${seed}`);
  const wallet = await earnVouchers(stack, ROUNDS);
  const ends = new Map();
  for (let from = 0; from < ROUNDS; from += AT_ONCE) {
    const ids = await Promise.all(
      wallet.slice(from, from + AT_ONCE).map((voucher) => race(voucher, random)),
    );
    for (const id of ids) {
      const { status } = await waitFor(`order ${id} to be over`, async (seen) => {
        const found = await shop.order(id);
        seen(found.status);
        return found.status !== 'pending' ? found : undefined;
      });
      ends.set(status, (ends.get(status) ?? 0) + 1);
    }
  }
  t.diagnostic(`first orders ended ${JSON.stringify([...ends])}`);
  assert.ok(ends.get('canceled') > 0 && ends.get('expired') > 0, 'both ways were taken');
  await waitFor(
    'nothing to be reserved',
    async () =>
      Number(await database.value(`SELECT count(*) FROM vouchers WHERE status = 'reserved'`)) === 0,
  );
  await expectCleanAudit(stack);
});
