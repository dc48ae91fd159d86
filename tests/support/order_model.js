/*
 * Orders as the design has them: what each request is answered with, and what becomes of the order.
 *
 * A request is { caller: { merchant, scopes }, key, ... } with what is asked for; the model answers as
 * expected.js says and moves on as if the service had agreed. Of two refusals the first counts: who
 * asks, what can be seen wrong in the request alone, whether there is such an order, what the key
 * stands for, If-Match, and then the order's state.
 */
import { invalid, NOT_FOUND, refuseCaller, refused } from './expected.js';
import { KeyModel } from './key_model.js';
import { discountOf } from './voucher_model.js';

/* The table of the design, row by row: who moves an order, and which. */
export const ORDER_MOVES = [
  { from: 'pending', to: 'paid', by: 'payments' },
  { from: 'pending', to: 'sent', by: 'merchant', only: 'invoice' },
  { from: 'paid', to: 'sent', by: 'merchant' },
  { from: 'pending', to: 'canceled', by: 'merchant' },
  { from: 'paid', to: 'canceled', by: 'merchant' },
  { from: 'pending', to: 'expired', by: 'time', only: 'prepaid' },
  { from: 'sent', to: 'delivered', by: 'merchant' },
  { from: 'sent', to: 'returned', by: 'merchant' },
  { from: 'delivered', to: 'returned', by: 'merchant' },
];

/** Where an order may be moved by whom, now. */
export function movesOf({ status, terms }, by = 'merchant') {
  const fits = (move) => move.from === status && move.by === by && (move.only ?? terms) === terms;
  return ORDER_MOVES.filter(fits).map(({ to }) => to);
}

/* What a merchant may ask for at all, and the scope that it takes. */
const REQUESTABLE = {
  sent: 'orders:fulfil',
  delivered: 'orders:fulfil',
  returned: 'orders:fulfil',
  canceled: 'orders:write',
};

/** What an order shows of itself. */
export const shownOf = (order) => ({
  merchant_id: order.merchant,
  status: order.status,
  payment_status: order.payment_status,
  payment_terms: order.terms,
  version: order.version,
  customer: { id: order.customer, email: null },
  currency: order.currency,
  total_amount: order.total,
  amount_due: order.due,
  metadata: { ...order.metadata },
  ...(order.discount ? {} : { voucher: null }),
});

export class OrderModel {
  keys = new KeyModel();
  orders = [];

  /** POST /v1/orders with `body`; `voucher` is the one that its code names, and who has it: `usedBy`. */
  create({ caller, body, key, voucher }) {
    const total = body.lines.reduce((sum, line) => sum + line.quantity * line.unit_amount, 0);
    const wrong = refuseCaller(caller, 'orders:write');
    if (wrong) return wrong;
    if ((body.total_amount ?? total) !== total) return invalid('/total_amount');
    const known =
      (voucher && refuseCaller(caller, 'vouchers:write')) ??
      this.repeated(`${caller.merchant} create`, key, body) ??
      (voucher && refuseVoucher(voucher, caller, body.currency));
    if (known) return known;
    const order = newOrder(caller, body, total, voucher);
    this.orders.push(order);
    return this.keys.keep(`${caller.merchant} create`, key, body, this.answer(201, order));
  }

  /** PATCH of an order (undefined: an id that there is not) with { status?, metadata? }. */
  change({ caller, order, body, key, ifMatch }) {
    const wrong = refuseChange(caller, body);
    if (wrong) return wrong;
    if (!order || order.merchant !== caller.merchant) return NOT_FOUND;
    const scope = `change ${this.orders.indexOf(order)}`;
    const known = this.repeated(scope, key, body);
    if (known) return known;
    if (ifMatch !== undefined && ifMatch !== order.version) return refused(412, 'version_stale');
    const { status: to, metadata } = body;
    const moves = to !== undefined && to !== order.status;
    if (moves && !movesOf(order).includes(to)) {
      const says = { from: order.status, to, allowed: movesOf(order) };
      return refused(409, 'illegal_transition', says);
    }
    const edits = metadata !== undefined && merge(order, metadata);
    if (moves) this.move(order, to);
    else if (edits) happen(order, 'order.updated');
    return this.keys.keep(scope, key, body, this.answer(200, order));
  }

  /** GET of an order. */
  read({ caller, order }) {
    const wrong = refuseCaller(caller, 'orders:read');
    if (wrong) return wrong;
    return order?.merchant === caller.merchant ? this.answer(200, order) : NOT_FOUND;
  }

  /** Those of a customer, newest first. */
  list({ caller, customer, status }) {
    const fits = (order) =>
      order.merchant === caller.merchant &&
      order.customer === customer &&
      order.status === (status ?? order.status);
    return refuseCaller(caller, 'orders:read') ?? { status: 200, orders: this.orders.filter(fits).reverse() };
  }

  move(order, to) {
    order.status = to;
    happen(order, `order.${to}`);
    if (order.voucher && ['canceled', 'expired'].includes(to)) order.voucher.usedBy = undefined;
  }

  answer(status, order) {
    const parts = order.discount ? { voucher: order.discount } : {};
    return { status, order, version: order.version, body: shownOf(order), parts };
  }

  /** A repeat is answered with the bytes that its request was answered with. */
  repeated(scope, key, body) {
    const known = this.keys.find(scope, key, body);
    if (!known?.kept) return known;
    const { status, order, version, text } = known.kept;
    return { status, order, version, text, replayed: true };
  }
}

function refuseChange(caller, { status, metadata }) {
  const wrong = refuseCaller(caller, 'orders:write', 'orders:fulfil');
  if (wrong) return wrong;
  if (status === undefined && metadata === undefined) return invalid('');
  if (status !== undefined && !(status in REQUESTABLE)) return invalid('/status');
  return (
    (status && refuseCaller(caller, REQUESTABLE[status])) ??
    (metadata && refuseCaller(caller, 'orders:write')) ??
    undefined
  );
}

function refuseVoucher({ usedBy, merchant_id: owner, currency }, { merchant }, wanted) {
  if (owner !== merchant) return invalid('/voucher_code');
  if (usedBy) return refused(409, ['voucher_reserved', 'voucher_redeemed']);
  return currency === wanted ? undefined : refused(422, 'voucher_currency_mismatch');
}

function newOrder({ merchant }, body, total, voucher) {
  const discount = voucher && discountOf(voucher, total);
  const order = {
    merchant,
    status: 'pending',
    version: 0,
    terms: body.payment_terms ?? 'prepaid',
    customer: body.customer.id,
    currency: body.currency,
    total,
    due: total - (discount?.discount_amount ?? 0),
    metadata: {},
    voucher,
    discount,
    events: [],
  };
  if (voucher) voucher.usedBy = order;
  order.payment_status = order.due === 0 ? 'paid' : 'unpaid';
  happen(order, 'order.created');
  if (order.due === 0 && order.terms === 'prepaid') {
    order.status = 'paid';
    happen(order, 'order.paid');
  }
  return order;
}

/** Every change has one event and one version. */
function happen(order, event) {
  order.version++;
  order.events.push(event);
}

/** Merges the pairs, of which null removes one; whether anything became different. */
function merge(order, pairs) {
  const before = JSON.stringify(order.metadata);
  for (const [name, value] of Object.entries(pairs)) {
    if (value === null) delete order.metadata[name];
    else order.metadata[name] = value;
  }
  return JSON.stringify(order.metadata) !== before;
}
