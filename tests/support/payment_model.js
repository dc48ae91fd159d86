/*
 * Payments and refunds as the design has them: what each request is answered with, and what becomes of
 * the payment, its order and the money.
 *
 * A request is { caller: { merchant, scopes }, key, ... } with what is asked for; the model answers as
 * expected.js says and moves on as if the service had agreed. Of two refusals the first counts: who
 * asks, what can be seen wrong in the request alone, what the key stands for, whether there is such a
 * payment or order, and then its state.
 */
import { invalid, NOT_FOUND, refuseCaller, refused } from './expected.js';
import { KeyModel } from './key_model.js';
import { movesOf } from './order_model.js';

/* The table of the design, as far as it can be asked for: what is done, from where to where. */
export const PAYMENT_MOVES = [
  { how: 'capture', from: 'authorized', to: 'succeeded' },
  { how: 'cancel', from: 'authorized', to: 'canceled' },
  { how: 'cancel', from: 'requires_action', to: 'canceled' },
  { how: 'cancel', from: 'processing', to: 'canceled', only: 'bank_transfer' },
];

/* What a bank makes of each card, as the simulated one publishes it. */
export const CARDS = {
  approved: { number: '4242424242424242', outcome: 'approved' },
  declined: {
    number: '4000000000009995',
    outcome: 'declined',
    failure: { code: 'card_declined', decline_code: 'insufficient_funds' },
  },
  expired: { number: '4000000000000069', outcome: 'declined', failure: { code: 'expired_card', decline_code: null } },
  challenged: { number: '4000002760003184', outcome: 'challenged' },
};

const NOT_AUTHENTICATED = { code: 'authentication_failed', decline_code: null };

const OPEN = ['processing', 'requires_action', 'authorized'];

const sum = (list, number) => list.reduce((total, each) => total + number(each), 0);

/** What a payment shows of itself. */
export const shownOf = (payment) => ({
  merchant_id: payment.merchant,
  status: payment.status,
  version: payment.events.length,
  order_id: payment.order?.id ?? null,
  amount: payment.amount,
  currency: payment.currency,
  amount_captured: payment.captured,
  amount_refunded: payment.refunded,
  refund_status: payment.refunded === 0 ? 'none' : payment.refunded < payment.captured ? 'partial' : 'full',
  failure: payment.failure ?? null,
  orphaned: false,
});

/** Captured and not given back. */
const leftOf = ({ captured, refunded }) => captured - refunded;

/** Where a payment may be brought by what is asked for. */
const goalOf = ({ status, method }, how) =>
  PAYMENT_MOVES.find((move) => move.how === how && move.from === status && (move.only ?? method) === method)?.to;

/** Where it may be brought by anything: what a refusal tells. */
const goalsOf = (payment) => ['capture', 'cancel'].map((how) => goalOf(payment, how)).filter(Boolean);

export class PaymentModel {
  keys = new KeyModel();
  orders = [];
  payments = [];
  refunds = [];

  /** An order that is there: { id, merchant, terms, due }. */
  addOrder(made) {
    const order = { status: 'pending', payment_status: made.due === 0 ? 'paid' : 'unpaid', ...made };
    if (order.due === 0 && order.terms === 'prepaid') order.status = 'paid';
    this.orders.push(order);
    return order;
  }

  /** POST /v1/payments of an order (undefined: an amount alone), with `card` or by transfer. */
  pay(request) {
    const { caller, body, key, card } = request;
    const wrong = this.refusePayment(request);
    if (wrong) return wrong;
    const known = this.repeated(`${caller.merchant} pay`, key, body);
    if (known) return known;
    const unfit = body.order_id && refuseClaim(request, this.paymentsOf(request.order));
    if (unfit) return unfit;
    const payment = this.begin(request);
    if (card) this.bankSays(payment, card);
    return this.keys.keep(`${caller.merchant} pay`, key, body, this.answer(201, { payment }));
  }

  refusePayment({ caller, body, key }) {
    const wrong = refuseAction(caller, key, 'payments:write');
    if (wrong) return wrong;
    const pointers = [];
    if (body.amount === 0 || (body.amount === undefined && !body.order_id)) pointers.push('/amount');
    if (body.capture_method === 'manual' && body.payment_method.type === 'bank_transfer') {
      pointers.push('/capture_method');
    }
    return pointers.length > 0 ? invalid(...pointers) : undefined;
  }

