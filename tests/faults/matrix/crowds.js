/*
 * Crowds: many want the same thing at one moment, or come only to stand in the door.
 */
import assert from 'node:assert/strict';
import net from 'node:net';

import { expectStatus, invoice, newKey } from '../../support/shop.js';
import { waitFor } from '../../support/wait.js';
import { earnVouchers } from '../../support/wallet.js';

const CLIENTS = 50;
const WISHES = 100;

const crowd = (count, wish) => Promise.all(Array.from({ length: count }, (_, i) => wish(i)));

/** The answers of those who got it; the others are in conflict with them, and told so. */
function winners(answers) {
  for (const { status, what, text } of answers) {
    assert.ok(status < 300 || status === 409, `${what} answered ${status}: ${text}`);
  }
  return answers.filter(({ status }) => status < 300);
}

const oneKey = {
  id: 'crowd key',
  what: `${CLIENTS} clients with one Idempotency-Key`,
  async begin({ stack }) {
    const shop = stack.shop(undefined, undefined, { connections: CLIENTS });
    const options = { key: newKey() };
    const answers = winners(await crowd(CLIENTS, () => shop.post('/v1/orders', invoice(10001), options)));
    const { id } = expectStatus(await shop.post('/v1/orders', invoice(10001), options), 201).json;
    for (const answer of answers) assert.equal(answer.json.id, id, 'one key, two orders');
    return () => {};
  },
};

const oneVoucher = {
  id: 'crowd voucher',
  what: `${WISHES} clients redeem one voucher`,
  async begin({ stack }) {
    const [{ code }] = await earnVouchers(stack, 1);
    const shop = stack.shop(stack.env.VOUCHER_URL, undefined, { connections: WISHES });
    const redeem = (i) =>
      shop.post(`/v1/vouchers/${encodeURIComponent(code)}/redemptions`, { reference: `crowd-${i}` }, { key: newKey() });
    assert.equal(winners(await crowd(WISHES, redeem)).length, 1, 'one voucher is redeemed once');
    return () => {};
  },
};

const onePayment = {
  id: 'crowd payment',
  what: `${WISHES} clients refund 60 of a payment of 100`,
  async begin({ till }) {
    const payment = await till.paid(10000);
    const refund = () => till.act(payment, 'refunds', { amount: 6000 });
    assert.equal(winners(await crowd(WISHES, refund)).length, 1, 'one refund is made');
    assert.equal((await till.read(payment)).amount_refunded, 6000);
    return () => {};
  },
};

/* --- connections that say nothing ----------------------------------------------------------------- */

/** Connects and says nothing; what is not taken yet waits in the kernel. */
function flood(url, count) {
  const { hostname, port } = new URL(url);
  const connect = () => net.connect({ host: hostname, port: Number(port) }).on('error', () => {});
  return Array.from({ length: count }, connect);
}

const end = (sockets) => sockets.forEach((socket) => socket.destroy());

const taken = (sockets) => sockets.filter((socket) => !socket.pending).length;

const idle = {
  id: 'idle connections',
  what: '10,000 connections to the order-service that say nothing',
  seconds: 5,
  async begin({ stack }) {
    const sockets = flood(stack.env.ORDER_URL, 10_000);
    await waitFor('some of them to be taken', () => taken(sockets) > 0);
    return () => end(sockets);
  },
};

const DESCRIPTORS = 256;

/** Starts it anew with that limit, as its own shell would set it. */
async function startWithDescriptors(world, name, limit) {
  const recipe = world.stack.recipes.get(name);
  const argv = ['sh', '-c', `ulimit -n ${limit}; exec "$0" "$@"`, recipe.program, ...recipe.argv.slice(1)];
  await world.stack.kill(name, 'SIGTERM');
  world.stack.startFrom(name, { ...recipe, program: '/bin/sh' }, { argv });
  await world.stack.ready(name);
}

const noDescriptors = {
  id: 'no descriptors',
  what: `the order-service has ${DESCRIPTORS} descriptors, and 1,000 connections want one`,
  seconds: 5,
  async begin(world) {
    await startWithDescriptors(world, 'order-service', DESCRIPTORS);
    const sockets = flood(world.stack.env.ORDER_URL, 1000);
    await waitFor('more connections than descriptors', () => taken(sockets) > DESCRIPTORS);
    return async () => {
      end(sockets);
      await world.stack.kill('order-service', 'SIGTERM');
      await world.start('order-service');
    };
  },
};

export const crowdRows = [oneKey, oneVoucher, onePayment, idle, noDescriptors];
