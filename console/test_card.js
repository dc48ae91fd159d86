/*
 * Test cards, as the simulated bank knows them.
 */
export const testCards = [
  { number: '4242424242424242', label: 'A good card', what: 'is taken' },
  { number: '4000000000009995', label: 'An empty card', what: 'is declined: insufficient funds' },
  { number: '4000002760003184', label: 'A careful card', what: 'its bank asks the customer first (3-D Secure)' },
];

/** What POST /v1/payments takes. */
export function paymentBy(number, orderId) {
  const card = { number, exp_month: 12, exp_year: 2037, cvc: '123', name: 'Demo Customer' };
  return { order_id: orderId, payment_method: { type: 'card', card } };
}

/** "4242 4242 4242 4242" */
export function spaced(number) {
  return number.replace(/(.{4})(?=.)/g, '$1 ');
}
