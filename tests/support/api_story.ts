/*
 * What a shop's developer writes: order, pay, send, give back, with a client whose types are made of
 * the API documents. The compiler looks at this (api_client.test.js); Node runs it as it is.
 */
import createClient from 'openapi-fetch';
import type { paths as Orders } from 'checkout/order-service';
import type { paths as Payments } from 'checkout/payment-service';

/** What became of it: the order and the payment as they are at the end, and the refund. */
export async function story(baseUrl: string, apiKey: string) {
  const headers = { Authorization: `Bearer ${apiKey}` };
  const orders = createClient<Orders>({ baseUrl, headers });
  const payments = createClient<Payments>({ baseUrl, headers });
  const key = () => ({ 'Idempotency-Key': crypto.randomUUID() });

  const created = await orders.POST('/v1/orders', {
    params: { header: key() },
    body: {
      customer: { id: 'c-17' },
      currency: 'EUR',
      lines: [{ sku: 'mug', name: 'Mug, blue', quantity: 2, unit_amount: 6850 }],
      payment_terms: 'invoice',
    },
  });
  if (created.error) throw new Error(created.error.code);
  const order = created.data;

  const paid = await payments.POST('/v1/payments', {
    params: { header: key() },
    body: {
      order_id: order.id,
      payment_method: {
        type: 'card',
        card: { number: '4242424242424242', exp_month: 12, exp_year: 2034, cvc: '123' },
      },
    },
  });
  if (paid.error) throw new Error(paid.error.code);
  const payment = paid.data;

  const sent = await orders.PATCH('/v1/orders/{id}', {
    params: { path: { id: order.id } },
    body: { status: 'sent' },
  });
  if (sent.error) throw new Error(sent.error.code);

  const refunded = await payments.POST('/v1/payments/{id}/refunds', {
    params: { path: { id: payment.id }, header: key() },
    body: { amount: 700, reason: 'the handle was broken' },
  });
  if (refunded.error) throw new Error(refunded.error.code);

  return { order: sent.data, payment, refund: refunded.data };
}

/** A refusal has a type as well. */
export async function mistake(baseUrl: string, apiKey: string) {
  const orders = createClient<Orders>({ baseUrl, headers: { Authorization: `Bearer ${apiKey}` } });
  const id = '019aa4c2-5b00-7000-8000-00000000dead';
  const { error } = await orders.GET('/v1/orders/{id}', { params: { path: { id } } });
  return error?.code;
}

/** What the compiler has to refuse; nobody runs it. */
export async function refused(baseUrl: string) {
  const payments = createClient<Payments>({ baseUrl });
  const path = { id: '019aa4c2-5b00-7000-8000-00000000dead' };

  // @ts-expect-error no such route
  await payments.GET('/v1/payment');
  // @ts-expect-error money does not move without an Idempotency-Key
  await payments.POST('/v1/payments/{id}/refunds', { params: { path } });
  // @ts-expect-error an amount is a number
  await payments.POST('/v1/payments/{id}/capture', { params: { path, header: { 'Idempotency-Key': '1' } }, body: { amount: '700' } });
}