  begin({ caller, body, order, card }) {
    const payment = {
      merchant: caller.merchant,
      order: body.order_id ? order : undefined,
      status: 'processing',
      method: body.payment_method.type,
      manual: body.capture_method === 'manual',
      amount: body.amount ?? order.due - paidOf(this.paymentsOf(order)),
      currency: body.currency ?? 'EUR',
      captured: 0,
      refunded: 0,
      events: ['payment.processing'],
      number: card && `************${card.number.slice(-4)}`,
    };
    this.payments.push(payment);
    return payment;
  }

  /** The bank's answer to the authorization. */
  bankSays(payment, { outcome, failure }) {
    if (outcome === 'challenged') return this.move(payment, 'requires_action');
    if (outcome === 'declined') {
      payment.failure = failure;
      return this.move(payment, 'failed');
    }
    if (!payment.manual) payment.captured = payment.amount;
    return this.move(payment, payment.manual ? 'authorized' : 'succeeded');
  }

  /** The customer passes or fails the challenge. */
  challenge(payment, outcome) {
    const declined = { outcome: 'declined', failure: NOT_AUTHENTICATED };
    this.bankSays(payment, outcome === 'pass' ? { outcome: 'approved' } : declined);
  }

  /** POST .../capture and .../cancel of a payment (undefined: an id that there is not). */
  act({ caller, payment, how, body, key }) {
    const wrong =
      refuseAction(caller, key, 'payments:write') ?? (body.amount === 0 ? invalid('/amount') : undefined);
    if (wrong) return wrong;
    if (payment?.merchant !== caller.merchant) return NOT_FOUND;
    const scope = `${how} ${this.payments.indexOf(payment)}`;
    const known = this.repeated(scope, key, body);
    if (known) return known;
    const goal = goalOf(payment, how);
    const already = how === 'cancel' && payment.status === 'canceled';
    if (!goal && !already) {
      const to = how === 'capture' ? 'succeeded' : 'canceled';
      return refused(409, 'illegal_transition', { from: payment.status, to, allowed: goalsOf(payment) });
    }
    if (body.amount > payment.amount) return invalid('/amount');
    if (how === 'capture') payment.captured = body.amount ?? payment.amount;
    if (!already) this.move(payment, goal);
    return this.keys.keep(scope, key, body, this.answer(200, { payment }));
  }

  /** POST .../refunds. */
  refund({ caller, payment, body, key }) {
    const wrong = refuseAction(caller, key, 'refunds:write') ?? (body.amount === 0 ? invalid('/amount') : undefined);
    if (wrong) return wrong;
    if (payment?.merchant !== caller.merchant) return NOT_FOUND;
    const scope = `refund ${this.payments.indexOf(payment)}`;
    const unfit = this.repeated(scope, key, body) ?? refuseRefund(payment, body.amount);
    if (unfit) return unfit;
    const refund = this.giveBack(payment, body.amount ?? leftOf(payment), 'requested_by_customer');
    return this.keys.keep(scope, key, body, this.answer(201, { refund }));
  }

  giveBack(payment, amount, reason) {
    const refund = { payment, amount, reason, status: 'succeeded' };
    this.refunds.push(refund);
    payment.refunded += amount;
    this.happen(payment, 'payment.updated');
    return refund;
  }

  /** PATCH of an order: whether it is a move that the design has; all that was paid goes back by itself. */
  moveOrder(order, to) {
    if (!movesOf(order).includes(to)) return false;
    order.status = to;
    if (!['canceled', 'returned'].includes(to)) return true;
    order.closed = true;
    for (const payment of this.paymentsOf(order)) {
      if (OPEN.includes(payment.status)) this.move(payment, 'canceled');
      else if (leftOf(payment) > 0) this.giveBack(payment, leftOf(payment), 'order_ended');
    }
    return true;
  }

  paymentsOf(order) {
    return this.payments.filter((payment) => order && payment.order === order);
  }

