/*
 * Card data: numbers and security codes go to the bank and nowhere else. After payments of every
 * kind, some cut off by kill -9 and unresolved for a while, everything that a stack keeps is
 * searched: rows, logs, events, the files of the broker and of Postgres.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { untilQuiet } from '../support/audit.js';
import { openSuperuser } from '../support/database.js';
import { newKey } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { byCard, openTill } from '../support/till.js';
import { waitFor } from '../support/wait.js';

const DATABASES = ['access', 'orders', 'payments', 'vouchers', 'bank', 'audit'];

/* Every way that a payment can go, each with a code that nothing else looks like. */
const CARDS = [
  { number: '4242424242424242', cvc: '573' },
  { number: '5555555555554444', cvc: '584' },
  { number: '378282246310005', cvc: '7351' },
  { number: '4000000000009995', cvc: '596' },
  { number: '4000000000000069', cvc: '607' },
  { number: '4000002760003184', cvc: '618' },
  { number: '4000000000000259', cvc: '629' },
  { number: '6205500000000000004', cvc: '631', currency: 'ISK' },
  { number: '3566002020360505', cvc: '642', currency: 'ISK' },
];
const UNRESOLVED = { number: '5105105105105100', cvc: '653' };
const REFUSED = { number: '4242424242424241', cvc: '664' };
const PLANTED = '6011000990139424';

const numbers = [...CARDS, UNRESOLVED, REFUSED].map(({ number }) => number);
const codes = [...CARDS, UNRESOLVED, REFUSED].map(({ cvc }) => cvc);

const stack = await startStack();
after(() => stack.stop());
const till = await openTill(stack);
after(() => till.close());

const pay = ({ number, cvc, currency = 'EUR' }, amount, options) =>
  till.pay({ amount, currency }, byCard(number, { cvc, name: 'Ada Lovelace' }), {}, options);

/* --- where to look --------------------------------------------------------------------------- */

/** The rows that hold the text, of all tables of all databases, as "database.table". */
async function tablesWith(pattern) {
  const found = [];
  for (const name of DATABASES) {
    const database = await openSuperuser(stack, name);
    try {
      const tables = await database.rows(
        `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')`,
      );
      for (const table of tables) {
        const sql = `SELECT count(*) FROM (SELECT t::text AS row FROM ${table.name} t) r WHERE row ~ $1`;
        if ((await database.value(sql, [pattern])) > 0) found.push(`${name}.${table.name}`);
      }
    } finally {
      await database.close();
    }
  }
  return found;
}

/** Whether a file holds one of the texts; read in pieces that overlap. */
function fileHolds(file, texts) {
  const piece = Buffer.alloc(1 << 20);
  const descriptor = openSync(file, 'r');
  try {
    let rest = '';
    for (;;) {
      const read = readSync(descriptor, piece, 0, piece.length, null);
      if (read === 0) return undefined;
      const text = rest + piece.toString('latin1', 0, read);
      const held = texts.find((one) => text.includes(one));
      if (held) return held;
      rest = text.slice(-64);
    }
  } finally {
    closeSync(descriptor);
  }
}

/* The simulated bank's program knows published test numbers, and the console's shop offers them. */
const PROGRAMS = /^home\/(bin|edge\/pages\/console)\//;

/** The files of the home that hold one of the texts: logs, the broker's, Postgres's own. */
function filesWith(texts) {
  return readdirSync(stack.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !PROGRAMS.test(path.relative(stack.directory, file)))
    .flatMap((file) => {
      let held;
      try {
        held = fileHolds(file, texts);
      } catch (error) {
        if (error.code !== 'ENOENT') throw error; /* it was just replaced */
      }
      return held ? [`${path.relative(stack.directory, file)}: ${held}`] : [];
    });
}

const checkpoint = async () => {
  const database = await openSuperuser(stack, 'payments');
  await database.rows('CHECKPOINT');
  await database.close();
};

