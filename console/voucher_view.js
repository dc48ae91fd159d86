/*
 * Vouchers: what orders have earned, and what became of it.
 */
import { confirmed } from './dialog.js';
import { button, element, field, show } from './element.js';
import { money } from './money.js';
import { moment } from './moment.js';
import { problemNote } from './problem.js';
import { empty, fill } from './state.js';
import { status } from './status.js';
import { facts, idLink, list } from './table.js';

const STATUSES = ['active', 'reserved', 'redeemed', 'expired', 'voided'];

const columns = [
  { title: 'Voucher', cell: ({ id }) => idLink('vouchers', id) },
  { title: 'Issued', cell: ({ created_at }) => moment(created_at), wide: true },
  { title: 'Customer', cell: ({ customer_id }) => customer_id },
  { title: 'Earned by', cell: ({ order_id }) => idLink('orders', order_id), wide: true },
  { title: 'Status', cell: (voucher) => status(voucher.status) },
  { title: 'Value', cell: (voucher) => money(voucher.value_amount, voucher.currency), end: true },
];

export async function open({ main, caller, signal, rest: [id], title }) {
  if (id) return openOne({ main, caller, signal, id });
  const place = element('div', {});
  const choice = element('select', { onchange: () => fetchList() }, element('option', { value: '' }, 'all of them'),
                         STATUSES.map((each) => element('option', { value: each }, each)));
  const fetchList = () => {
    show(place);
    return list(place, { api: caller.api, what: 'vouchers', path: '/v1/vouchers', query: { status: choice.value }, columns, signal,
                         nothing: empty(choice.value ? `No voucher is ${choice.value}` : 'There are no vouchers yet',
                                        'An order of more than €100.00 earns one of €5.00 when it is marked sent.') });
  };
  show(main, element('h1', {}, title), element('div', { class: 'search' }, field('Which', choice)), place);
  await fetchList();
}

async function openOne({ main, caller, signal, id }) {
  const about = element('div', {});
  show(main, element('p', { class: 'back' }, element('a', { href: '#/vouchers' }, 'Vouchers')), element('h1', {}, 'Voucher'), about);
  await fill(about, 'the voucher', signal, async () => {
    const voucher = await caller.api.get(`/v1/vouchers/${encodeURIComponent(id)}`, {}, signal);
    return [aboutVoucher(voucher, caller), voidPart(voucher, caller, () => openOne({ main, caller, signal, id }))];
  });
}

function aboutVoucher(voucher, caller) {
  return facts(['Status', status(voucher.status)], ['Value', money(voucher.value_amount, voucher.currency)],
               ['Code', element('code', { class: 'code' }, voucher.code)], ['Customer', voucher.customer_id],
               ['Earned by', idLink('orders', voucher.order_id)], ['Issued', moment(voucher.created_at)],
               ['Good until', moment(voucher.expires_at)], ['Merchant', caller.isOfEveryMerchant ? voucher.merchant_id : null],
               ['Id', element('code', {}, voucher.id)]);
}

function voidPart(voucher, caller, again) {
  if (voucher.status !== 'active' || !caller.may('operator')) return null;
  const trouble = element('div', {});
  return [element('div', { class: 'actions' }, button('Void …', async () => {
    if (!(await confirmed('Void this voucher?', 'It ends for good: nobody can spend it any more.', 'Void'))) return;
    try {
      await caller.api.post(`/v1/vouchers/${voucher.id}/void`);
      await again();
    } catch (error) {
      show(trouble, problemNote(error));
    }
  }, { class: 'danger' })), trouble];
}
