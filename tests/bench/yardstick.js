/*
 * The yardstick: what the same server commits when each transaction is one statement that inserts
 * the same order row and the same event row. The events are numbered by an identity column, without
 * a lock, so this log has neither order nor an end without holes: less work than ours.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { openInspector, urlFor, withDatabase } from '../support/database.js';

const run = promisify(execFile);

const DATABASE = 'yardstick';
const THREADS = 4;

/* An id that grows with time, as ours do, so that its index is as warm as ours. */
const ID = `encode(
    substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
      || substring(uuid_send(gen_random_uuid()) FROM 7), 'hex')::uuid`;

/** Makes a database of the same server with the tables and indexes of `orders`. */
export async function makeYardstick(stack) {
  await withDatabase(urlFor(stack, 'postgres', 'postgres'), async (server) => {
    await server.rows(`DROP DATABASE IF EXISTS ${DATABASE}`);
    await server.rows(`CREATE DATABASE ${DATABASE}`);
  });
  const { stdout: schema } = await run(
    'pg_dump',
    ['--schema-only', '--no-owner', '--no-privileges', urlFor(stack, 'postgres', 'orders')],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  const script = path.join(stack.directory, 'yardstick.sql');
  await withDatabase(urlFor(stack, 'postgres', DATABASE), async (database) => {
    await database.rows(withoutMeta(schema));
    await database.rows(
      'ALTER TABLE public.events ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY',
    );
  });
  writeFileSync(script, statementLike(await newestOrder(stack)));
  return script;
}

/** psql's own commands, which pg_dump writes for its restorer, are no SQL. */
const withoutMeta = (schema) => schema.replace(/^\\.*$/gm, '');

/** An order that was just made, as a pattern for the rows. */
async function newestOrder(stack) {
  const orders = await openInspector(stack, 'orders');
  try {
    const [order] = await orders.rows(
      `SELECT o.lines::text AS lines, o.metadata::text AS metadata, o.total_amount, o.customer_email,
              e.data::text AS data, e.traceparent
       FROM orders o JOIN events e ON e.stream = o.stream AND e.subject = o.id
       ORDER BY o.id DESC LIMIT 1`,
    );
    return order;
  } finally {
    await orders.close();
  }
}

function statementLike(order) {
  /* pgbench takes every colon before a word for a variable. */
  const text = (value) =>
    value === null
      ? 'NULL'
      : `E'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(':', '\\x3a')}'`;
  return `\\set customer random(1, 999999)
WITH made AS (
  INSERT INTO orders (stream, id, merchant_id, version, status, payment_status, payment_terms,
    currency, total_amount, amount_due, customer_id, customer_email, client_reference, lines,
    metadata, created_at, updated_at, expires_at)
  VALUES (0, ${ID}, 'demo', 1, 'pending', 'unpaid', 'invoice', 'EUR', ${order.total_amount},
    ${order.total_amount}, 'customer-' || :customer::text, ${text(order.customer_email)}, NULL,
    ${text(order.lines)}, ${text(order.metadata)}, now(), now(), NULL)
  RETURNING stream, id, merchant_id)
INSERT INTO events (stream, id, merchant_id, type, subject, subject_version, time, traceparent, data)
SELECT stream, id, merchant_id, 'order.created', id, 1, now(), ${text(order.traceparent)},
  ${text(order.data)}
FROM made;
`.replaceAll(/\n(?=.)(?!WITH)/g, ' ');
}

/** Transactions per second with so many clients. */
export async function runYardstick(stack, script, clients, seconds) {
  const { stdout } = await run(
    'pgbench',
    [
      ['--no-vacuum', '--protocol=prepared', '--file', script],
      ['--client', String(clients), '--jobs', String(Math.min(THREADS, clients))],
      ['--time', String(seconds), '--host', await socketOf(stack), '--port', portOf(stack)],
      ['--username', 'postgres', DATABASE],
    ].flat(),
    { env: { ...process.env, PGPASSWORD: passwordOf(stack) } },
  );
  if (!/number of failed transactions: 0 /.test(stdout)) throw new Error(stdout);
  return Number(/^tps = ([\d.]+)/m.exec(stdout)[1]);
}

const portOf = (stack) => new URL(stack.env.ORDERS_DATABASE_URL).port;
const passwordOf = (stack) => new URL(urlFor(stack, 'postgres', 'postgres')).password;

function socketOf(stack) {
  return withDatabase(urlFor(stack, 'postgres', 'postgres'), (server) =>
    server.value('SHOW unix_socket_directories'),
  );
}
