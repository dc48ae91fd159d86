/*
 * The services' programs by themselves - what they say about themselves and how they end - and what
 * the launcher's users expect beside starting and stopping.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { expectCleanAudit, untilQuiet } from '../support/audit.js';
import { urlFor } from '../support/database.js';
import { runLauncher, top } from '../support/launcher.js';
import { runAlone, runProgram } from '../support/program.js';
import { expectStatus, invoice } from '../support/shop.js';
import { SLOWDOWN } from '../support/slowdown.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const SERVICES = ['order-service', 'payment-service', 'voucher-service'];
const QUICK_MS = 5000 * SLOWDOWN;

const stack = await startStack();
after(() => stack.stop());

const shop = stack.shop();

/** A port in the range of this stack that nothing listens on. */
const nobodysPort = (number) => String(stack.portBase + 30 + number);

describe('exit codes', () => {
  test('a service with a wrong setting exits with 2 and names it', async () => {
    const rows = [
      [{ PORT: 'eighty' }, /\bPORT\b/],
      [{ PORT: '70000' }, /\bPORT\b/],
      [{ PORT: undefined }, /\bPORT\b/],
      [{ DATABASE_URL_FILE: undefined }, /\bDATABASE_URL\b/],
      [{ DATABASE_URL_FILE: '/nowhere/at/all' }, /\bDATABASE_URL/],
      [{ DATABASE_URL: 'postgresql://x' }, /\bDATABASE_URL/],
      [{ DATABASE_URL_FILE: undefined, DATABASE_URL: 'postgresql://x:zz%zz@x/x' }, /\bDATABASE_URL: is not/],
      [{ ACCESS_DATABASE_URL_FILE: undefined, ACCESS_DATABASE_URL: 'postgresql://x:zz@zz@x/x' }, /\bACCESS_DATABASE_URL: is not/],
      [{ LOG_LEVEL: 'loud' }, /\bLOG_LEVEL\b/],
      [{ TRUSTED_PROXIES: '10.0.0.0/33' }, /\bTRUSTED_PROXIES\b/],
      [{ RATE_LIMIT_PER_KEY: '0' }, /\bRATE_LIMIT_PER_KEY\b/],
      [{ STREAMS: ',' }, /\bSTREAMS: /],
      [{ STREAMS: '0,one' }, /\bSTREAMS: /],
      [{ STREAMS: '32768' }, /\bSTREAMS: /],
      [{ STREAMS: '0,1,2,3,4,5,6,7,8' }, /\bSTREAMS: /],
    ];
    for (const service of SERVICES) {
      for (const [changes, named] of rows) {
        const { code, stderr } = await runProgram(stack, service, [], changes);
        assert.equal(code, 2, `${service} ${JSON.stringify(changes)}: ${stderr}`);
        assert.match(stderr, named);
        assert.doesNotMatch(stderr, /zz/, 'a piece of a password is told');
      }
      assert.equal((await runAlone(service, [])).code, 2, 'without any setting');
    }
  });

  test('a payment-service without banks, or with a key that is none, names the setting', async () => {
    const rows = [
      [{ GATEWAYS_FILE: undefined }, /\bGATEWAYS\b/],
      [{ GATEWAYS_FILE: '/nowhere/at/all' }, /\bGATEWAYS/],
      [{ GATEWAYS_FILE: undefined, GATEWAYS: '[]' }, /\bGATEWAYS: /],
      [{ GATEWAYS_FILE: undefined, GATEWAYS: '[{"name": "bank-a"}]' }, /\bGATEWAYS: .*\/0\/protocol\b/],
      [{ PAYMENT_KEY_FILE: undefined, PAYMENT_KEY: 'short' }, /\bPAYMENT_KEY: .*32 characters/],
    ];
    for (const [changes, named] of rows) {
      const { code, stderr } = await runProgram(stack, 'payment-service', [], changes);
      assert.equal(code, 2, `${JSON.stringify(changes)}: ${stderr}`);
      assert.match(stderr, named);
    }
  });

  test('a service whose database is not there exits with 3 within its deadline', async () => {
    const url = new URL(urlFor(stack, 'orders_service', 'orders'));
    url.port = nobodysPort(0);
    const { code, stderr } = await runProgram(stack, 'order-service', [], {
      DATABASE_URL_FILE: undefined,
      DATABASE_URL: url.href,
      PORT: nobodysPort(1),
      HEALTH_PORT: nobodysPort(2),
    });
    assert.equal(code, 3, stderr);
    assert.ok(!stderr.includes(url.password), 'the password is not told');
  });

  test('a service whose port is taken says which, and does not start', async () => {
    const { code, stderr } = await runProgram(stack, 'order-service', []);
    assert.equal(code, 2, stderr);
    const own = [stack.portBase + 1, stack.portBase + 15].map(String);
    assert.ok(
      own.some((port) => stderr.includes(port)),
      stderr,
    );
  });

  test('the launcher exits with 2 and names what it does not understand', async () => {
    const rows = [
      [['fly'], {}, /fly/],
      [['up', '--sideways'], {}, /--sideways/],
      [['psql', 'nowhere'], {}, /nowhere/],
      [['test', 'everything'], {}, /everything/],
      [['test', 'fuzz', '--target', 'money,nothing'], {}, /no target 'nothing'/],
      [['test', 'fuzz', '--minutes'], {}, /--minutes N/],
      [['events', 'tail', 'UPPER'], {}, /UPPER/],
      [['help', 'nothing'], {}, /nothing/],
      [['help', 'up', 'down'], {}, /help takes/],
      [['merchants', 'create'], {}, /merchants takes/],
      [['audit', '--wait', '99999999999999999999'], {}, /--wait/],
      [['status'], { CHECKOUT_PORT_BASE: 'eighty' }, /CHECKOUT_PORT_BASE.*eighty/],
      [['status'], { CHECKOUT_INSTANCES: '0' }, /CHECKOUT_INSTANCES/],
    ];
    for (const [args, changes, named] of rows) {
      const { code, stderr } = await runLauncher(args, { ...stack.environment, ...changes });
      assert.equal(code, 2, `${args}: ${stderr}`);
      assert.match(stderr, named);
    }
  });
});

