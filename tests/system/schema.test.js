/*
 * The schema: every statement fits it, roles may do what they need and no more, and the views for
 * operators stay as they are.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { Database, openInspector, urlFor, withDatabase } from '../support/database.js';
import { runProgram } from '../support/program.js';
import { startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());

const services = {
  'order-service': { database: 'orders', role: 'orders_service' },
  'payment-service': { database: 'payments', role: 'payments_service' },
  'voucher-service': { database: 'vouchers', role: 'vouchers_service' },
};

/** Where a statement runs: `access` in its own database, everything else in the service's. */
function placeOf(statement, { database, role }) {
  if (statement.database === 'access') return { database: 'access', role: 'access_reader' };
  return { database, role };
}

describe('statements', () => {
  for (const [service, own] of Object.entries(services)) {
    test(`every statement of the ${service} can be prepared and planned by its role`, async () => {
      const { stdout, stderr } = await runProgram(stack, service, ['--statements']);
      const statements = JSON.parse(stdout || `"${stderr}"`);
      assert.ok(statements.length >= 10, `${statements.length} statements`);
      const names = statements.map((statement) => statement.name);
      assert.equal(new Set(names).size, names.length, 'names are unique');
      for (const statement of statements) await prepare(statement, placeOf(statement, own));
    });
  }

  /** PREPARE checks names and types; EXPLAIN EXECUTE checks the role's rights as well. */
  async function prepare({ name, sql }, { database, role }) {
    const count = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
    const nulls = count ? `(${Array(count).fill('NULL').join(', ')})` : '';
    const session = await Database.open(urlFor(stack, role, database));
    try {
      await session.rows(`PREPARE tested AS ${sql}`);
      await session.rows(`EXPLAIN EXECUTE tested${nulls}`);
    } catch (error) {
      assert.fail(`${name} as ${role} in ${database}: ${error.message}\n${sql}`);
    } finally {
      await session.close();
    }
  }
});

/** Asserts that the role may not do it, and that it is for lack of rights. */
async function expectDenied(role, database, sql) {
  const session = await Database.open(urlFor(stack, role, database));
  try {
    await session.rows('SET default_transaction_read_only = off');
    await assert.rejects(session.rows(sql), { code: '42501' }, `${role} in ${database}: ${sql}`);
  } finally {
    await session.close();
  }
}

