/*
 * What goes wrong with the simulated bank when it is told so, what it tells by itself, and that
 * kill -9 takes nothing from its book.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, test } from 'node:test';

import {
  Account,
  card,
  Control,
  elementOf,
  isGenuine,
  Listener,
  sendSoap,
} from '../support/bank.js';
import { openInspector } from '../support/database.js';
import { Random, runSeed } from '../support/random.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const listener = await Listener.start();
after(() => listener.stop());
const stack = await startStack({ BANK_SIMULATOR_WEBHOOK_URL: listener.url });
after(() => stack.stop());

const control = new Control(stack);
const account = new Account(stack);
const book = await openInspector(stack, 'bank');
after(() => book.close());
afterEach(async () => {
  await control.clear();
  listener.answer = () => 204;
});

const LOST = /socket hang up|ECONNRESET/;

const isUnknown = async (reference) =>
  (await account.get(`operations/${reference}`)).status === 404;

/* ---- Orders to it --------------------------------------------------------------------------- */

/* bank_faults.h */
const FAULTS_MAX = 64;

test('faults are listed, and ended one by one', async () => {
  const late = await control.fault({ kind: 'latency', delay_ms: 1, amount: 1234 });
  const dead = await control.fault({ kind: 'timeout', operation: 'authorize', card: card().number });
  const listed = await control.faults();
  assert.deepEqual(listed.map(({ id }) => id), [late.id, dead.id]);
  assert.ok(!JSON.stringify(listed).includes(card().number), 'no whole card number is shown');
  const body = account.authorization();
  const held = account.post('authorizations', body, { patience: 20_000 }).catch(({ message }) => message);
  await waitFor('the call to be held', async () => (await control.calls({ reference: body.reference }))[0]?.fault === 'timeout');
  expectStatus(await control.shop.request('DELETE', `/control/faults/${dead.id}`), 204);
  assert.match(await held, LOST, 'whom it held is let go');
  expectProblem(await control.shop.request('DELETE', `/control/faults/${dead.id}`), 404, 'not_found');
  assert.deepEqual((await control.faults()).map(({ id }) => id), [late.id]);
  await account.authorize();
});

test('there are no more faults at once than it can look through', async () => {
  const fault = { kind: 'latency', delay_ms: 1, amount: 1234 };
  for (let i = 0; i < FAULTS_MAX; i++) await control.fault(fault);
  expectProblem(await control.shop.post('/control/faults', fault), 409, 'too_many_faults');
});

test('what came in is forgotten when that is wished', async () => {
  const { reference } = await account.authorize();
  assert.equal((await control.calls({ reference })).length, 1);
  expectStatus(await control.shop.request('DELETE', '/control/calls'), 204);
  assert.deepEqual(await control.calls(), []);
});

test('it takes orders from nobody without its key, and about no bank that is not played', async () => {
  expectProblem(await control.shop.as(undefined).get('/control/faults'), 401, 'key_missing');
  expectProblem(await control.shop.get('/control/calls?bank=bank-z'), 422, 'validation_failed', ['?bank']);
});

/* ---- Calls ---------------------------------------------------------------------------------- */

test('latency answers later', async () => {
  await control.fault({ kind: 'latency', delay_ms: 300 });
  const started = performance.now();
  await account.authorize();
  assert.ok(performance.now() - started >= 300);
});

test('a timeout does nothing and does not answer', async () => {
  await control.fault({ kind: 'timeout', operation: 'authorize' });
  const body = account.authorization();
  await assert.rejects(account.post('authorizations', body, { patience: 500 }), /abort|timeout/i);
  assert.ok(await isUnknown(body.reference));
  const [call] = await control.calls({ reference: body.reference, operation: 'authorize' });
  assert.deepEqual([call.fault, call.answered, call.effect], ['timeout', null, false]);
});

test('who waits in vain is let go when the fault is ended', async () => {
  await control.fault({ kind: 'timeout', operation: 'authorize' });
  const body = account.authorization();
  const answer = account.post('authorizations', body).catch((error) => error);
  await waitFor(
    'the call',
    async () => (await control.calls({ reference: body.reference })).length,
  );
  await control.clear();
  assert.match((await answer).message, LOST);
  const [call] = await control.calls({ reference: body.reference });
  assert.deepEqual([call.answered, call.effect], ['held', false]);
});