/* What a code looks like where it is kept: as a value of JSON, of a row, or next to its name. */
const codePattern = (code) => `("${code}"|[(,]${code}[,)]|cvc[^0-9]{0,4}${code})`;

/* --- the payments ----------------------------------------------------------------------------- */

before(async () => {
  let amount = 4000;
  for (const card of CARDS) await pay(card, amount++);
  assert.equal((await pay(REFUSED, amount++)).status, 422);

  /* Cut off while the bank stands still: the number is kept, sealed, until the outcome is known. */
  const bank = await stack.freeze('bank-simulator');
  const key = newKey();
  const cut = pay(UNRESOLVED, 4999, { key }).catch(() => undefined);
  const sealed = () =>
    till.database.value("SELECT count(*) FROM payments WHERE amount = 4999 AND status = 'processing'");
  await waitFor('the payment to be under way', async () => (await sealed()) === 1);
  await stack.kill('payment-service');
  await cut;
  const god = await openSuperuser(stack, 'payments');
  assert.equal(await god.value('SELECT count(*) FROM payments WHERE card_sealed IS NOT NULL'), 1);
  await god.close();
  assert.deepEqual(await tablesWith(UNRESOLVED.number), [], 'while it is unresolved');

  bank.thaw();
  stack.start('payment-service');
  await stack.ready('payment-service');
  await waitFor('the payment to end', async () => (await sealed()) === 0, { within: 60_000 });
  await untilQuiet(stack);
});

describe('no card number and no security code', () => {
  test('is in any table of any database', async () => {
    for (const number of numbers) assert.deepEqual(await tablesWith(number), [], number);
    for (const code of codes) assert.deepEqual(await tablesWith(codePattern(code)), [], code);
  });

  test('is kept sealed once the outcome is known', async () => {
    const god = await openSuperuser(stack, 'payments');
    assert.equal(await god.value('SELECT count(*) FROM payments WHERE card_sealed IS NOT NULL'), 0);
    assert.ok((await god.value('SELECT count(*) FROM payments')) >= CARDS.length + 1);
    await god.close();
  });

  test('is in any log, in the files of the broker, or in those of Postgres', async () => {
    await checkpoint();
    const shapes = codes.flatMap((code) => [`"cvc":"${code}"`, `"cvc": "${code}"`, `cvc>${code}<`]);
    assert.deepEqual(filesWith([...numbers, ...shapes]), []);
  });

  test('is told by the bank, by metrics, or by the list of calls', async () => {
    const told = [
      JSON.stringify(await till.calls()),
      (await stack.shop(stack.urlOf('payment-service'), undefined).get('/metrics')).text,
      (await stack.shop(stack.urlOf('bank-simulator'), undefined).get('/metrics')).text,
    ].join('\n');
    assert.ok(told.length > 1000);
    for (const number of numbers) assert.ok(!told.includes(number), number);
  });
});

describe('the processes', () => {
  test('leave no core file, and no secret where others look', async () => {
    const secrets = ['bank-key', 'bank-control-key', 'bank-webhook-secret', 'payment-key']
      .map((name) => readFileSync(path.join(stack.home, 'secrets', name), 'utf8').trim());
    for (const name of ['payment-service', 'bank-simulator', 'order-service', 'voucher-service']) {
      const pid = await stack.pid(name);
      const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
      assert.match(limits, /^Max core file size +0 +/m, name);
      const shown =
        readFileSync(`/proc/${pid}/environ`, 'latin1') + readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      for (const secret of secrets) assert.ok(!shown.includes(secret), `${name} shows a secret`);
    }
  });
});

test('a number that somebody types where it does not belong is found by this search', async () => {
  const { id } = await till.order(500, { client_reference: PLANTED });
  assert.ok(id);
  await untilQuiet(stack);
  await checkpoint();
  assert.deepEqual((await tablesWith(PLANTED)).sort(), ['orders.public.events', 'orders.public.orders']);
  assert.ok(filesWith([PLANTED]).some((file) => file.includes('postgres/')), 'in no file of Postgres');
});