test('help tells of all commands, or of the one that was asked for', async () => {
  const help = async (...args) => (await runLauncher(args, stack.environment)).stdout;
  const all = await help('help');
  assert.equal(await help('--help'), all);
  const one = await help('help', 'dead-letters');
  assert.match(one, /^ {2}dead-letters list .*\n +events that were put aside\n$/);
  assert.ok(all.includes(one));
  assert.equal(await help('dead-letters', '--help'), one);
});

describe('what a program prints about itself', () => {
  for (const service of SERVICES) {
    test(`the ${service} prints its settings without needing any`, async () => {
      const { code, stdout } = await runAlone(service, ['--settings']);
      assert.equal(code, 0);
      for (const line of stdout.trim().split('\n')) assert.equal(line.split('\t').length, 3, line);
    });

    test(`the ${service} tells its health, its metrics and no series twice`, async () => {
      const at = stack.shop(stack.urlOf(service));
      assert.equal(expectStatus(await at.get('/livez'), 200).json.status, 'alive');
      const ready = expectStatus(await at.get('/readyz'), 200).json;
      assert.equal(ready.status, 'ready', JSON.stringify(ready));
      const metrics = expectStatus(await at.get('/metrics'), 200);
      assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
      const series = metrics.text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => line.slice(0, line.lastIndexOf(' ')));
      assert.ok(series.length > 20);
      assert.equal(new Set(series).size, series.length, 'a series stands there twice');
    });
  }
});

