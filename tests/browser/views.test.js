/*
 * Each view of the console, as a shop and as an operator see it: on a laptop and a phone, light and
 * dark, with something to show, with nothing, and when something is away.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { openSuperuser } from '../support/database.js';
import { startBrowser } from '../support/browser.js';
import { untilQuiet } from '../support/audit.js';
import { startStack } from '../support/stack.js';
import { newKey, order } from '../support/shop.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
const browser = await startBrowser();
after(() => Promise.all([stack.stop(), browser.close()]));

const url = stack.env.CHECKOUT_URL;
const shopKey = stack.env.CHECKOUT_API_KEY;
const operatorKey = stack.env.CHECKOUT_OPERATOR_KEY;
const shop = stack.shop(url);
const ids = {};

/** Keeps a picture, where somebody asked for them. */
async function keep(visitor, name) {
  const into = process.env.TEST_SCREENSHOTS;
  if (into) await visitor.page.screenshot({ path: path.join(into, `${name}.png`) });
}

const looks = [['light', {}], ['dark', { dark: true }], ['phone', { phone: true }]];

async function payWith(number, id) {
  const card = { number, exp_month: 12, exp_year: 2037, cvc: '123', name: 'Ada' };
  const wish = { order_id: id, payment_method: { type: 'card', card } };
  return (await shop.post('/v1/payments', wish, { key: newKey() })).json;
}

const customers = ['ada', 'grace', 'edsger', 'barbara', 'donald', 'frances'];

/* One order from its basket to its parcel; every third card is an empty one first. */
async function trade(i) {
  const { id } = await shop.createOrder(order({ client_reference: `cart-${9040 + i}`, customer: { id: customers[i % customers.length] } }));
  if (i % 3 === 1) await payWith('4000000000009995', id);
  await payWith('4242424242424242', id);
  await waitFor('the order to be paid', async () => (await shop.order(id)).status === 'paid');
  await shop.move(id, 'sent');
}

/* Whether the chart has said more than nothing; its newest value is in words beside it. */
function hasMoved(visitor, title) {
  const value = visitor.page.locator('.chart', { hasText: title }).locator('strong');
  return waitFor(`${title} to move`, async (seen) => {
    const text = await value.innerText();
    seen(text);
    return /[1-9]/.test(text);
  }, { within: 30_000 });
}

describe('with nothing to show', () => {
  test('each view says so, and what would be there', async () => {
    const visitor = await browser.visit(url, { key: operatorKey });
    const rows = [['orders', 'There are no orders yet'], ['payments', 'There are no payments yet'], ['vouchers', 'There are no vouchers yet'],
                  ['flow', 'Nothing has happened yet'], ['dead-letters', 'Nothing was put aside'], ['audit', 'No audit was made yet'],
                  ['shop', 'A shop needs a merchant\'s key']];
    for (const [view, words] of rows) {
      await visitor.open(view);
      assert.ok((await visitor.text()).includes(words), `${view}: ${await visitor.text()}`);
      await visitor.expectAccessible(view);
    }
    visitor.expectNoComplaint();
    await visitor.close();
  });
});

