/*
 * Filling: orders that were taken long ago, written past the services, so that tables are as large as
 * those of a shop of some years. Nobody announces them: consumers and relays are put behind them while
 * the services are away.
 */
import { openSuperuser } from '../support/database.js';

const SERVICES = ['order-service', 'payment-service', 'voucher-service'];
const AT_ONCE = 100_000;
const CUSTOMERS = 999_999;

/* Each a copy of the newest order with another id and customer, older than all that are there. */
const ORDERS = `
  WITH pattern AS (SELECT * FROM orders WHERE stream = 0 ORDER BY id DESC LIMIT 1), made AS (
    SELECT encode(substring(int8send(1600000000000 + n) FROM 3) || substring(uuid_send(gen_random_uuid()) FROM 7),
                  'hex')::uuid AS id, n
    FROM generate_series($1::bigint, $2::bigint) AS n
  ), inserted AS (
    INSERT INTO orders (stream, id, merchant_id, version, status, payment_status, payment_terms, currency,
      total_amount, amount_due, customer_id, customer_email, client_reference, lines, metadata, created_at, updated_at)
    SELECT 0, made.id, p.merchant_id, 1, p.status, p.payment_status, p.payment_terms, p.currency, p.total_amount,
      p.amount_due, 'customer-' || lpad((made.n * 7919 % ${CUSTOMERS})::text, 6, '0'), p.customer_email, NULL, p.lines,
      p.metadata, to_timestamp(1600000000 + made.n / 1000.0), to_timestamp(1600000000 + made.n / 1000.0)
    FROM made, pattern p RETURNING id, created_at
  )
  INSERT INTO events (stream, sequence, id, merchant_id, type, subject, subject_version, time, traceparent, data)
  SELECT 0, head.sequence + row_number() OVER (), i.id, e.merchant_id, e.type, i.id, 1, i.created_at, e.traceparent, e.data
  FROM inserted i, (SELECT max(sequence) AS sequence FROM events WHERE stream = 0) AS head,
    (SELECT * FROM events WHERE stream = 0 AND type = 'order.created' ORDER BY sequence DESC LIMIT 1) AS e`;

/** Adds orders until there are `wanted` that were filled in; `from` of them are there. */
export async function fill(bench, from, wanted) {
  for (const name of SERVICES) await bench.stack.kill(name, 'SIGTERM');
  const orders = await openSuperuser(bench.stack, 'orders');
  try {
    orders.client.connectionParameters.query_timeout = 0;
    for (let n = from; n < wanted; n += AT_ONCE) {
      await orders.rows(ORDERS, [n + 1, Math.min(n + AT_ONCE, wanted)]);
      if (n % 1_000_000 === 0) bench.say(`${n} orders filled in`);
    }
    await orders.rows('VACUUM ANALYZE');
    await orders.rows('CHECKPOINT');
    await moveBehind(bench, await orders.value('SELECT max(sequence) FROM events WHERE stream = 0'));
  } finally {
    await orders.close();
  }
  for (const name of SERVICES) bench.stack.start(name);
  await Promise.all(SERVICES.map((name) => bench.stack.ready(name)));
}

async function moveBehind(bench, head) {
  const positions = [
    ['orders', 'UPDATE relay_position SET sequence = $1 WHERE stream = 0'],
    ['payments', "UPDATE consumer_position SET sequence = $1 WHERE source = 'order-service' AND stream = 0"],
    ['vouchers', "UPDATE consumer_position SET sequence = $1 WHERE source = 'order-service' AND stream = 0"],
  ];
  for (const [name, sql] of positions) {
    const database = await openSuperuser(bench.stack, name);
    await database.rows(sql, [head]).finally(() => database.close());
  }
}