  refundsOf(payment) {
    return this.refunds.filter((refund) => refund.payment === payment);
  }

  move(payment, to) {
    payment.status = to;
    this.happen(payment, `payment.${to}`);
  }

  happen(payment, event) {
    payment.events.push(event);
    if (payment.order) follow(payment.order, this.paymentsOf(payment.order));
  }

  /** GET of a payment. */
  read({ caller, payment }) {
    const wrong = refuseCaller(caller, 'payments:read');
    if (wrong) return wrong;
    return payment?.merchant === caller.merchant ? this.answer(200, { payment }) : NOT_FOUND;
  }

  /** A payment, or a refund, as it is now; while a bank is awaited the status is 202. */
  answer(status, { payment, refund }) {
    if (refund) {
      const { amount, reason } = refund;
      const body = { merchant_id: refund.payment.merchant, amount, reason, status: 'succeeded', failure: null };
      return { status, refund, version: 2, body: { ...body, payment_id: refund.payment.id } };
    }
    const waits = payment.status === 'processing' && status !== 200;
    const body = shownOf(payment);
    const parts = payment.number ? { payment_method: { type: 'card' } } : { payment_method: { type: 'bank_transfer' } };
    return { status: waits ? 202 : status, payment, version: body.version, body, parts };
  }

  /** Where a bank is in between, a repeat is answered with what has become of it. */
  repeated(scope, key, body) {
    const known = this.keys.find(scope, key, body);
    if (!known?.kept) return known;
    const { payment, refund } = known.kept;
    const status = refund || scope.endsWith(' pay') ? 201 : 200;
    return { ...this.answer(status, { payment, refund }), replayed: true };
  }
}

/* --- refusals --------------------------------------------------------------------------------- */

function refuseAction(caller, key, scope) {
  const wrong = refuseCaller(caller, scope);
  return wrong ?? (key ? undefined : refused(400, 'idempotency_key_missing'));
}

/** What is unresolved, authorized or succeeded of an order is reserved; nobody may pay more than is due. */
function refuseClaim({ caller, order, body }, payments) {
  if (order?.merchant !== caller.merchant) return refused(404, 'order_not_found');
  const unpaid = order.due - paidOf(payments);
  const amount = body.amount ?? unpaid;
  if (body.currency && body.currency !== 'EUR') return invalid('/currency');
  if (order.closed) return refused(409, 'order_not_payable');
  if (unpaid === 0) return refused(409, 'order_already_paid');
  if (amount > unpaid) return invalid('/amount');
  return amount > unpaid - heldOf(payments) ? refused(409, 'payment_in_progress') : undefined;
}

const paidOf = (payments) =>
  sum(payments, ({ status, captured }) => (status === 'succeeded' ? captured : 0));

const heldOf = (payments) => sum(payments, ({ status, amount }) => (OPEN.includes(status) ? amount : 0));

function refuseRefund(payment, amount) {
  if (payment.captured === 0) return refused(409, 'payment_not_refundable');
  if (leftOf(payment) === 0) return refused(409, 'payment_refunded');
  if (amount > payment.captured) return invalid('/amount');
  return amount > leftOf(payment) ? refused(409, 'payment_refunded') : undefined;
}

/* --- what an order makes of its payments ------------------------------------------------------- */

/** The order's payment status, and that it is paid when what succeeded covers what is due. */
function follow(order, payments) {
  const captured = sum(payments, (payment) => payment.captured);
  const refunded = sum(payments, (payment) => payment.refunded);
  const authorized = payments.some(({ status }) => status === 'authorized');
  order.payment_status = paymentStatusOf(order.due, { captured, refunded, authorized });
  const covered = captured > 0 && captured >= order.due && refunded < captured;
  if (covered && order.status === 'pending') order.status = 'paid';
}

function paymentStatusOf(due, { captured, refunded, authorized }) {
  if (due === 0 && captured === 0) return 'paid';
  if (captured > 0 && refunded >= captured) return 'refunded';
  if (refunded > 0) return 'partially_refunded';
  if (captured >= due) return 'paid';
  if (captured > 0) return 'partially_paid';
  return authorized ? 'authorized' : 'unpaid';
}
