/*
 * Payments: each with its attempts and refunds, and a way to give the money back.
 */
import { newKey } from './api.js';
import { confirmed } from './dialog.js';
import { element, field, show } from './element.js';
import { decimal, minorUnits, money } from './money.js';
import { moment } from './moment.js';
import { problemNote } from './problem.js';
import { passedOver } from './sentence.js';
import { empty, fill } from './state.js';
import { status } from './status.js';
import { facts, idLink, list, table } from './table.js';

const STATUSES = ['processing', 'requires_action', 'authorized', 'succeeded', 'failed', 'canceled', 'expired'];

const columns = [
  { title: 'Payment', cell: ({ id }) => idLink('payments', id) },
  { title: 'Created', cell: ({ created_at }) => moment(created_at), wide: true },
  { title: 'Method', cell: methodOf, wide: true },
  { title: 'Gateway', cell: ({ gateway }) => gateway ?? '', wide: true },
  { title: 'Status', cell: (payment) => status(payment.status) },
  { title: 'Amount', cell: (payment) => money(payment.amount, payment.currency), end: true },
];

function methodOf({ payment_method: { type, card } }) {
  return card ? `${card.brand} ${card.last4}` : type.replaceAll('_', ' ');
}

export async function open({ main, caller, signal, rest: [id], title }) {
  if (id && id !== 'status') return openOne({ main, caller, signal, id });
  const place = element('div', {});
  const choice = element('select', { onchange: () => fetchList() }, element('option', { value: '' }, 'all of them'),
                         STATUSES.map((each) => element('option', { value: each }, each.replaceAll('_', ' '))));
  const fetchList = () => {
    const only = choice.value;
    show(place);
    return list(place, { api: caller.api, what: 'payments', path: '/v1/payments', query: { status: only }, columns, signal,
                         nothing: empty(only ? `No payment is ${only.replaceAll('_', ' ')}` : 'There are no payments yet',
                                        ['Pay an order in the ', element('a', { href: '#/shop' }, 'shop'), '.']) });
  };
  show(main, element('h1', {}, title), element('div', { class: 'search' }, field('Which', choice)), place);
  await fetchList();
}

async function openOne({ main, caller, signal, id }) {
  const about = element('div', {});
  show(main, element('p', { class: 'back' }, element('a', { href: '#/payments' }, 'Payments')), element('h1', {}, 'Payment'), about);
  await fill(about, 'the payment', signal, async () => {
    const { api } = caller;
    const path = `/v1/payments/${encodeURIComponent(id)}`;
    const payment = await api.get(path, {}, signal);
    const [attempts, refunds] = await Promise.all([
      api.get(`${path}/attempts`, {}, signal), api.get('/v1/refunds', { payment_id: payment.id, limit: 100 }, signal),
    ]);
    return [aboutPayment(payment, caller), refundPart(payment, caller, () => openOne({ main, caller, signal, id })),
            element('h2', {}, 'Attempts'), attemptTable(attempts.data),
            refunds.data.length > 0 && [element('h2', {}, 'Refunds'), refundTable(refunds.data)]];
  });
}

function aboutPayment(payment, caller) {
  const sum = (amount) => money(amount, payment.currency);
  const { failure } = payment;
  return facts(['Status', [status(payment.status), payment.dispute_status !== 'none' && [' ', status(`dispute_${payment.dispute_status}`, 'bad')]]],
               ['Why', failure && [failure.code, failure.decline_code].filter(Boolean).join(', ').replaceAll('_', ' ')],
               ['Amount', sum(payment.amount)], ['Captured', sum(payment.amount_captured)],
               ['Given back', payment.amount_refunded > 0 ? sum(payment.amount_refunded) : null],
               ['Method', methodOf(payment)], ['Gateway', payment.gateway],
               ['Order', payment.order_id && idLink('orders', payment.order_id)],
               ['Merchant', caller.isOfEveryMerchant ? payment.merchant_id : null], ['Id', element('code', {}, payment.id)]);
}

function attemptTable(attempts) {
  return table('attempts', [
    { title: 'When', cell: ({ created_at }) => moment(created_at) },
    { title: 'Asked for', cell: ({ operation }) => element('span', { class: 'word' }, operation) },
    { title: 'Gateway', cell: ({ gateway, skipped }) => [gateway,
      (skipped ?? []).map((skip) => element('p', { class: 'skipped' }, passedOver(skip)))] },
    { title: 'Answer', cell: (attempt) => [status(attempt.status), attempt.failure && ` ${attempt.failure.code.replaceAll('_', ' ')}`] },
    { title: 'Trace', cell: ({ trace_id }) => element('code', {}, trace_id ?? ''), wide: true },
  ], attempts);
}

function refundTable(refunds) {
  return table('refunds', [
    { title: 'When', cell: ({ created_at }) => moment(created_at), wide: true },
    { title: 'Reason', cell: ({ reason }) => reason },
    { title: 'Status', cell: (refund) => status(refund.status) },
    { title: 'Amount', cell: (refund) => money(refund.amount, refund.currency), end: true },
  ], refunds);
}

/* Only who may, and while there is something left. The same key is sent until there was an answer. */
function refundPart(payment, caller, again) {
  const left = payment.amount_captured - payment.amount_refunded;
  if (left <= 0 || caller.isOfEveryMerchant || !caller.may('refunds:write')) return null;
  const amount = element('input', { name: 'amount', inputmode: 'decimal', required: true, value: decimal(left, payment.currency) });
  const reason = element('input', { name: 'reason', maxlength: '200', required: true, value: 'requested by customer' });
  const trouble = element('div', {});
  const key = newKey();
  const give = async (event) => {
    event.preventDefault();
    const minor = minorUnits(amount.value, payment.currency);
    amount.setCustomValidity(minor > 0 ? '' : `An amount of ${payment.currency}, such as ${decimal(left, payment.currency)}.`);
    if (!amount.reportValidity()) return;
    if (!(await confirmed(`Give ${money(minor, payment.currency)} back?`, 'The bank is asked at once; it can not be undone.', 'Refund'))) return;
    try {
      await caller.api.post(`/v1/payments/${payment.id}/refunds`, { amount: minor, reason: reason.value }, key);
      await again();
    } catch (error) {
      show(trouble, problemNote(error));
    }
  };
  amount.addEventListener('input', () => amount.setCustomValidity(''));
  return element('details', {}, element('summary', {}, 'Refund'),
                 element('form', { class: 'search', onsubmit: give }, field(`Amount, ${payment.currency}`, amount), field('Reason', reason),
                         element('button', { class: 'danger' }, 'Refund …')), trouble);
}