test('many that wait in vain keep nobody else from being served', async () => {
  await control.fault({ kind: 'timeout', operation: 'transfer' });
  const body = () => ({ reference: randomUUID(), amount: 1, currency: 'EUR' });
  const waiting = Array.from({ length: 100 }, () =>
    account.post('transfers', body(), { patience: 3000 }).catch((error) => error.message),
  );
  const own = new Account(stack, 'bank-a', account.name);
  for (let i = 0; i < 20; i++) await own.authorize();
  const messages = await Promise.all(waiting);
  const lost = messages.filter((message) => LOST.test(message));
  assert.ok(lost.length >= 36 && lost.length < 100, `${lost.length} were let go at once`);
});

test('500, 503 and a reset do nothing', async () => {
  const body = account.authorization();
  const post = () => account.post('authorizations', body);
  await control.during({ kind: 'error_500' }, async () =>
    expectProblem(await post(), 500, 'internal_error'),
  );
  await control.during({ kind: 'unavailable_503', retry_after_s: 7 }, async () => {
    const answer = await post();
    expectProblem(answer, 503, 'bank_unavailable');
    assert.equal(answer.headers['retry-after'], '7');
  });
  await control.during({ kind: 'reset' }, () => assert.rejects(post(), /ECONNRESET/));
  assert.ok(await isUnknown(body.reference));
  const calls = await control.calls({ reference: body.reference, operation: 'authorize' });
  assert.deepEqual(
    calls.map(({ answered, effect }) => [answered, effect]),
    [
      ['500', false],
      ['503', false],
      ['reset', false],
    ],
  );
});

test('an answer is lost after it was done, of every third call', async () => {
  await control.fault({ kind: 'lose_answer', share: [1, 3], operation: 'authorize' });
  const outcomes = [];
  for (let i = 0; i < 6; i++) {
    const body = account.authorization();
    const answer = await account.post('authorizations', body).catch((error) => error);
    outcomes.push(answer.status ?? (LOST.test(answer.message) ? 'lost' : answer.message));
    assert.equal((await account.record(body.reference)).status, 'approved');
  }
  assert.deepEqual(outcomes, [201, 201, 'lost', 201, 201, 'lost']);
  const [fault] = await control.faults();
  assert.deepEqual([fault.matched, fault.struck], [6, 2]);
});

test('a late answer comes after what it tells of', async () => {
  await control.fault({ kind: 'answer_late', delay_ms: 1500, operation: 'authorize' });
  const body = account.authorization();
  let answered = false;
  const answer = account.post('authorizations', body).finally(() => (answered = true));
  await waitFor('the record', async () => !(await isUnknown(body.reference)));
  assert.equal(answered, false);
  expectStatus(await answer, 201);
});

test('what is done late is done, and never answered', async () => {
  await control.fault({ kind: 'do_late', delay_ms: 1000, operation: 'authorize' });
  const body = account.authorization();
  const answer = account.post('authorizations', body).catch((error) => error);
  assert.ok(await isUnknown(body.reference));
  await waitFor('the record', async () => !(await isUnknown(body.reference)));
  assert.match((await answer).message, LOST);
});

test('what is done late is refused when its reference was made dead meanwhile', async () => {
  await control.fault({ kind: 'do_late', delay_ms: 1000, operation: 'authorize' });
  const body = account.authorization();
  const answer = account.post('authorizations', body).catch((error) => error);
  await waitFor(
    'the call',
    async () => (await control.calls({ reference: body.reference })).length,
  );
  expectStatus(await account.voidReference(body.reference), 201);
  assert.match((await answer).message, LOST);
  assert.equal((await account.record(body.reference)).operation, 'void_reference');
});

test('an outage resets every call of one bank, and ends', async () => {
  await control.fault({ kind: 'outage', bank: 'bank-a', seconds: 1 });
  await assert.rejects(account.authorize(), /ECONNRESET/);
  await assert.rejects(account.get(`operations/${randomUUID()}`), /ECONNRESET/);
  await new Account(stack, 'bank-b').authorize();
  await waitFor('the outage to end', () => account.authorize());
});

const MATCHES = [
  ['a card', { card: '5555555555554444' }, { card: card({ number: '5555555555554444' }) }],
  ['an amount', { amount: 4711 }, { amount: 4711 }],
];

for (const [what, match, call] of MATCHES) {
  test(`a fault may be for ${what} alone`, async () => {
    await control.fault({ kind: 'error_500', ...match });
    await account.authorize();
    expectStatus(await account.post('authorizations', account.authorization(call)), 500);
  });
}

