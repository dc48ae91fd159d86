/*
 * Orders: found by id, client reference or customer; of one, its story.
 */
import { button, element, field, show } from './element.js';
import { newKey } from './api.js';
import { confirmed } from './dialog.js';
import { money } from './money.js';
import { moment } from './moment.js';
import { problemNote } from './problem.js';
import { empty, fill } from './state.js';
import { status } from './status.js';
import { facts, idLink, list, table } from './table.js';
import { timeline } from './timeline.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const columns = [
  { title: 'Order', cell: ({ id }) => idLink('orders', id) },
  { title: 'Created', cell: ({ created_at }) => moment(created_at), wide: true },
  { title: 'Customer', cell: ({ customer }) => customer.id },
  { title: 'Reference', cell: ({ client_reference }) => client_reference ?? '', wide: true },
  { title: 'Status', cell: (order) => status(order.status) },
  { title: 'Total', cell: (order) => money(order.total_amount, order.currency), end: true },
];

export async function open({ main, caller, signal, rest: [id, query], title }) {
  if (id && id !== 'search') return openOne({ main, caller, signal, id });
  const found = element('div', {});
  show(main, element('h1', {}, title), searchForm(query ?? ''), found);
  await (query ? search(found, caller, signal, query) : newest(found, caller, signal));
}

/* An id leads to its order, anything else to those that have it as reference or customer. */
function searchForm(query) {
  const input = element('input', { type: 'search', name: 'query', value: query, maxlength: '200', spellcheck: 'false' });
  return element('form', { class: 'search', role: 'search', onsubmit: (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (UUID.test(text)) location.hash = `#/orders/${text.toLowerCase()}`;
    else location.hash = text ? `#/orders/search/${encodeURIComponent(text)}` : '#/orders';
  } }, field('Order id, client reference or customer', input), element('button', {}, 'Search'));
}

function newest(place, { api }, signal) {
  return list(place, { api, what: 'orders', path: '/v1/orders', query: {}, columns, signal,
                       nothing: empty('There are no orders yet', ['Make one in the ', element('a', { href: '#/shop' }, 'shop'), '.']) });
}

function search(place, { api }, signal, text) {
  return fill(place, 'orders', signal, async () => {
    const lists = await Promise.all(['client_reference', 'customer_id'].map((name) =>
      api.get('/v1/orders', { [name]: text, limit: 100 }, signal)));
    const orders = new Map(lists.flatMap(({ data }) => data).map((order) => [order.id, order]));
    if (orders.size === 0) return empty('No order has this', `"${text}" is no client reference and no customer.`);
    const rows = [...orders.values()].sort((a, b) => b.created_at.localeCompare(a.created_at));
    return [table('orders', columns, rows),
            lists.some(({ next_cursor }) => next_cursor) && element('p', { class: 'small' }, 'The newest 100 of each kind are shown.')];
  });
}

async function openOne({ main, caller, signal, id }) {
  const about = element('div', {});
  const story = element('div', {});
  show(main, element('p', { class: 'back' }, element('a', { href: '#/orders' }, 'Orders')), element('h1', {}, 'Order'), about,
       element('h2', {}, 'What happened'), story);
  const path = `/v1/orders/${encodeURIComponent(id)}`;
  const again = () => openOne({ main, caller, signal, id });
  await fill(about, 'the order', signal, async () => aboutOrder(await caller.api.get(path, {}, signal), caller, again));
  if (about.querySelector('.problem')) return show(story);
  await fill(story, 'its story', signal, async () => timeline(await caller.api.get(`${path}/timeline`, {}, signal)));
}

function aboutOrder(order, caller, again) {
  const sum = (amount) => money(amount, order.currency);
  const trouble = element('div', {});
  return [
    facts(['Status', status(order.status)], ['Payment', status(order.payment_status)], ['Total', sum(order.total_amount)],
          ['Due', order.amount_due === order.total_amount ? null : sum(order.amount_due)],
          ['Voucher', order.voucher && element('a', { href: `#/vouchers/${order.voucher.id}` }, sum(order.voucher.discount_amount))],
          ['Customer', [order.customer.id, order.customer.email && ` (${order.customer.email})`]],
          ['Reference', order.client_reference], ['Merchant', caller.isOfEveryMerchant ? order.merchant_id : null],
          ['Id', element('code', {}, order.id)]),
    lines(order, sum), trouble, actions(order, caller, trouble, again),
  ];
}

function lines({ lines: all }, sum) {
  return element('details', {}, element('summary', {}, all.length === 1 ? 'One line' : `${all.length} lines`),
                 table('lines', [
                   { title: 'Item', cell: ({ name }) => name },
                   { title: 'Number', cell: ({ sku }) => sku, wide: true },
                   { title: 'Quantity', cell: ({ quantity }) => quantity, end: true },
                   { title: 'Each', cell: ({ unit_amount }) => sum(unit_amount), end: true },
                 ], all));
}

/* What a shop does with an order from here; the service says what is allowed. */
const moves = [
  { to: 'sent', from: ['paid'], scope: 'orders:fulfil', label: 'Mark sent', text: 'It can not be unsent. A voucher may be issued for it.' },
  { to: 'canceled', from: ['pending', 'paid'], scope: 'orders:write', label: 'Cancel', text: 'What was paid for it is given back.' },
];

function actions(order, caller, trouble, again) {
  const possible = moves.filter(({ from, scope }) => from.includes(order.status) && caller.may(scope) && !caller.isOfEveryMerchant);
  return possible.length > 0 && element('div', { class: 'actions' }, possible.map((move) => button(move.label, async () => {
    if (!(await confirmed(`${move.label}: are you sure?`, move.text, move.label))) return;
    try {
      await caller.api.patch(`/v1/orders/${order.id}`, { status: move.to }, newKey());
      await again();
    } catch (error) {
      show(trouble, problemNote(error));
    }
  })));
}
