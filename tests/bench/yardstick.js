/*
 * The yardstick: what the same server commits when each transaction is one statement that writes the
 * same rows. It has a database of its own with the tables and indexes of `orders`, over the Unix
 * socket. Its events are numbered by an identity column, without a lock, so its log has neither order
 * nor an end without holes: less work than ours.
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

export class Yardstick {
  /** Makes the database; rows are made like the newest order of the stack. */
  static async make(stack) {
    const superuser = (database) => urlFor(stack, 'postgres', database);
    await withDatabase(superuser('postgres'), async (server) => {
      await server.rows(`DROP DATABASE IF EXISTS ${DATABASE}`);
      await server.rows(`CREATE DATABASE ${DATABASE}`);
    });
    const dump = ['--schema-only', '--no-owner', '--no-privileges', superuser('orders')];
    const { stdout: schema } = await run('pg_dump', dump, { maxBuffer: 16 * 1024 * 1024 });
    const yardstick = new Yardstick(stack, await newestOrder(stack));
    await yardstick.sql(withoutMeta(schema));
    await yardstick.sql('ALTER TABLE public.events ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY');
    await yardstick.sql('CREATE TABLE public.picked (n bigint PRIMARY KEY, id uuid NOT NULL)');
    return yardstick;
  }

  constructor(stack, order) {
    this.stack = stack;
    this.order = order;
    this.url = urlFor(stack, 'postgres', DATABASE);
  }

  sql(text) {
    return withDatabase(this.url, (database) => database.rows(text));
  }

  /** Numbers the pending orders, for `change`, `get` and `list` to pick from; returns how many. */
  async pick() {
    const [{ count }] = await withDatabase(this.url, async (database) => {
      await database.rows('TRUNCATE public.picked');
      await database.rows(`INSERT INTO public.picked SELECT row_number() OVER (), id
                           FROM public.orders WHERE status = 'pending'`);
      await database.rows('ANALYZE');
      return database.rows('SELECT count(*)::int AS count FROM public.picked');
    });
    this.picked = count;
    return count;
  }

  /** Runs `order`, `keyed`, `change`, `get` or `list`; { perSecond, mean } in milliseconds. */
  async run(what, clients, seconds) {
    const script = path.join(this.stack.directory, `yardstick-${what}.sql`);
    writeFileSync(script, statements[what](this));
    const where = new URL(this.url);
    const args = [
      ['--no-vacuum', '--protocol=prepared', '--file', script],
      ['--client', String(clients), '--jobs', String(Math.min(THREADS, clients))],
      ['--time', String(seconds), '--host', await this.socket(), '--port', where.port],
      ['--username', 'postgres', DATABASE],
    ].flat();
    const { stdout } = await run('pgbench', args, { env: { ...process.env, PGPASSWORD: where.password } });
    const [, tps] = /^tps = ([\d.]+)/m.exec(stdout) ?? [];
    const [, latency] = /^latency average = ([\d.]+)/m.exec(stdout) ?? [];
    if (!tps || !latency || !/number of failed transactions: 0 /.test(stdout)) throw new Error(stdout);
    return { perSecond: Number(tps), mean: Number(latency) };
  }

  async socket() {
    this.socketDirectory ??= (await this.sql('SHOW unix_socket_directories'))[0].unix_socket_directories;
    return this.socketDirectory;
  }
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

/* pgbench takes every colon before a word for a variable, and a statement ends with its line. */
const text = (value) =>
  value === null
    ? 'NULL'
    : `E'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(':', '\\x3a')}'`;
const oneLine = (sql) => `${sql.replaceAll(/\s*\n\s*/g, ' ').trim()};\n`;

const customer = '\\set customer random(1, 999999)\n';
const anyPicked = ({ picked }) => `\\set n random(1, ${picked})\n`;
const thePicked = '(SELECT id FROM public.picked WHERE n = :n)';

const insertOrder = ({ order }, rows) => `
  INSERT INTO orders (stream, id, merchant_id, version, status, payment_status, payment_terms,
    currency, total_amount, amount_due, customer_id, customer_email, client_reference, lines,
    metadata, created_at, updated_at, expires_at)
  ${rows(`0, ${ID}, 'demo', 1, 'pending', 'unpaid', 'invoice', 'EUR', ${order.total_amount},
    ${order.total_amount}, 'customer-' || lpad(:customer::text, 6, '0'), ${text(order.customer_email)}, NULL,
    ${text(order.lines)}, ${text(order.metadata)}, now(), now(), NULL`)}
  RETURNING stream, id, merchant_id, version`;

const insertEvent = ({ order }, type, from) => `
  INSERT INTO events (stream, id, merchant_id, type, subject, subject_version, time, traceparent, data)
  SELECT stream, id, merchant_id, '${type}', id, version, now(), ${text(order.traceparent)},
    ${text(order.data)} FROM ${from}`;

const statements = {
  /* An order and its event. */
  order: (y) =>
    customer +
    oneLine(`WITH made AS (${insertOrder(y, (row) => `VALUES (${row})`)}) ${insertEvent(y, 'order.created', 'made')}`),

  /* The same with the row of an idempotency key. */
  keyed: (y) =>
    customer +
    oneLine(`WITH used AS (
      INSERT INTO idempotency_keys (stream, merchant_id, scope, key, body_hash, status, subject,
        subject_version, created_at)
      VALUES (0, 'demo', 'POST /v1/orders', gen_random_uuid()::text, sha256(gen_random_uuid()::text::bytea), 201,
        gen_random_uuid(), 1, now())
      ON CONFLICT DO NOTHING RETURNING subject
    ), made AS (${insertOrder(y, (row) => `SELECT ${row} FROM used`)})
    ${insertEvent(y, 'order.created', 'made')}`),

  /* Some order is sent, and its event. */
  change: (y) =>
    anyPicked(y) +
    oneLine(`WITH changed AS (
      UPDATE orders SET version = version + 1, status = 'sent', updated_at = now()
      WHERE stream = 0 AND id = ${thePicked}
      RETURNING stream, id, merchant_id, version
    ) ${insertEvent(y, 'order.sent', 'changed')}`),

  get: (y) => anyPicked(y) + oneLine(`SELECT * FROM orders WHERE stream = 0 AND id = ${thePicked}`),

  /* The newest twenty of some customer. */
  list: () =>
    customer +
    oneLine(`SELECT * FROM orders WHERE stream = 0 AND merchant_id = 'demo'
      AND customer_id = 'customer-' || lpad(:customer::text, 6, '0') ORDER BY id DESC LIMIT 20`),
};
