/*
 * The shop page, as a newcomer goes through it; what becomes of hostile texts; and what a page does
 * that is open while it is reloaded or the broker goes away.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { startBrowser } from '../support/browser.js';
import { invoice } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
const browser = await startBrowser();
after(() => Promise.all([stack.stop(), browser.close()]));

const url = stack.env.CHECKOUT_URL;
const shopKey = stack.env.CHECKOUT_API_KEY;
const shop = stack.shop(url);

const press = (visitor, name) => visitor.page.getByRole('button', { name, exact: true }).click();
const step = (visitor, number) => visitor.page.locator('.step-card').nth(number - 1);

async function keep(visitor, name) {
  const into = process.env.TEST_SCREENSHOTS;
  if (into) await visitor.page.screenshot({ path: path.join(into, `${name}.png`) });
}

async function orderAndPay(visitor, card) {
  await press(visitor, 'Order');
  await step(visitor, 2).getByText(card).click();
  await visitor.page.getByRole('button', { name: /^Pay €/ }).click();
}

/* Goes first: a page that is still asking about its order would remember it again. */
async function leaveTheOrder(visitor) {
  await visitor.open('flow');
  await visitor.page.evaluate(() => sessionStorage.removeItem('checkout.shop'));
  await visitor.open('shop');
  await visitor.page.getByLabel('Customer', { exact: true }).waitFor();
}

describe('a newcomer', () => {
  test('fills a basket, pays, marks the order sent and sees the voucher arrive', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    await visitor.page.getByRole('button', { name: 'More of Enamel mug, blue' }).click();
    await visitor.page.getByText('€155.50').waitFor();
    await visitor.page.getByRole('button', { name: 'Fewer of Enamel mug, blue' }).click();
    await orderAndPay(visitor, 'A good card');
    await press(visitor, 'Mark it sent');
    await visitor.page.getByText('A voucher has arrived').waitFor();
    const { json } = await shop.get('/v1/vouchers?limit=1');
    const { code } = (await shop.get(`/v1/vouchers/${json.data[0].id}`)).json;
    assert.ok((await visitor.text()).includes(code));
    const heard = visitor.page.getByLabel('What the bus says');
    for (const each of ['Order created', 'Payment succeeded', 'Order paid', 'Order sent', 'Voucher issued']) {
      await heard.getByText(each, { exact: true }).waitFor();
    }
    await visitor.expectAccessible('the way\'s end');
    await keep(visitor, 'shop-voucher-light');

    await press(visitor, 'Order again with it');
    await press(visitor, 'Order');
    await visitor.page.getByRole('button', { name: 'Pay €132.00' }).waitFor();
    visitor.expectNoComplaint();
    await visitor.close();
  });

  test('is told why a card is declined, and pays with another after its bank asked', async () => {
    const visitor = await browser.visit(url, { key: shopKey, phone: true });
    await orderAndPay(visitor, 'An empty card');
    await visitor.page.getByText('insufficient funds. Try another card.').waitFor();
    await step(visitor, 2).getByText('A careful card').click();
    await visitor.page.getByRole('button', { name: /^Pay €/ }).click();
    const way = visitor.page.getByRole('link', { name: 'To the bank\'s page' });
    await visitor.expectFits('the payment');
    const answer = await fetch(`${await way.getAttribute('href')}/pass`, { method: 'POST' });
    assert.ok(answer.ok);
    await visitor.page.getByRole('button', { name: 'Mark it sent' }).waitFor();
    visitor.expectNoComplaint();
    await visitor.close();
  });

  test('goes on where they were after a reload', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    await press(visitor, 'Order');
    await visitor.page.getByRole('button', { name: /^Pay €/ }).waitFor();
    const before = await step(visitor, 1).innerText();
    await visitor.page.reload();
    await visitor.page.getByRole('button', { name: /^Pay €/ }).waitFor();
    assert.equal(await step(visitor, 1).innerText(), before);
    visitor.expectNoComplaint();
    await visitor.close();
  });
});

const naughty = [
  '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', 'javascript:alert(1)', '\'"`;--', '{{7*7}}${7*7}', '../../etc/passwd',
  '%3Cscript%3E', '#/audit', 'Ω≈ç√ 田中さん 👩‍👩‍👧', '\u202Ertl \u200Bzero', 'a'.repeat(200), '&lt;b&gt;&amp;',
];

