/*
 * The command line, as somebody sits before it: help, progress, colours, errors that say what to do
 * next, events to read, and databases that tell what is in them.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { openSuperuser } from '../support/database.js';
import { makeKey } from '../support/keys.js';
import { launcher, runLauncher, top } from '../support/launcher.js';
import { claimPorts } from '../support/ports.js';
import { Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/;
const help = async (...args) => runLauncher(args, process.env);

/** A command that runs on; what it has said so far, and its end. */
function begin(words, environment, program = launcher) {
  const child = spawn(program, words, { env: environment, cwd: top, detached: true });
  /* As Ctrl-C does it: for all that it has started. */
  const interrupt = () => (process.kill(-child.pid, 'SIGINT'), said.ended);
  const said = { stdout: '', stderr: '', child, ended: once(child, 'close'), interrupt };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (said[name] += text));
  return said;
}

const untilSaid = (command, pattern) =>
  waitFor(`${pattern}`, (seen) => (seen(command.stderr), pattern.exec(command.stderr)));

/** Runs the launcher on a terminal of its own; what it wrote there. */
const onTerminal = (words, environment) =>
  spawnSync('script', ['-qec', [launcher, ...words].join(' '), '/dev/null'],
    { env: { ...environment, TERM: 'xterm' }, encoding: 'utf8', input: '\\q\n' }).stdout;

describe('help', () => {
  test('tells of each command by itself, all of its lines, however it is asked', async () => {
    const commands = [...(await help('help')).stdout.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name);
    assert.ok(commands.length > 20);
    for (const name of new Set(commands)) {
      const told = await help('help', name);
      assert.equal(told.code, 0, name);
      const heads = [...told.stdout.matchAll(/^ {2}(\S+)/gm)].map(([, head]) => head);
      assert.deepEqual(heads, commands.filter((each) => each === name));
      assert.match(told.stdout, /^ {20,}\S|^ {2}\S.* {2,}\S/m, 'it says what it is for');
    }
    const { stdout } = await help('help', 'keys');
    for (const words of [['keys', '--help'], ['keys', '-h'], ['keys', 'create', '--help']]) {
      assert.equal((await help(...words)).stdout, stdout, words.join(' '));
    }
  });

  test('names the command that is near to one that there is none of, and no other', async () => {
    const rows = [['dwon', 'down'], ['statsu', 'status'], ['stop', 'down'], ['tail', 'events'], ['dead', 'dead-letters']];
    for (const [word, near] of rows) {
      for (const words of [[word], ['help', word]]) {
        const refused = await help(...words);
        assert.equal(refused.code, 2);
        assert.match(refused.stderr, new RegExp(`^checkout: There is no command '${word}'\\. Did you mean \`${near}\`\\?`));
      }
    }
    assert.doesNotMatch((await help('xyzzy')).stderr, /Did you mean/);
  });

  test('a name that is near to another is told with it: databases, suites, scopes, types of events', async () => {
    const rows = [
      [['psql', 'ordes'], 'database', 'orders'],
      [['test', 'untt'], 'suite', 'unit'],
      [['keys', 'create', '--scopes', 'order:read'], 'scope', 'orders:read'],
      [['events', 'tail', '--type', 'order.sended'], 'type', 'order.sent'],
    ];
    for (const [words, what, near] of rows) {
      const refused = await help(...words);
      assert.equal(refused.code, 2, refused.stderr);
      assert.match(refused.stderr, new RegExp(`^checkout: There is no ${what} '${words.at(-1)}' \\(did you mean ${near}\\?\\); there are: `));
    }
  });
});

