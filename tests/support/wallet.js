/*
 * A wallet: vouchers that a merchant has earned, with their codes, to be spent by a test.
 */
import { expectStatus, invoice } from './shop.js';
import { waitFor } from './wait.js';

/** Earns that many vouchers of EUR 5 and returns them with their whole codes. */
export async function earnVouchers(stack, count, { shop = stack.shop(), cents = 10001 } = {}) {
  const vouchers = shop.at(stack.env.VOUCHER_URL);
  const orders = await Promise.all(Array.from({ length: count }, () => shop.sendOrder(cents)));
  return Promise.all(orders.map(({ id }) => earnedBy(vouchers, id)));
}

/** The voucher that an order has earned, as soon as it is there, with its whole code. */
export async function earnedBy(vouchers, orderId) {
  const listed = await waitFor(`the voucher of order ${orderId}`, async (seen) => {
    const answer = await vouchers.get(`/v1/vouchers?order_id=${orderId}`);
    seen(answer.text);
    return answer.json.data[0];
  });
  return readVoucher(vouchers, listed.id);
}

/** A voucher as it is, by id or code. */
export async function readVoucher(vouchers, idOrCode) {
  return expectStatus(await vouchers.get(`/v1/vouchers/${encodeURIComponent(idOrCode)}`), 200).json;
}

/** Waits until the voucher has that status, and returns it. */
export function untilVoucher(vouchers, id, status, options) {
  return waitFor(
    `voucher ${id} to be ${status}`,
    async (seen) => {
      const voucher = await readVoucher(vouchers, id);
      seen(voucher);
      return voucher.status === status ? voucher : undefined;
    },
    options,
  );
}