test('a fault may be for an account or an operation alone', async () => {
  await control.fault({ kind: 'error_500', account: account.name, operation: 'capture' });
  const other = new Account(stack);
  await other.follow('captures', await other.authorize({ capture: false }), 1);
  const held = await account.authorize({ capture: false });
  const body = { reference: randomUUID(), authorization: held.reference, amount: 1 };
  expectStatus(await account.post('captures', body), 500);
});

test('a fault strikes at most so many times, and by a share that its seed repeats', async () => {
  const strikes = async (fault, calls) => {
    const list = [];
    await control.during({ kind: 'error_500', operation: 'authorize', ...fault }, async () => {
      for (let i = 0; i < calls; i++)
        list.push((await account.post('authorizations', account.authorization())).status === 500);
    });
    return list;
  };
  assert.deepEqual(await strikes({ times: 2 }, 4), [true, true, false, false]);
  const first = await strikes({ probability_percent: 50, seed: 7 }, 30);
  assert.deepEqual(await strikes({ probability_percent: 50, seed: 7 }, 30), first);
  assert.notDeepEqual(await strikes({ probability_percent: 50, seed: 8 }, 30), first);
  assert.ok(first.includes(true) && first.includes(false));
});

test('faults are listed and ended, and no card number is told', async () => {
  const one = await control.fault({ kind: 'reset', card: '4242424242424242', account: 'nobody' });
  const two = await control.fault({ kind: 'latency', delay_ms: 1, account: 'nobody' });
  assert.equal(one.card, '************4242');
  assert.deepEqual(await control.faults(), [one, two]);
  expectStatus(await control.shop.request('DELETE', `/control/faults/${one.id}`), 204);
  expectProblem(
    await control.shop.request('DELETE', `/control/faults/${one.id}`),
    404,
    'not_found',
  );
  assert.deepEqual(await control.faults(), [two]);
  expectProblem(
    await control.shop.post('/control/faults', { kind: 'quake', share: [2, 1] }),
    422,
    undefined,
    ['/kind', '/share'],
  );
});

test('faults strike SOAP as they do JSON', async () => {
  const fields = { account: 'demo', reference: randomUUID() };
  await control.during({ kind: 'unavailable_503', retry_after_s: 3, bank: 'bank-c' }, async () => {
    const answer = expectStatus(await sendSoap(account, 'VoidReference', fields), 500);
    assert.equal(elementOf(answer.text, 'faultcode'), 'soap:Server');
    assert.equal(elementOf(answer.text, 'code'), 'unavailable');
    assert.equal(answer.headers['retry-after'], '3');
  });
  await control.during({ kind: 'lose_answer', bank: 'bank-c' }, () =>
    assert.rejects(sendSoap(account, 'VoidReference', fields), LOST),
  );
  const found = await sendSoap(account, 'LookUp', fields);
  assert.equal(elementOf(found.text, 'status'), 'voided');
});

/* ---- Webhooks ------------------------------------------------------------------------------- */

test('a webhook tells the record, and is signed', async () => {
  const record = await account.authorize();
  const [heard] = await listener.hear(record.reference);
  assert.deepEqual([heard.bank, heard.account], ['bank-a', account.name]);
  assert.equal(heard.headers['content-type'], 'application/json');
  assert.ok(isGenuine(stack, heard));
  assert.ok(Math.abs(heard.at / 1000 - Number(heard.headers['webhook-timestamp'])) < 5);
  const { id, created_at, ...rest } = heard.json;
  assert.equal(id, heard.headers['webhook-id']);
  assert.equal(created_at, record.created_at);
  assert.deepEqual(rest, {
    type: 'authorization.approved',
    account: account.name,
    operation: record,
  });
});

test('a bank that speaks SOAP tells in SOAP', async () => {
  const reference = randomUUID();
  const fields = { account: 'demo', reference, amount: 5000, currency: 'EUR', capture: true };
  await sendSoap(account, 'Authorize', { ...fields, card: card() });
  const heard = await waitFor('the notification', () =>
    listener.heard.find(({ text }) => text.includes(reference)),
  );
  assert.equal(heard.bank, 'bank-c');
  assert.match(heard.headers['content-type'], /^text\/xml/);
  assert.match(heard.text, /<Notification xmlns="urn:checkout:bank:1">/);
  assert.equal(elementOf(heard.text, 'id'), heard.headers['webhook-id']);
  assert.equal(elementOf(heard.text, 'type'), 'authorization.approved');
  assert.ok(isGenuine(stack, heard));
});

