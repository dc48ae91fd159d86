/*
 * Sentences: what an event or an attempt says, for people.
 */
import { money } from './money.js';

const sum = ({ amount, currency }) => money(amount, currency);

function card({ payment_method: method }) {
  return method?.card ? `${method.card.brand} ${method.card.number?.slice(-4) ?? method.card.last4}` : 'bank transfer';
}

function why({ failure }) {
  return failure ? [failure.code, failure.decline_code].filter(Boolean).join(', ').replaceAll('_', ' ') : null;
}

const sentences = {
  'order.created': (order) => ['Order created', `${money(order.total_amount, order.currency)} for ${order.customer.id}`],
  'order.updated': (order) => ['Order updated', `payment ${order.payment_status.replaceAll('_', ' ')}`],
  'order.paid': (order) => ['Order paid', money(order.amount_due, order.currency)],
  'order.sent': (order) => ['Order sent', money(order.total_amount, order.currency)],
  'order.delivered': () => ['Order delivered'],
  'order.returned': () => ['Order returned'],
  'order.canceled': () => ['Order canceled', 'what was paid goes back'],
  'order.expired': () => ['Order expired', 'nobody paid it in time'],
  'payment.processing': (payment) => ['Payment begun', `${sum(payment)}, ${card(payment)}`],
  'payment.requires_action': () => ['The bank asks its customer', '3-D Secure'],
  'payment.authorized': (payment) => ['Payment authorized', `${sum(payment)} held at ${payment.gateway}`],
  'payment.succeeded': (payment) => ['Payment succeeded', `${money(payment.amount_captured, payment.currency)} at ${payment.gateway}`],
  'payment.failed': (payment) => ['Payment failed', why(payment)],
  'payment.canceled': () => ['Payment canceled'],
  'payment.expired': () => ['Payment expired'],
  'payment.orphaned': () => ['Payment of an order that is over', 'it is given back'],
  'payment.updated': (payment) => ['Payment updated', `${money(payment.amount_refunded, payment.currency)} given back`],
  'refund.created': (refund) => ['Refund begun', `${sum(refund)}: ${refund.reason}`],
  'refund.succeeded': (refund) => ['Refund succeeded', sum(refund)],
  'refund.failed': (refund) => ['Refund failed', why(refund)],
  'voucher.issued': (voucher) => ['Voucher issued', `${money(voucher.value_amount, voucher.currency)} for ${voucher.customer_id}`],
  'voucher.reserved': (voucher) => ['Voucher reserved', voucher.code],
  'voucher.released': (voucher) => ['Voucher released', voucher.code],
  'voucher.redeemed': (voucher) => ['Voucher redeemed', voucher.code],
  'voucher.rolled_back': (voucher) => ['Voucher given back', voucher.code],
  'voucher.expired': (voucher) => ['Voucher expired', voucher.code],
  'voucher.voided': (voucher) => ['Voucher voided', voucher.code],
};

/* An attempt is named after what the bank was asked for. */
const operations = { authorize: 'Authorization', transfer: 'Bank transfer', capture: 'Capture', void: 'Void', refund: 'Refund' };

/** [what happened, more about it] of an event's type and data. What is not known yet says its type. */
export function sentence(type, data) {
  if (type === 'payment.attempt') {
    return [`${operations[data.operation] ?? data.operation} at ${data.gateway}: ${data.status}`, why(data)];
  }
  const [what, more = null] = sentences[type]?.(data) ?? [type];
  return [what, more];
}

/* Why a gateway was passed over, as the circuit breaker and the configuration decided. */
const reasons = {
  circuit_open: 'its circuit breaker is open',
  currency: 'it does not take the currency',
  amount: 'it does not take the amount',
  method: 'it does not take the method',
};

export function passedOver({ gateway, reason }) {
  return `${gateway} was passed over: ${reasons[reason] ?? reason}`;
}

/** Whether it is bad news: `bad`, `wait` while there may be better, or null. */
export function toneOf(type, { status }) {
  if (type === 'payment.attempt') return status === 'approved' ? null : 'wait';
  return /failed|orphaned|canceled|expired|voided/.test(type) ? 'bad' : null;
}