describe('with something to show', () => {
  before(async () => {
    const paid = await shop.createOrder(order({ client_reference: 'cart-9031', customer: { id: 'ada' } }));
    ids.order = paid.id;
    ids.failed = (await payWith('4000000000009995', paid.id)).id;
    ids.payment = (await payWith('4242424242424242', paid.id)).id;
    await waitFor('the order to be paid', async () => (await shop.order(paid.id)).status === 'paid');
    await shop.move(paid.id, 'sent');
    ids.voucher = (await waitFor('the voucher', async () => (await shop.get(`/v1/vouchers?order_id=${paid.id}`)).json.data[0])).id;
    await untilQuiet(stack);
    await stack.must(['audit']);
    const vouchers = await openSuperuser(stack, 'vouchers');
    await vouchers.value(`INSERT INTO dead_letters (id, source, stream, reason, detail, topic, payload, payload_hash, created_at)
      SELECT gen_random_uuid(), 'order-service', 0, 'event_malformed', 'The event has no data.',
             'checkout/v1/demo/order/x/sent', payload, sha256(payload), now()
      FROM convert_to('{"type":"order.sent"}', 'UTF8') AS payload RETURNING 1`);
    await vouchers.close();
  });

  const views = () => [
    ['shop', 'shop', shopKey, 'Fill a basket'],
    ['flow', 'flow', operatorKey, 'Voucher issued'],
    ['orders', 'orders', shopKey, 'ada'],
    ['order', `orders/${ids.order}`, shopKey, 'Authorization at bank-a: declined'],
    ['payments', 'payments', shopKey, 'succeeded'],
    ['payment', `payments/${ids.payment}`, shopKey, 'Attempts'],
    ['vouchers', 'vouchers', shopKey, '€5.00'],
    ['voucher', `vouchers/${ids.voucher}`, operatorKey, 'Void …'],
    ['gateways', 'gateways', shopKey, 'bank-c'],
    ['dead-letters', 'dead-letters', operatorKey, 'event malformed'],
    ['audit', 'audit', operatorKey, 'All 10 invariants hold.'],
  ];

  test('the flow counts what comes while somebody watches, and the log says how far all are', async () => {
    const wanted = process.env.TEST_SCREENSHOTS ? looks : looks.slice(0, 1);
    const visitors = await Promise.all(wanted.map(([, look]) => browser.visit(url, { key: operatorKey, ...look })));
    for (const visitor of visitors) {
      await visitor.open('flow');
      await visitor.page.getByText('connected', { exact: true }).waitFor();
    }
    const charts = ['Orders', 'Sent', 'Payments', 'Vouchers', 'One commit carries'];
    const moved = visitors.flatMap((visitor) => charts.map((title) => hasMoved(visitor, title)));
    for (let i = 0; i < (process.env.TEST_SCREENSHOTS ? customers.length * 2 : 2); i++) await trade(i);
    await Promise.all(moved);
    for (const [i, visitor] of visitors.entries()) {
      await keep(visitor, `flow-${wanted[i][0]}`);
      visitor.expectNoComplaint();
      await visitor.close();
    }
  });

  for (const [how, look] of looks) {
    test(`each view reads well and breaks no rule: ${how}`, async () => {
      const visitors = new Map();
      for (const key of [shopKey, operatorKey]) visitors.set(key, await browser.visit(url, { key, ...look }));
      for (const [name, view, key, words] of views()) {
        const visitor = visitors.get(key);
        await visitor.open(view);
        const said = await waitFor(`${words} in ${name}`, async (seen) => {
          const text = await visitor.text();
          seen(text);
          return text.includes(words) && text;
        });
        assert.ok(!/undefined|NaN|\[object/.test(said), said);
        await visitor.expectAccessible(`${name}, ${how}`);
        await visitor.expectFits(`${name}, ${how}`);
        /* Of the flow there are pictures while something happens. */
        if (name !== 'flow') await keep(visitor, `${name}-${how}`);
      }
      for (const visitor of visitors.values()) {
        visitor.expectNoComplaint();
        await visitor.close();
      }
    });
  }

  test('an order is found by its id, its reference and its customer, and its story has all of it', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    for (const text of [ids.order, 'cart-9031', 'ada']) {
      await visitor.open('orders');
      await visitor.page.getByLabel('Order id, client reference or customer').fill(text);
      await visitor.page.getByRole('button', { name: 'Search' }).click();
      if (text !== ids.order) await visitor.page.locator(`a[href="#/orders/${ids.order}"]`).click();
      await visitor.page.getByText('Voucher issued').waitFor();
    }
    const { json } = await shop.get(`/v1/orders/${ids.order}/timeline`);
    assert.equal(await visitor.page.locator('.timeline li').count(), json.entries.length);
    for (const { trace_id } of json.entries) assert.ok((await visitor.text()).includes(trace_id));
    for (const id of [ids.failed, ids.payment]) assert.ok((await visitor.page.locator(`.timeline a[href="#/payments/${id}"]`).count()) > 0, id);
    await visitor.page.locator(`.timeline a[href="#/vouchers/${ids.voucher}"]`).click();
    await visitor.page.getByText('Earned by').waitFor();
    await visitor.open('orders/search/nobody');
    assert.match(await visitor.text(), /No order has this/);
    visitor.expectNoComplaint();
    await visitor.close();
  });

  test('a refund asks before it acts, and then gives the money back', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    await visitor.open(`payments/${ids.payment}`);
    const unfold = () => visitor.page.locator('summary', { hasText: 'Refund' }).click();
    const refund = async (answer) => {
      await unfold();
      await visitor.page.getByLabel('Amount, EUR').fill('12.50');
      await visitor.page.getByRole('button', { name: 'Refund …' }).click();
      await visitor.page.getByRole('dialog').getByRole('button', { name: answer, exact: true }).click();
      await visitor.page.getByRole('dialog').waitFor({ state: 'hidden' });
    };
    await refund('Leave it');
    assert.equal((await shop.get(`/v1/payments/${ids.payment}`)).json.amount_refunded, 0);
    await unfold();
    await refund('Refund');
    await visitor.page.getByText('Given back').waitFor();
    assert.equal((await shop.get(`/v1/payments/${ids.payment}`)).json.amount_refunded, 1250);
    visitor.expectNoComplaint();
    await visitor.close();
  });

  test('a dead letter is replayed or discarded by operators, after a question', async () => {
    const merchant = await browser.visit(url, { key: shopKey });
    await merchant.open('dead-letters');
    assert.match(await merchant.text(), /This needs a key with the scope operator/);
    await merchant.open('audit');
    assert.match(await merchant.text(), /This needs a key with the scope operator/);
    await merchant.close();
    const visitor = await browser.visit(url, { key: operatorKey });
    await visitor.open('dead-letters');
    const press = async (name, answer) => {
      await visitor.page.getByRole('button', { name: `${name} …` }).click();
      await visitor.page.getByRole('dialog').getByRole('button', { name: answer, exact: true }).click();
    };
    await press('Replay', 'Replay');
    await visitor.page.getByRole('alert').waitFor();
    await press('Discard', 'Leave it');
    assert.match(await visitor.text(), /event malformed/);
    await press('Discard', 'Discard');
    await visitor.page.getByText('Nothing was put aside').waitFor();
    visitor.expectNoComplaint();
    await visitor.close();
  });

  test('the keyboard reaches everything, and the first stop leads past the navigation', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    const tab = async () => {
      await visitor.page.keyboard.press('Tab');
      return visitor.page.evaluate(() => document.activeElement.textContent || document.activeElement.name);
    };
    await visitor.open('orders');
    assert.equal(await tab(), 'query', 'who has chosen a view is in it');
    await visitor.page.reload();
    await visitor.settle();
    const stops = [];
    for (let i = 0; i < 14; i++) stops.push(await tab());
    assert.equal(stops[0], 'Skip to the content');
    for (const each of ['Shop', 'Audit', 'Sign out', 'query', 'Search']) assert.ok(stops.includes(each), `${each} in ${stops}`);
    visitor.expectNoComplaint();
    await visitor.close();
  });

  test('a problem is shown as it is, and the next try may be better', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    await visitor.open('orders/01940000-0000-7000-8000-00000000dead');
    assert.match(await visitor.page.getByRole('alert').innerText(), /Not found[^]*not_found · request [0-9a-f-]{36}/);
    const frozen = await stack.freeze('voucher-service');
    await visitor.open('vouchers');
    assert.match(await visitor.page.getByRole('alert').innerText(), /Unavailable|No answer/);
    frozen.thaw();
    await visitor.page.getByRole('button', { name: 'Try again' }).click();
    await visitor.page.locator(`a[href="#/vouchers/${ids.voucher}"]`).waitFor();
    await visitor.close();
  });
});

test('a key that is none is refused with the reason, and none is kept', async () => {
  for (const [how, look] of looks) {
    const first = await browser.visit(url, look);
    await first.expectAccessible(`the first page, ${how}`);
    await first.expectFits(`the first page, ${how}`);
    await keep(first, `first-page-${how}`);
    await first.close();
  }
  const visitor = await browser.visit(url);
  await visitor.page.getByLabel('API key').fill(`ck_nobody_${'x'.repeat(43)}`);
  await visitor.page.getByRole('button', { name: 'Enter' }).click();
  assert.match(await visitor.page.getByRole('alert').innerText(), /key_invalid/);
  await visitor.expectAccessible('the first page');
  assert.equal(await visitor.page.evaluate(() => sessionStorage.length), 0);
  visitor.expectNoComplaint();
  await visitor.close();
});
