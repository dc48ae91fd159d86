/*
 * HTTP/1.1 on the wire, through the edge: nginx reads first, and what it lets through the service
 * sees as exactly one request. Everything else gets a 4xx that is a problem document.
 */
import { after } from 'node:test';

import { openInspector } from '../support/database.js';
import { invoice } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { testBodies, testConnections } from '../support/wire_connections.js';
import { Door } from '../support/wire_door.js';
import { testRows } from '../support/wire_tests.js';

const stack = await startStack();
after(() => stack.stop());

const url = stack.env.CHECKOUT_URL;
const shop = stack.shop(url);
const orders = await openInspector(stack, 'orders');
after(() => orders.close());

const target = await shop.createOrder(invoice(1));
const door = new Door({ url, key: stack.env.CHECKOUT_API_KEY, orders, edge: true });

testRows(door, target.id);
testBodies(door);
testConnections(door, shop, target.id);
