/*
 * HTTP/1.1 on the wire, directly at a service: framing that two readers could read in two ways is
 * refused, and what is cut or torn hurts nobody else.
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

const shop = stack.shop();
const orders = await openInspector(stack, 'orders');
after(() => orders.close());

const target = await shop.createOrder(invoice(1));
const door = new Door({ url: stack.env.ORDER_URL, key: stack.env.CHECKOUT_API_KEY, orders });

testRows(door, target.id);
testBodies(door);
testConnections(door, shop, target.id);