describe('roles', () => {
  for (const { database, role } of Object.values(services)) {
    test(`${role} changes no schema, and writes only rows it must`, async () => {
      const forbidden = [
        'CREATE TABLE mine (id int)',
        'CREATE SCHEMA mine',
        'ALTER TABLE events ADD COLUMN mine int',
        'DROP TABLE events',
        'CREATE INDEX mine ON events (id)',
        'TRUNCATE events',
        'DELETE FROM events',
        'UPDATE events SET data = data',
        'CREATE ROLE mine',
        'CREATE DATABASE mine',
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        `DELETE FROM ${database}`,
      ];
      for (const sql of forbidden) await expectDenied(role, database, sql);
    });

    test(`${role} connects to its own database only`, async () => {
      for (const other of ['orders', 'payments', 'vouchers', 'bank', 'access', 'audit', 'postgres', 'template1']) {
        if (other === database) continue;
        const opening = Database.open(urlFor(stack, role, other));
        await assert.rejects(opening, { code: '42501' }, `${role} in ${other}`);
      }
    });

    test(`${role} is no superuser, owns nothing and waits for nothing long`, async () => {
      await withDatabase(urlFor(stack, role, database), async (session) => {
        const [rights] = await session.rows(
          'SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = $1',
          [role],
        );
        assert.deepEqual(new Set(Object.values(rights)), new Set([false]));
        const owned = 'SELECT count(*) FROM pg_class WHERE relowner = $1::regrole';
        assert.equal(Number(await session.value(owned, [role])), 0);
        const limits = {
          statement_timeout: '5s',
          lock_timeout: '1s',
          idle_in_transaction_session_timeout: '2s',
        };
        for (const [name, value] of Object.entries(limits)) {
          assert.equal(await session.value(`SHOW ${name}`), value, name);
        }
      });
    });
  }

  test('access_reader reads keys and merchants and writes nothing', async () => {
    await withDatabase(urlFor(stack, 'access_reader', 'access'), async (session) => {
      assert.ok(Number(await session.value('SELECT count(*) FROM api_keys')) >= 3);
      assert.ok(Number(await session.value('SELECT count(*) FROM merchants')) >= 1);
    });
    const forbidden = [
      'UPDATE api_keys SET revoked_at = NULL',
      "INSERT INTO merchants (id) VALUES ('mine')",
      'DELETE FROM api_keys',
      'CREATE TABLE mine (id int)',
    ];
    for (const sql of forbidden) await expectDenied('access_reader', 'access', sql);
  });

  test('secrets of keys are stored as hashes, and the inspector does not see even those', async () => {
    const [, , secret] = stack.env.CHECKOUT_API_KEY.split('_');
    await withDatabase(urlFor(stack, 'access_reader', 'access'), async (session) => {
      const dump = JSON.stringify(await session.rows('SELECT k::text AS key FROM api_keys k'));
      assert.ok(!dump.includes(secret), 'a secret is stored');
      const sql = 'SELECT count(*) FROM api_keys WHERE secret_sha256 = sha256($1::bytea)';
      assert.equal(Number(await session.value(sql, [Buffer.from(secret)])), 1);
    });
    await expectDenied('inspector', 'access', 'SELECT secret_sha256 FROM api_keys');
  });

  /* What not even the inspector may read all of. */
  const guarded = ['public.api_keys', 'public.payments'];

  for (const database of ['orders', 'payments', 'vouchers', 'bank', 'access']) {
    test(`the inspector reads all of ${database} and writes none of it`, async () => {
      const inspector = await openInspector(stack, database);
      const tables = await inspector
        .rows(
          "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname IN ('public', 'ops')",
        )
        .finally(() => {});
      assert.ok(tables.length >= 2);
      try {
        for (const { name } of tables.filter((table) => !guarded.includes(table.name))) {
          await inspector.rows(`SELECT * FROM ${name} LIMIT 1`);
        }
        await inspector.rows('SELECT id, merchant_id, scopes FROM api_keys').catch((error) => {
          if (database === 'access') throw error;
        });
      } finally {
        await inspector.close();
      }
      for (const { name } of tables) {
        await expectDenied('inspector', database, `DELETE FROM ${name}`);
        await expectDenied('inspector', database, `TRUNCATE ${name}`);
      }
      await expectDenied('inspector', database, 'CREATE TABLE mine (id int)');
    });
  }

  test('card numbers are sealed, and the inspector does not see even that', async () => {
    await expectDenied('inspector', 'payments', 'SELECT card_sealed FROM payments');
    await expectDenied('inspector', 'payments', 'SELECT request_hash FROM payments');
    const inspector = await openInspector(stack, 'payments');
    try {
      await inspector.rows('SELECT id, status, card_last4, card_fingerprint FROM payments');
    } finally {
      await inspector.close();
    }
  });

  test('the inspector is read-only even where it could write', async () => {
    const inspector = await openInspector(stack, 'orders');
    try {
      assert.equal(await inspector.value('SHOW default_transaction_read_only'), 'on');
    } finally {
      await inspector.close();
    }
  });
});