test('a webhook that is not taken comes again, signed anew; 410 ends it', async () => {
  const answers = [503, 302];
  const body = account.authorization();
  const isOurs = ({ json }) => json?.operation?.reference === body.reference;
  listener.answer = (heard) => (isOurs(heard) ? (answers.shift() ?? 204) : 204);
  expectStatus(await account.post('authorizations', body), 201);
  const heard = await listener.hear(body.reference, 3, { within: 15_000 });
  assert.equal(new Set(heard.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.ok(heard.every((each) => isGenuine(stack, each)));
  assert.ok(heard[1].at - heard[0].at >= 950, 'after a second');
  assert.ok(heard[2].at - heard[1].at >= 4950, 'after five seconds');

  listener.answer = () => 410;
  const gone = await account.authorize();
  const [last] = await listener.hear(gone.reference);
  const row = () =>
    book.rows('SELECT tries, answer, due_at FROM webhooks WHERE id = $1', [last.json.id]);
  await waitUntilEqual('the webhook', row, [{ tries: 1, answer: 410, due_at: null }]);
});

test('a webhook may come before the answer', async () => {
  await control.fault({ kind: 'webhook_before_answer' });
  const body = account.authorization();
  let answered = false,
    let_go;
  listener.answer = () => new Promise((done) => (let_go = () => done(204)));
  const answer = account.post('authorizations', body).finally(() => (answered = true));
  await listener.hear(body.reference);
  assert.equal(answered, false);
  listener.answer = () => 204;
  let_go();
  expectStatus(await answer, 201);
  assert.equal(listener.about(body.reference).length, 1);
});

test('a webhook may be repeated, twice or as often as is said', async () => {
  for (const [fault, count] of [
    [{}, 2],
    [{ times: 4 }, 4],
  ]) {
    await control.during({ kind: 'webhook_repeat', ...fault }, async () => {
      const { reference } = await account.authorize();
      const heard = await listener.hear(reference, count);
      assert.equal(new Set(heard.map(({ text }) => text)).size, 1);
      const [{ json }] = heard;
      const isOver = () =>
        book.value('SELECT due_at IS NULL FROM webhooks WHERE id = $1', [json.id]);
      await waitUntilEqual('its end', isOver, true);
      assert.equal(listener.about(reference).length, count);
    });
  }
});

test('webhooks may come in another order', async () => {
  await control.fault({ kind: 'webhook_reorder', operation: 'authorize' });
  const held = await account.authorize({ capture: false });
  const capture = await account.follow('captures', held, 1);
  const [first] = await listener.hear(held.reference);
  const [second] = await listener.hear(capture.reference);
  assert.ok(listener.heard.indexOf(second) < listener.heard.indexOf(first));
});

test('a webhook may come late, or never', async () => {
  await control.fault({ kind: 'webhook_late', delay_ms: 1000, operation: 'authorize' });
  await control.fault({ kind: 'webhook_drop', operation: 'capture' });
  const started = Date.now();
  const held = await account.authorize({ capture: false });
  const capture = await account.follow('captures', held, 1);
  const [late] = await listener.hear(held.reference);
  assert.ok(late.at - started >= 1000);
  assert.deepEqual(listener.about(capture.reference), []);
  const row = await book.rows(
    "SELECT mode, due_at FROM webhooks WHERE body LIKE '%' || $1 || '%'",
    [capture.reference],
  );
  assert.deepEqual(row, [{ mode: 'dropped', due_at: null }]);
});

test('a webhook may be forged, or speak of another reference', async () => {
  await control.during({ kind: 'webhook_forged' }, async () => {
    listener.answer = () => 401;
    const { reference } = await account.authorize();
    const [forged] = await listener.hear(reference);
    assert.equal(isGenuine(stack, forged), false);
    const isOver = () =>
      book.value('SELECT due_at IS NULL FROM webhooks WHERE id = $1', [forged.json.id]);
    await waitUntilEqual('its end', isOver, true);
    listener.answer = () => 204;
  });
  const other = randomUUID();
  await control.fault({ kind: 'webhook_other_reference', reference: other });
  const { reference } = await account.authorize();
  const [heard] = await listener.hear(other);
  assert.ok(isGenuine(stack, heard));
  assert.deepEqual(listener.about(reference), []);
});

test('any webhook can be made up', async () => {
  const reference = randomUUID();
  const base = { bank: 'bank-a', account: 'demo', type: 'transfer.paid', operation: { reference } };
  const send = async (changes) =>
    expectStatus(await control.shop.post('/control/webhooks', { ...base, ...changes }), 200).json;
  listener.answer = () => 202;
  assert.deepEqual((await send({ repeat: 2 })).answers, [202, 202]);
  await send({ forged: true });
  await send({ age_s: 600 });
  const heard = listener.about(reference);
  assert.deepEqual(
    heard.map((each) => isGenuine(stack, each)),
    [true, true, false, true],
  );
  const age = heard[3].at / 1000 - Number(heard[3].headers['webhook-timestamp']);
  assert.ok(age > 595 && age < 605, `${age}`);

  await send({ body: '{"half', content_type: 'text/plain' });
  const malformed = listener.heard.at(-1);
  assert.deepEqual([malformed.text, malformed.headers['content-type']], ['{"half', 'text/plain']);
  await send({
    bank: 'bank-c',
    operation: { reference, failure: { code: 'x', decline_code: null } },
  });
  assert.match(
    listener.heard.at(-1).text,
    new RegExp(
      `<record><reference>${reference}</reference><failure><code>x</code></failure></record>`,
    ),
  );
});

/* ---- kill -9 -------------------------------------------------------------------------------- */

const KILLS = Number(process.env.TEST_BANK_KILLS ?? 5);

/** Asks until it is answered, as a client does that does not know. */
async function insist(what, body) {
  return waitFor(`an answer to ${what}`, async (seen) => {
    const answer = await account.post(what, body);
    seen(answer.text);
    return answer.status < 300 && answer.json;
  });
}

async function storyOf(random) {
  const paid = await insist(
    'authorizations',
    account.authorization({ amount: 100, capture: random.chance(0.5) }),
  );
  const body = () => ({
    reference: randomUUID(),
    authorization: paid.reference,
    amount: random.between(1, 60),
  });
  const others = [];
  if (!paid.captured) others.push(await insist('captures', { ...body(), amount: 100 }));
  others.push(...(await Promise.all([insist('refunds', body()), insist('refunds', body())])));
  return [paid, ...others];
}

test('what was answered is in the book, whenever the bank is killed', async (context) => {
  const seed = runSeed();
  context.diagnostic(`TEST_SEED=${seed}`);
  const told = [];
  let running = true;
  const clients = Array.from({ length: 16 }, async (_, i) => {
    const random = new Random(seed + i);
    while (running) told.push(...(await storyOf(random)));
  });
  for (let i = 0; i < KILLS; i++) {
    const before = told.length;
    await waitFor('the load', () => told.length >= before + 50);
    await stack.kill('bank-simulator');
    stack.start('bank-simulator');
    await stack.ready('bank-simulator');
  }
  running = false;
  await Promise.all(clients);

  for (const record of told) {
    const { captured, ...stored } = await account.record(record.reference);
    const { captured: _then, ...answered } = record;
    assert.deepEqual(stored, answered);
  }
  await expectSoundBook();
  for (const { reference } of told) await listener.hear(reference, 1, { within: 30_000 });
});

/** No payment has a hole in its entries, gave back more than it took, or took more than it may. */
async function expectSoundBook() {
  const holes = await book.rows(
    `SELECT payment FROM entries GROUP BY bank, account, payment
     HAVING count(*) <> max(version) OR min(version) <> 1`,
  );
  assert.deepEqual(holes, []);
  const sums = await book.rows(
    `SELECT e.payment FROM entries e
     JOIN ops.bank_payments p ON p.bank = e.bank AND p.account = e.account AND p.payment = e.payment
     GROUP BY e.payment, p.amount, p.amount_captured, p.amount_refunded
     HAVING coalesce(sum(e.amount) FILTER (WHERE e.movement IN ('capture', 'transfer')), 0)
              <> p.amount_captured
         OR p.amount_refunded > p.amount_captured OR p.amount_captured > p.amount`,
  );
  assert.deepEqual(sums, []);
  const strays = await book.value(
    `SELECT count(*) FROM (SELECT bank, account, reference FROM entries WHERE event = 'opened') e
     FULL JOIN operations o USING (bank, account, reference)
     WHERE e.reference IS NULL OR o.id IS NULL`,
  );
  assert.equal(strays, 0);
}

test('SIGTERM lets go who is held, and ends with 0', async () => {
  await control.fault({ kind: 'timeout', operation: 'transfer' });
  const body = { reference: randomUUID(), amount: 1, currency: 'EUR' };
  const held = account.post('transfers', body).catch((error) => error);
  await waitFor(
    'the call',
    async () => (await control.calls({ reference: body.reference })).length,
  );
  const child = stack.spawned.get('bank-simulator');
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.match((await held).message, LOST);
  stack.start('bank-simulator');
  await stack.ready('bank-simulator');
});
