/*
 * The audit: what must be true once things are quiet, whatever happened before.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { openInspector } from './database.js';
import { top } from './launcher.js';
import { SLOWDOWN } from './slowdown.js';
import { waitFor } from './wait.js';

/* It reads all that ever was. */
const QUERY_MS = 20_000;

const DATABASES = ['orders', 'payments', 'vouchers'];

/* Who reads whose log. */
const READERS = [
  { reader: 'orders', source: 'payment-service', log: 'payments' },
  { reader: 'payments', source: 'order-service', log: 'orders' },
  { reader: 'vouchers', source: 'order-service', log: 'orders' },
];

/** Waits until every event has taken effect and was published, and nothing came of it any more. */
export async function untilQuiet(stack, { within = 30_000 } = {}) {
  const opened = await Promise.all(DATABASES.map((name) => openInspector(stack, name)));
  const databases = Object.fromEntries(DATABASES.map((name, i) => [name, opened[i]]));
  try {
    let before;
    await waitFor(
      'every log to be announced and read to its head',
      async (seen) => {
        const heads = await headsOf(databases);
        const lags = await lagsOf(databases, heads);
        seen(lags);
        /* An effect makes events of its own, also in a log that was looked at before. */
        const still = before !== undefined && DATABASES.every((name) => heads[name] === before[name]);
        before = heads;
        return still && Object.values(lags).every((lag) => lag === 0);
      },
      { within },
    );
  } finally {
    await Promise.all(opened.map((database) => database.close()));
  }
}

async function headsOf(databases) {
  const heads = {};
  for (const name of DATABASES) heads[name] = await headOf(databases[name]);
  return heads;
}

/** By how much each reader and each relay is behind. */
async function lagsOf(databases, heads) {
  const lags = {};
  for (const { reader, source, log } of READERS) {
    lags[`${reader} behind ${log}`] = heads[log] - (await positionOf(databases[reader], source));
  }
  for (const name of DATABASES) {
    const sql = 'SELECT coalesce(sum(lag), 0) FROM ops.relay_lag';
    lags[`relay of ${name}`] = Number(await databases[name].value(sql));
  }
  return lags;
}

export async function headOf(database, stream = 0) {
  const sql = 'SELECT coalesce(max(sequence), 0) FROM events WHERE stream = $1';
  return Number(await database.value(sql, [stream]));
}

export async function positionOf(database, source = 'order-service', stream = 0) {
  const sql = 'SELECT sequence FROM consumer_position WHERE source = $1 AND stream = $2';
  return Number((await database.value(sql, [source, stream])) ?? 0);
}

/**
 * The audit finds nothing once the stack is quiet. Orders and reservations still end after the last
 * request, so what is in between is asked again; what is broken stays broken.
 */
export async function expectCleanAudit(stack, options) {
  await untilQuiet(stack, options);
  const audit = await openInspector(stack, 'audit', { query_timeout: QUERY_MS * SLOWDOWN });
  try {
    await waitFor(
      'a clean audit',
      async (seen) => {
        const broken = await brokenInvariants(audit);
        seen(broken);
        return broken.length === 0;
      },
      { within: 10_000, every: 250 },
    );
  } finally {
    await audit.close();
  }
}

/** What `./checkout audit` asks, and as it asks: [{ id, rows }] of the invariants that do not hold. */
async function brokenInvariants(audit) {
  const found = [];
  await audit.rows('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    for (const id of invariants()) found.push({ id, rows: await audit.rows(queryOf(id)) });
  } finally {
    await audit.rows('COMMIT');
  }
  return found.filter(({ rows }) => rows.length > 0);
}

/** What breaks an invariant is found by its query; it is mended again whatever happens. */
export async function expectBroken(stack, id, breaking, mending) {
  const audit = await openInspector(stack, 'audit');
  try {
    await breaking();
    const rows = await audit.rows(queryOf(id)).finally(mending);
    assert.notDeepEqual(rows, [], `${id} did not notice`);
  } finally {
    await audit.close();
  }
}

const folder = path.join(top, 'shared', 'audit');

const invariants = () => readdirSync(folder).map((name) => name.split('_')[0]);

function queryOf(id) {
  const file = readdirSync(folder).find((name) => name.startsWith(`${id}_`));
  return readFileSync(path.join(folder, file), 'utf8');
}

/** Each log is numbered 1, 2, 3, ... and each subject's versions are too. */
export async function expectGaplessLog(stack, name) {
  const database = await openInspector(stack, name);
  try {
    const logs = await database.rows(
      `SELECT stream, count(*) AS count, min(sequence) AS first, max(sequence) AS last
       FROM events GROUP BY stream`,
    );
    for (const log of logs) {
      assert.equal(Number(log.first), 1, `${name}: the log starts at ${log.first}`);
      assert.equal(Number(log.last), Number(log.count), `${name}: the log has holes`);
    }
    const torn = await database.rows(
      `SELECT subject FROM events GROUP BY stream, subject
       HAVING count(*) <> max(subject_version) OR min(subject_version) <> 1`,
    );
    assert.deepEqual(torn, [], `${name}: subjects whose versions have holes`);
    return logs.reduce((sum, log) => sum + Number(log.count), 0);
  } finally {
    await database.close();
  }
}

/**
 * Every request that the load saw answered is stored as answered, nothing was stored that no client
 * asked for, and no key had two effects.
 */
export async function expectLoadStored(stack, load) {
  assert.deepEqual(load.unexpected.slice(0, 3), [], 'answers that nobody expected');
  assert.ok(load.answered.length > 0, 'the load got no answer at all');
  const database = await openInspector(stack, 'orders');
  try {
    await expectAnswersInLog(database, load);
    await expectNothingUnasked(database, load);
  } finally {
    await database.close();
  }
}

/** An answer is the event's data at that version, byte for byte. */
async function expectAnswersInLog(database, load) {
  const events = await database.rows(
    `SELECT e.subject, e.subject_version AS version, e.data::text AS data
     FROM events e JOIN orders o ON o.stream = e.stream AND o.id = e.subject
     WHERE o.client_reference LIKE $1 || '-%'`,
    [load.prefix],
  );
  const stored = new Map(events.map((event) => [`${event.subject} ${event.version}`, event.data]));
  for (const request of load.answered) {
    const { id, version } = JSON.parse(request.answer.text);
    const data = stored.get(`${id} ${version}`);
    assert.ok(data, `answered and not stored: ${request.answer.text}`);
    assert.equal(data, request.answer.text, 'stored otherwise than it was answered');
  }
}

async function expectNothingUnasked(database, load) {
  const refused = new Set(load.refused.map((request) => request.key));
  const asked = new Set(load.requests.map((request) => request.key).filter((key) => !refused.has(key)));
  const references = await database.rows(
    `SELECT client_reference AS reference, count(*) AS count FROM orders
     WHERE client_reference LIKE $1 || '-%' GROUP BY client_reference`,
    [load.prefix],
  );
  for (const { reference, count } of references) {
    assert.ok(asked.has(reference), `an order that nobody asked for: ${reference}`);
    assert.equal(Number(count), 1, `one key, ${count} orders: ${reference}`);
  }
}