describe('views for operators', () => {
  const both = {
    consumer_lag: ['source', 'stream', 'position', 'leader', 'leader_until'],
    dead_letters: [
      'id',
      'source',
      'stream',
      'sequence',
      'reason',
      'detail',
      'topic',
      'status',
      'created_at',
      'resolved_at',
      'payload_bytes',
    ],
    relay_lag: ['stream', 'position', 'head', 'lag', 'leader', 'leader_until'],
  };
  const inUse = {
    reservations: [
      'stream',
      'voucher_id',
      'merchant_id',
      'holder',
      'expires_at',
      'lapses_at',
      'overdue',
    ],
    redemptions: [
      'stream',
      'id',
      'voucher_id',
      'merchant_id',
      'reference',
      'order_id',
      'redeemed_at',
      'rolled_back_at',
    ],
  };
  const ofPayments = {
    unresolved_attempts: [
      'stream',
      'id',
      'merchant_id',
      'payment_id',
      'refund_id',
      'operation',
      'gateway',
      'status',
      'amount',
      'currency',
      'tries',
      'created_at',
      'resolve_at',
      'payment_status',
    ],
    payable_orders: [
      'stream',
      'order_id',
      'merchant_id',
      'currency',
      'amount_due',
      'amount_reserved',
      'amount_paid',
      'amount_open',
      'closed',
      'to_undo',
    ],
    reservations: [
      'stream',
      'order_id',
      'payment_id',
      'merchant_id',
      'status',
      'currency',
      'amount_reserved',
    ],
  };
  const ofTheBank = {
    bank_records: [
      'bank',
      'account',
      'reference',
      'id',
      'operation',
      'payment',
      'status',
      'failure_code',
      'decline_code',
      'amount',
      'currency',
    ],
    bank_payments: [
      'bank',
      'account',
      'payment',
      'version',
      'phase',
      'currency',
      'amount',
      'amount_captured',
      'amount_refunded',
      'dispute',
    ],
  };
  const order_lines = [
    'stream',
    'order_id',
    'merchant_id',
    'currency',
    'line',
    'sku',
    'name',
    'quantity',
    'unit_amount',
    'amount',
  ];

  for (const [database, views] of Object.entries({
    orders: { ...both, order_lines },
    payments: { ...both, ...ofPayments },
    vouchers: { ...both, ...inUse },
    bank: ofTheBank,
  })) {
    test(`schema ops of ${database} has the views that scripts rely on, each with a comment`, async () => {
      const inspector = await openInspector(stack, database);
      try {
        for (const [name, columns] of Object.entries(views)) {
          const sql = `SELECT column_name AS name FROM information_schema.columns
                       WHERE table_schema = 'ops' AND table_name = $1 ORDER BY ordinal_position`;
          const found = (await inspector.rows(sql, [name])).map((column) => column.name);
          assert.deepEqual(found.slice(0, columns.length), columns, name);
          await inspector.rows(`SELECT * FROM ops.${name}`);
          const comment = await inspector.value('SELECT obj_description($1::regclass)', [
            `ops.${name}`,
          ]);
          assert.ok(comment?.length > 0, `ops.${name} has no comment`);
        }
      } finally {
        await inspector.close();
      }
    });
  }

  test('ops.order_lines shows the lines of an order as rows', async () => {
    const lines = [
      { sku: 'A', name: 'First', quantity: 3, unit_amount: 100 },
      { sku: 'B', name: 'Second', quantity: 1, unit_amount: 7 },
    ];
    const { id } = await stack
      .shop()
      .createOrder({ customer: { id: 'c' }, currency: 'EUR', lines });
    const inspector = await openInspector(stack, 'orders');
    try {
      const sql = `SELECT sku, name, quantity, unit_amount, amount FROM ops.order_lines
                   WHERE order_id = $1 ORDER BY line`;
      assert.deepEqual(
        await inspector.rows(sql, [id]),
        lines.map((line) => ({ ...line, amount: line.quantity * line.unit_amount })),
      );
    } finally {
      await inspector.close();
    }
  });
});

describe('keys of the schema', () => {
  for (const database of ['orders', 'payments', 'vouchers']) {
    test(`primary, unique and foreign keys of merchants' data in ${database} begin with the stream`, async () => {
      const exempt = [
        'leases',
        'dead_letters',
        'voucher_rules',
        'consumer_position',
        'schema_migrations',
      ];
      const inspector = await openInspector(stack, database);
      try {
        const keys = await inspector.rows(
          `SELECT c.conname AS name, t.relname AS table, a.attname AS first
           FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
           JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'
           JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
           WHERE c.contype IN ('p', 'u') AND NOT (t.relname = ANY ($1))`,
          [exempt],
        );
        assert.ok(keys.length >= 5);
        for (const key of keys) assert.equal(key.first, 'stream', `${key.table}.${key.name}`);
      } finally {
        await inspector.close();
      }
    });
  }
});

describe('a change of a row stays in its page: no index has what every change sets', () => {
  for (const [database, table] of [['orders', 'orders'], ['payments', 'payments']]) {
    test(table, async () => {
      const found = await withDatabase(urlFor(stack, 'postgres', database), (session) =>
        session.rows('SELECT indexdef FROM pg_indexes WHERE tablename = $1', [table]));
      assert.ok(found.length > 2);
      const says = ({ indexdef }) => /\b(status|version|revision|updated_at|operation)\b/.test(indexdef);
      assert.deepEqual(found.filter(says), []);
    });
  }
});