describe('the launcher', () => {
  const again = () => stack.must(['up', '--detach', '--no-install', '--no-restart']);

  test('up starts what is not running', async () => {
    await stack.kill('order-service');
    const { ms } = await again();
    assert.ok(ms < QUICK_MS, `it took ${ms} ms`);
    expectStatus(await shop.get('/v1/orders'), 200);
  });

  test('a command that needs what does not run names it, and what to do', async () => {
    const commands = {
      postgres: ['psql orders', 'audit', 'keys list', 'keys create', 'merchants list', 'merchants create some',
                 'reconcile --date 2026-01-31'],
      broker: ['events tail'],
      edge: ['demo', 'dead-letters list', `dead-letters discard ${randomUUID()}`],
    };
    const empty = {
      ...stack.environment,
      CHECKOUT_HOME: path.join(stack.directory, 'stopped'),
      CHECKOUT_PORT_BASE: nobodysPort(0),
    };
    mkdirSync(empty.CHECKOUT_HOME);
    writeFileSync(path.join(empty.CHECKOUT_HOME, 'settings'), '');
    for (const [name, lines] of Object.entries(commands)) {
      await stack.kill(name, name === 'edge' ? 'SIGTERM' : 'SIGKILL'); /* its workers would live on */
      for (const line of lines) {
        for (const [environment, told] of [
          [empty, /^checkout: Nothing runs in .*stopped\.\n.*checkout up/],
          [stack.environment, new RegExp(`^checkout: ${name} does not answer\\.\n.*checkout up|no answer from http`)],
        ]) {
          const { code, stdout, stderr } = await stack.launchWith(environment, line.split(' '));
          assert.equal(code, 1, `${line}: ${stderr}`);
          assert.equal(stdout, '', line);
          assert.match(stderr, told, line);
          assert.doesNotMatch(stderr, /psql:|curl|Error:|line \d/, line);
        }
      }
      await again();
    }
  });

  test('the demo asks again for what can not be done yet', async () => {
    await stack.kill('payment-service');
    const demo = stack.launch(['demo']);
    await waitFor('the edge to say so', async (seen) => {
      const { stdout } = await stack.must(['logs', 'edge']);
      seen(stdout.slice(-500));
      return stdout.split('\n').some((line) => /"\/v1\/payments"/.test(line) && /"status":503/.test(line));
    });
    await again();
    const { code, stderr } = await demo;
    assert.equal(code, 0, stderr);
  });

  test('down and up keep the data', async () => {
    const sent = await shop.sendOrder(10001);
    await untilQuiet(stack);
    await stack.must(['down']);
    await assert.rejects(shop.get('/livez'), /ECONNREFUSED/);
    await again();
    assert.deepEqual(await shop.order(sent.id), sent);
    await expectCleanAudit(stack);
  });

  test('up in the foreground says so, and Ctrl-C takes the stack down', async () => {
    await stack.must(['down']);
    const options = { env: stack.environment, cwd: top, detached: true };
    const up = spawn(path.join(top, 'checkout'), ['up', '--no-install'], options);
    const ended = once(up, 'exit');
    let shown = '';
    up.stderr.on('data', (chunk) => (shown += chunk));
    await waitFor('it to be up', (seen) => {
      seen(shown);
      return shown.includes('Ctrl-C stops it.');
    }, { within: 30_000 });
    expectStatus(await shop.get('/v1/orders'), 200);
    process.kill(-up.pid, 'SIGINT'); /* a terminal tells the whole group */
    assert.deepEqual(await ended, [0, null], shown);
    for (const { name, pid } of await stack.processes()) assert.equal(pid, null, name);
    await again();
  });

  test('events tail shows events as they happen', async () => {
    const options = { env: stack.environment, cwd: top, detached: true };
    const tail = spawn(path.join(top, 'checkout'), ['events', 'tail'], options);
    let shown = '';
    tail.stdout.on('data', (chunk) => (shown += chunk));
    try {
      await waitFor('an event on the screen', async (seen) => {
        await shop.createOrder(invoice(13700));
        seen(shown);
        return /order\.created.*EUR 137\.00/.test(shown);
      });
    } finally {
      process.kill(-tail.pid, 'SIGTERM');
    }
  });

  test('logs shows what a service said, as JSON lines', async () => {
    const { stdout } = await stack.must(['logs', 'order-service']);
    const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
    assert.ok(lines.length > 0);
    for (const line of lines) assert.equal(JSON.parse(line).service, 'order-service');
  });
});
