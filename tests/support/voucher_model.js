/*
 * Vouchers as the design has them: earned by orders that are sent, held, redeemed, given back, ended.
 *
 * The model answers as expected.js says and moves on as if the service had agreed. What follows an
 * order's event is done at once here; whoever plays both waits for the service to have done it.
 */
import { invalid, refused } from './expected.js';

/* The one rule: what an order in EUR earns of strictly more than 100. */
const RULE = { currency: 'EUR', above: 10000, value: 500 };

/* The states of the design, and what leads from one to another. */
export const VOUCHER_MOVES = [
  { how: 'reserve', from: 'active', to: 'reserved' },
  { how: 'release', from: 'reserved', to: 'active' },
  { how: 'redeem', from: 'active', to: 'redeemed' },
  { how: 'redeem', from: 'reserved', to: 'redeemed' },
  { how: 'roll back', from: 'redeemed', to: 'active' },
  { how: 'expire', from: 'active', to: 'expired' },
  { how: 'void', from: 'active', to: 'voided' },
];

const EVENTS = {
  reserve: 'reserved',
  release: 'released',
  redeem: 'redeemed',
  'roll back': 'rolled_back',
  expire: 'expired',
  void: 'voided',
};

/** What an order takes of a voucher; the rest of it is forfeited. */
export function discountOf({ id, value_amount: value }, total) {
  const taken = Math.min(value, total);
  return { id, value_amount: value, discount_amount: taken, forfeited_amount: value - taken };
}

export class VoucherModel {
  vouchers = [];

  /** An order was sent: the voucher that it earns, if it earns one. */
  sent(order) {
    if (order.currency !== RULE.currency || order.total <= RULE.above) return undefined;
    const voucher = { earner: order, value_amount: RULE.value, currency: RULE.currency, status: 'active', events: ['issued'] };
    this.vouchers.push(voucher);
    return voucher;
  }

  /** Why nobody, or this holder, may have the voucher; undefined if it is free. */
  refuseUse({ status, holder }, wisher) {
    if (status === 'active' || (status === 'reserved' && holder === wisher)) return undefined;
    return refused(409, `voucher_${status}`);
  }

  /** POST /v1/orders with the voucher's code (undefined: a code that nobody has): reserved, then redeemed. */
  spend(voucher, { total, currency }) {
    if (!voucher) return invalid('/voucher_code');
    const unfit = this.refuseUse(voucher) ?? this.refuseCurrency(voucher, currency);
    if (unfit) return unfit;
    const order = { total, currency, status: 'pending', voucher };
    this.move(voucher, 'reserve');
    this.move(voucher, 'redeem', { order });
    const discount = discountOf(voucher, total);
    const body = { total_amount: total, amount_due: total - discount.discount_amount };
    return { status: 201, order, body, parts: { voucher: discount } };
  }

  /** Before it was redeemed its holder has held it once more. */
  heldLonger(voucher) {
    voucher.events.splice(-1, 0, EVENTS.reserve);
  }

  refuseCurrency({ currency }, wanted) {
    return currency === wanted ? undefined : refused(422, 'voucher_currency_mismatch');
  }

  /**
   * POST .../reserve; its holder holds it for longer, which is a change as well. Once its time is over a
   * reservation still stands, and is not made longer.
   */
  reserve(voucher, holder) {
    const unfit = this.refuseUse(voucher, holder);
    if (unfit) return unfit;
    if (voucher.over) return refused(409, 'voucher_expired');
    this.move(voucher, 'reserve', { holder });
    return this.answer(200, voucher);
  }

  /** POST .../release: whoever holds nothing has nothing to give back. */
  release(voucher, holder) {
    const { status } = voucher;
    if (status === 'redeemed' || (status === 'reserved' && voucher.holder !== holder)) {
      return refused(409, `voucher_${status}`);
    }
    if (status === 'reserved') this.giveBack(voucher, 'release');
    return this.answer(200, voucher);
  }

  /** POST .../redemptions under a reference of the merchant's own. */
  redeem(voucher, holder) {
    const unfit = this.refuseUse(voucher, holder);
    if (unfit) return unfit;
    this.move(voucher, 'redeem');
    return this.answer(201, voucher);
  }

  /** POST /v1/redemptions/{id}/rollback of the newest redemption that was seen; what is rolled back stays so. */
  rollBack(voucher) {
    if (voucher.status === 'redeemed' && voucher.order) return refused(409, 'redemption_of_order');
    if (voucher.status === 'redeemed') this.giveBack(voucher, 'roll back');
    return this.answer(200, voucher);
  }

  /** ... of one before it, which is rolled back already: nothing changes, whoever has the voucher now. */
  rollBackAgain(voucher) {
    return this.answer(200, voucher);
  }

  /** An order has come to something: canceled or expired it gives its voucher back. */
  ended(order, status) {
    order.status = status;
    const { voucher } = order;
    if (voucher?.order === order && ['canceled', 'expired'].includes(status)) this.giveBack(voucher, 'roll back');
  }

  /** The order that earned it is returned: the voucher ends now, or when it comes back. */
  undone(voucher) {
    voucher.earner.status = 'returned';
    if (voucher.status === 'active') this.move(voucher, 'void');
    else voucher.undone = true;
  }

  /** Its time is over: it ends now, or when it comes back. */
  timeIsOver(voucher) {
    voucher.over = true;
    if (voucher.status === 'active') this.move(voucher, 'expire');
  }

  /** POST .../void by an operator. */
  end(voucher) {
    if (!['active', 'voided'].includes(voucher.status)) {
      return refused(409, 'illegal_transition', { from: voucher.status, to: 'voided', allowed: goalsOf(voucher) });
    }
    if (voucher.status === 'active') this.move(voucher, 'void');
    return this.answer(200, voucher);
  }

  /** What is in use no longer is active again, unless it has ended meanwhile. */
  giveBack(voucher, how) {
    const ends = (voucher.undone && 'voided') || (voucher.over && 'expired');
    if (!ends) {
      this.move(voucher, how);
      return;
    }
    Object.assign(voucher, { status: ends, holder: undefined, order: undefined });
    voucher.events.push(ends);
  }

  /** One move of the table; `use` is who has it from now on. */
  move(voucher, how, { holder, order } = {}) {
    const again = how === 'reserve' && voucher.status === 'reserved';
    const found = VOUCHER_MOVES.find((move) => move.how === how && move.from === voucher.status);
    if (!found && !again) throw new Error(`the model has no way to ${how} what is ${voucher.status}`);
    Object.assign(voucher, { status: found?.to ?? 'reserved', holder, order });
    voucher.events.push(EVENTS[how]);
  }

  answer(status, voucher) {
    return { status, voucher, version: voucher.events.length, body: shownOf(voucher) };
  }
}

/** What a voucher shows of itself. */
export const shownOf = (voucher) => ({
  status: voucher.status,
  version: voucher.events.length,
  value_amount: voucher.value_amount,
  currency: voucher.currency,
  order_id: voucher.earner.id,
});

/** What could become of it by anything. */
function goalsOf({ status }) {
  const after = { reserved: ['active', 'redeemed', 'expired', 'voided'], redeemed: ['active', 'expired', 'voided'] };
  return after[status] ?? [];
}