describe('hostile texts', () => {
  test('are shown exactly as they are, wherever they were stored, and nothing of them runs', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    for (const text of naughty) {
      const { id } = await shop.createOrder(invoice(20_000, { client_reference: text,
        customer: { id: text, email: `${text.slice(0, 100)}@example.com` },
        lines: [{ sku: text, name: text, quantity: 1, unit_amount: 20_000 }], metadata: { text } }));
      await shop.move(id, 'sent');
      await visitor.open(`orders/${id}`);
      await visitor.page.locator('summary').first().click();
      const cells = await visitor.page.locator('main').evaluate((main) => main.textContent);
      assert.ok(cells.split(text).length > 4, `${text} in ${cells}`);
      await visitor.open(`orders/search/${encodeURIComponent(text)}`);
      await visitor.page.locator(`a[href="#/orders/${id}"]`).waitFor();
      assert.equal(await visitor.page.getByLabel('Order id, client reference or customer').inputValue(), text);
    }
    await visitor.open('vouchers');
    const said = await visitor.page.locator('main').evaluate((main) => main.textContent);
    for (const text of naughty) assert.ok(said.includes(text), text);
    await visitor.expectFits('the vouchers');
    visitor.expectNoComplaint();
    await visitor.close();
  });

  test('in a field do what a text does there: no more', async () => {
    const visitor = await browser.visit(url);
    for (const text of naughty) {
      await visitor.page.getByLabel('API key').fill(text);
      await press(visitor, 'Enter');
      await visitor.page.getByRole('alert').waitFor();
    }
    await visitor.signIn(shopKey);
    for (const text of naughty.slice(0, 4)) {
      await visitor.page.getByLabel('Customer', { exact: true }).fill(text);
      await visitor.page.getByLabel('Reference (optional)').fill(text);
      await press(visitor, 'Order');
      await visitor.page.getByRole('button', { name: /^Pay €/ }).waitFor();
      const { json } = await shop.get('/v1/orders?limit=1');
      assert.equal(json.data[0].customer.id, text);
      assert.equal(json.data[0].client_reference, text);
      assert.ok((await step(visitor, 1).evaluate((card) => card.textContent)).includes(text));
      await leaveTheOrder(visitor);
    }
    await visitor.open('flow');
    for (const text of naughty) await visitor.page.getByLabel('Only with').fill(text);
    await visitor.page.locator('.events, .empty').first().waitFor();
    visitor.expectNoComplaint();
    await visitor.close();
  });
});

describe('somebody who watches the flow', () => {
  test('holds it still and narrows it', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    await visitor.open('flow');
    await visitor.page.getByText('connected', { exact: true }).waitFor();
    await press(visitor, 'Pause');
    const still = await visitor.page.locator('.events').innerText();
    await shop.createOrder(invoice(100, { customer: { id: 'grace' } }));
    await visitor.page.getByText('1 more since').waitFor();
    assert.equal(await visitor.page.locator('.events').innerText(), still);
    await press(visitor, 'Go on');
    await visitor.page.getByLabel('Only with').fill('grace');
    await visitor.page.getByText('€1.00 for grace').waitFor();
    assert.equal(await visitor.page.locator('.events li').count(), 1);
    await visitor.page.getByLabel('Kind').selectOption('voucher');
    await visitor.page.getByText('Nothing like that has come').waitFor();
    visitor.expectNoComplaint();
    await visitor.close();
  });

  test('misses nothing and sees nothing twice when the broker was away, and nothing after a reload', async () => {
    const visitor = await browser.visit(url, { key: shopKey });
    await visitor.open('flow');
    await visitor.page.getByText('connected', { exact: true }).waitFor();
    await stack.kill('broker');
    const names = ['hopper-1', 'hopper-2', 'hopper-3'];
    for (const id of names) await shop.createOrder(invoice(100, { customer: { id } }));
    stack.start('broker');
    await waitFor('all of them, once', async (seen) => {
      const rows = await visitor.page.locator('.events li').allInnerTexts();
      seen(rows.slice(0, 5));
      return names.every((name) => rows.filter((row) => row.includes(`for ${name}`)).length === 1);
    }, { within: 30_000 });
    await visitor.page.getByText('connected', { exact: true }).waitFor();
    await visitor.page.reload();
    for (const name of names) await visitor.page.getByText(`for ${name}`).waitFor();
    visitor.expectNoComplaint();
    await visitor.close();
  });
});