describe('progress', () => {
  /** A step of the launcher that lasts until its standard input ends. */
  const stepUntilTold = (words) => {
    const parts = ['message', 'step'].map((part) => `. ${path.join(top, 'deploy/launcher', `${part}.sh`)}`).join('; ');
    return begin(['-c', `set -euo pipefail; ${parts}; ${words}`], process.env, 'bash');
  };

  test('a step that lasts is told of within two seconds, with how far it is; one that does not is not', async () => {
    const from = performance.now();
    const command = stepUntilTold('step Quick; step Copying; step_note "Copying: 2 of 3"; read -r || true; step_end; say done');
    await untilSaid(command, /Copying/);
    assert.ok(performance.now() - from < 2000 + 1000 * (process.env.TEST_SLOWDOWN ?? 1));
    command.child.stdin.end();
    await command.ended;
    assert.equal(command.stderr, 'Copying: 2 of 3 ...\ndone\n');
  });

  test('nothing more is said of a step whose launcher has failed or was killed', async () => {
    for (const [end, said] of [['fail broken', 'checkout: broken\n'], ['kill -9 $$', '']]) {
      const command = stepUntilTold(`step Copying; ${end}`);
      await command.ended; /* once the last who could speak is gone */
      assert.equal(command.stderr, said);
    }
  });

  test('a build says how far it is, and one that breaks what is broken and what to do', async () => {
    const stack = new Stack(await claimPorts(), {});
    const build = path.join(stack.directory, 'build');
    mkdirSync(build);
    const gate = path.join(build, 'gate');
    spawnSync('mkfifo', [gate]);
    writeFileSync(path.join(build, 'build.ninja'), `rule say
  command = true
rule wait
  command = cat ${gate} && echo "order.c:7:1: error: expected ;" && false
build one: say
build two: wait | one
`);
    const command = begin(['up', '--detach', '--no-install'], { ...stack.environment, CHECKOUT_BUILD: build });
    await untilSaid(command, /^Building: 1 of 2 \.\.\.$/m);
    writeFileSync(gate, '');
    const [code] = await command.ended;
    assert.equal(code, 1);
    assert.match(command.stderr, /^order\.c:7:1: error: expected ;$/m);
    assert.match(command.stderr, /^checkout: The build failed; its messages are above\.\n {2}Mend it, and run this again\.$/m);
    assert.doesNotMatch(command.stderr, /^\[1\/2\]/m);
    await stack.stop();
  });
});

