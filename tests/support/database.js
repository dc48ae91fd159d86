/*
 * The databases, as people look at them: `inspector` reads; `superuser` does what nobody may, to
 * stage a fault.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';

/* Amounts and sequences are bigint: numbers here, exact up to 2^53. */
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new Error(`${text} is too large for a test`);
  return number;
});

/* A connection that gives up: a frozen server must not freeze a test. */
const PATIENCE_MS = 20_000;

/** One session. `rows(sql, values)` and `value(sql, values)` ask; close it at the end. */
export class Database {
  static async open(url, options = {}) {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
      ...options,
    });
    /* The server may be killed under us; whoever asks next is told. */
    client.on('error', () => {});
    await client.connect();
    return new Database(client);
  }

  constructor(client) {
    this.client = client;
    this.turn = Promise.resolve();
  }

  /** One question after the other, whoever asks. */
  ask(question) {
    const answer = this.turn.then(() => this.client.query(question));
    this.turn = answer.catch(() => {});
    return answer;
  }

  async rows(sql, values = []) {
    return (await this.ask({ text: sql, values })).rows;
  }

  /** The first column of the first row. */
  async value(sql, values = []) {
    const result = await this.ask({ text: sql, values, rowMode: 'array' });
    return result.rows[0]?.[0];
  }

  async close() {
    await this.client.end().catch(() => {});
  }
}

/** The URL of a database for one of the cluster's roles, whose passwords the home keeps. */
export function urlFor(stack, role, database) {
  const url = new URL(stack.env.ORDERS_DATABASE_URL);
  url.username = role;
  url.password = readFileSync(path.join(stack.home, 'secrets', `role-${role}`), 'utf8').trim();
  url.pathname = `/${database}`;
  url.search = '';
  return url.href;
}

export const openInspector = (stack, database, options) =>
  Database.open(urlFor(stack, 'inspector', database), options);

export const openSuperuser = (stack, database) =>
  Database.open(urlFor(stack, 'postgres', database));

/** Runs `work` on a session of its own. */
export async function withDatabase(url, work) {
  const database = await Database.open(url);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/**
 * Holds a row's lock in a transaction that stays open until `release()`: whoever wants the row
 * waits.
 */
export async function holdLock(stack, database, sql) {
  const session = await openSuperuser(stack, database);
  await session.rows('BEGIN');
  await session.rows(sql);
  return {
    release: async () => {
      await session.rows('ROLLBACK').catch(() => {});
      await session.close();
    },
  };
}

/** How many sessions wait for a lock in that database. */
export function lockWaiters(session, database) {
  return session.value(
    `SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`,
    [database],
  );
}