describe('a stack', () => {
  let stack, shop;
  before(async () => {
    stack = await startStack({}, { restart: true });
    shop = stack.shop();
  });
  after(() => stack.stop());

  test('what is written into a file or a pipe has no control characters', async () => {
    const commands = [
      ['up', '--detach', '--no-install', '--no-build'], ['status'], ['env'], ['demo'], ['audit', '--wait', '20'], ['keys', 'list'],
      ['merchants', 'list'], ['dead-letters', 'list'], ['restart', 'voucher-service'], ['psql', 'orders', '-c', 'TABLE ops.relay_lag'],
      ['backup', path.join(stack.directory, 'backup')], ['reconcile', '--date', new Date().toISOString().slice(0, 10)],
    ];
    for (const words of commands) {
      const { stdout, stderr } = await stack.launch(words);
      assert.doesNotMatch(stdout + stderr, CONTROL, words.join(' '));
      assert.ok((stdout + stderr).length > 0, words.join(' '));
    }
  });

  test('colours are for terminals, and for none whose owner sets NO_COLOR', () => {
    assert.match(onTerminal(['demo'], stack.environment), /\x1b\[1m/);
    assert.doesNotMatch(onTerminal(['demo'], { ...stack.environment, NO_COLOR: '1' }), /\x1b/);
  });

  test('waiting is told of: for a process that is not ready yet, and for a quiet moment', async () => {
    const { thaw } = await stack.freeze('postgres');
    const restart = begin(['restart', 'order-service'], stack.environment);
    await untilSaid(restart, /^Waiting for order-service, for \d+ s at most \.\.\.$/m);
    thaw();
    assert.deepEqual((await restart.ended)[0], 0, restart.stderr);
    assert.match(restart.stderr, /^order-service runs again\.$/m);
    const frozen = await stack.freeze('voucher-service');
    await shop.sendOrder(13700);
    const audit = begin(['audit', '--wait', '60'], stack.environment);
    await untilSaid(audit, /^Waiting until nothing is under way, for 60 s at most \.\.\.$/m);
    frozen.thaw();
    assert.deepEqual((await audit.ended)[0], 0, audit.stdout);
  });

  describe('events tail', () => {
    /** What is shown with these options of orders of two merchants that are created and sent. */
    async function tailed(options, enough) {
      const tail = begin(['events', 'tail', ...options], stack.environment);
      await untilSaid(tail, /Ctrl-C/);
      const lines = () => tail.stdout.split('\n').filter((line) => line !== '');
      /* The subscription takes a moment: orders are sent until enough has been seen. */
      const orders = [];
      await waitFor('the events', async (seen) => {
        orders.push(await shop.sendOrder(13700), await lamps.sendOrder(9900));
        seen(tail.stdout);
        return lines().length >= enough;
      }, { within: 30_000, every: 200 });
      await tail.interrupt();
      return { lines: lines(), orders };
    }

    let lamps;
    before(async () => {
      lamps = shop.as(await makeKey(stack, 'lamps', ['orders:read', 'orders:write', 'orders:fulfil']));
    });

    test('shows an event per line: time, merchant, type, subject, and what it is about', async () => {
      const { lines, orders } = await tailed([], 8);
      const pattern = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z {2}\S+ +[a-z_.]+ +[0-9a-f-]{36} {2}EUR \d+\.\d\d, .+$/;
      for (const line of lines) assert.match(line, pattern);
      const ofOne = lines.filter((line) => orders.some(({ id }) => line.includes(id)));
      assert.ok(ofOne.some((line) => /demo +order\.sent +\S+ {2}EUR 137\.00, unpaid$/.test(line)), lines.join('\n'));
      assert.ok(lines.some((line) => /demo +voucher\.issued +\S+ {2}EUR 5\.00, of order /.test(line)), lines.join('\n'));
    });

    test('is filtered by merchant, by kind of subject, by type and by subject', async () => {
      for (const [options, wanted] of [
        [['lamps'], / lamps +order\./],
        [['--type', 'voucher'], / voucher\.issued /],
        [['demo', '--type', 'order.sent'], / demo +order\.sent /],
      ]) {
        for (const line of (await tailed(options, 3)).lines) assert.match(line, wanted, options.join(' '));
      }
      const { id } = await shop.createOrder();
      const tail = begin(['events', 'tail', '--subject', id], stack.environment);
      await untilSaid(tail, /Ctrl-C/);
      let n = 0;
      await waitFor('its event', async () => {
        await shop.createOrder();
        await shop.patch(`/v1/orders/${id}`, { metadata: { n: `${n++}` } });
        return tail.stdout.includes('order.updated');
      });
      await tail.interrupt();
      for (const line of tail.stdout.trim().split('\n')) assert.match(line, new RegExp(` order\\.updated +${id} `));
    });

    test('gives scripts the events as they came', async () => {
      const { lines } = await tailed(['--json'], 3);
      for (const event of lines.map((line) => JSON.parse(line))) {
        assert.equal(event.specversion, '1.0');
        assert.equal(event.data.id, event.subject);
      }
    });

    test('knows every type that the README lists', async () => {
      const rows = [...readFileSync(path.join(top, 'README.md'), 'utf8').matchAll(/^\| (order|payment|refund|voucher) \| (`.*`) \|$/gm)];
      assert.equal(rows.length, 4);
      const types = rows.flatMap(([, noun, names]) => [noun, ...[...names.matchAll(/`(\w+)`/g)].map(([, name]) => `${noun}.${name}`)]);
      const { stderr } = await help('events', 'tail', '--type', 'none');
      assert.deepEqual(/there are: (.*)\.$/m.exec(stderr)[1].split(' ').sort(), types.sort());
    });
  });

  test('psql tells on a terminal which views there are and what for; scripts get what they ask for alone', async () => {
    const shown = onTerminal(['psql', 'payments'], stack.environment);
    for (const view of ['unresolved_attempts', 'payable_orders', 'reservations', 'relay_lag', 'consumer_lag', 'dead_letters']) {
      assert.match(shown, new RegExp(`^ {2}ops\\.${view} +[A-Z].*\\.\\r?$`, 'm'));
    }
    assert.match(onTerminal(['psql', 'access'], stack.environment), /There are no views in access/);
    const asked = await stack.must(['psql', 'payments', '-Atc', 'SELECT 1']);
    assert.deepEqual([asked.stdout, asked.stderr], ['1\n', '']);
    const piped = await stack.must(['psql', 'payments', '-At'], { input: 'SELECT 2' });
    assert.deepEqual([piped.stdout, piped.stderr], ['2\n', '']);
  });

  test('restart names what there is none of, and restarts nothing then', async () => {
    const pid = await stack.pid('order-service');
    const refused = await stack.launch(['restart', 'order-service', 'voucher-servce']);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^checkout: There is no process 'voucher-servce' \(did you mean voucher-service\?\); there are: /);
    assert.equal(await stack.pid('order-service'), pid);
  });

  test('a key of the stack that lacks a scope, is revoked or is not there is named, and up mends it', async () => {
    const ask = async () => (await stack.launch(['dead-letters', 'list'])).stderr;
    const up = async () => {
      await stack.up();
      await waitFor('the key to be good', async (seen) => {
        const said = await ask();
        seen(said);
        return /There are no dead letters/.test(said);
      });
    };
    const told = (pattern) => waitFor(`${pattern}`, async (seen) => {
      const said = await ask();
      seen(said);
      return pattern.test(said);
    });
    const god = await openSuperuser(stack, 'access');
    await god.rows("UPDATE api_keys SET scopes = '{orders:read}' WHERE id = 'operator'");
    await god.close();
    await told(/^ {2}The stack's own key 'operator' has lost a scope\.\n {2}\.\/checkout up {3}gives it back\.$/m);
    await up();
    await stack.must(['keys', 'revoke', 'operator']);
    await told(/^ {2}The stack's own key 'operator' was revoked or changed\.\n {2}\.\/checkout up {3}makes another\.$/m);
    await up();
    rmSync(path.join(stack.home, 'secrets', 'key-operator'));
    assert.match(await ask(), /^checkout: The secret key-operator is not in .*\n {2}\.\/checkout up {3}makes what is missing\.$/m);
  });

  test('a stack that does not run is told of by every command that needs it, with what to do', async () => {
    await stack.must(['down']);
    const commands = [
      ['psql', 'orders'], ['audit'], ['demo'], ['events', 'tail'], ['keys', 'list'], ['keys', 'create'], ['merchants', 'list'],
      ['dead-letters', 'list'], ['restart', 'order-service'], ['backup', path.join(stack.directory, 'other')],
      ['reconcile', '--date', '2026-01-31'],
    ];
    for (const words of commands) {
      /* The key that was lost just now would be missed first. */
      writeFileSync(path.join(stack.home, 'secrets', 'key-operator'), 'ck_operator_none\n');
      const refused = await stack.launch(words);
      assert.equal(refused.code, 1, words.join(' '));
      assert.match(refused.stderr, /^checkout: Nothing runs in .*\n {2}\.\/checkout up {3}starts it\.\n$/, words.join(' '));
    }
    const nowhere = { ...stack.environment, CHECKOUT_HOME: path.join(stack.directory, 'nowhere') };
    for (const words of [['status'], ...commands]) {
      const refused = await stack.launchWith(nowhere, words);
      assert.match(refused.stderr, /^checkout: There is no stack in .*\n {2}\.\/checkout up {3}starts one\.\n$/, words.join(' '));
    }
  });
});
