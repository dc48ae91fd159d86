/*
 * A stack: Postgres, broker and services of one test file, started by the launcher in a home and on
 * ports of its own.
 *
 * Faults are made by process id, and only to processes of this stack. What was killed is started
 * again from its recipe (command line, environment, directory, user), as a supervisor would.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { copyHome, homeToCopy } from './home.js';
import { environmentFor, mustRun, runLauncher, runLauncherAtExit } from './launcher.js';
import { claimPorts, releasePorts } from './ports.js';
import { descendantsOf, isAlive, namesRecordedIn, recipeOf, recordedIn, stateOf } from './proc.js';
import { Shop } from './shop.js';
import { waitFor } from './wait.js';

/* The servers of root's stacks run as another user, who may read what a test writes for them. */
process.umask(0o022);

const running = new Set();

/** Starts a stack; `settings` are environment variables for it. A fresh one has nothing copied. */
export async function startStack(settings = {}, { restart = false, fresh = false } = {}) {
  const stack = new Stack(await claimPorts(), settings);
  running.add(stack);
  const copied = fresh ? undefined : homeToCopy();
  if (copied) copyHome(copied, stack.asked);
  try {
    await stack.up(restart ? [] : ['--no-restart']);
  } catch (error) {
    await stack.stop().catch(() => {});
    throw error;
  }
  return stack;
}

export class Stack {
  constructor(portBase, settings) {
    /* That user must be able to get here. */
    this.directory = mkdtempSync(path.join(os.tmpdir(), 'checkout-'));
    chmodSync(this.directory, 0o755);
    this.asked = path.join(this.directory, 'home');
    this.portBase = portBase;
    this.environment = environmentFor(this.asked, portBase, settings);
    this.recipes = new Map();
    this.spawned = new Map();
    this.frozen = new Set();
    this.shops = [];
  }

  launch(args, options) {
    return runLauncher(args, this.environment, options);
  }

  /** The same with other settings, for once. */
  launchWith(environment, args, options) {
    return runLauncher(args, environment, options);
  }

  must(args, options) {
    return mustRun(args, this.environment, options);
  }

  async up(options = []) {
    /* Who names the build has built it: it stays the same while tests run beside each other. */
    const built = process.env.CHECKOUT_BUILD === undefined ? [] : ['--no-build'];
    const result = await this.must(['up', '--detach', '--no-install', ...built, ...options]);
    this.env = parseEnv((await this.must(['env'])).stdout);
    this.home = this.asked;
    for (const name of namesRecordedIn(path.join(this.home, 'run'))) {
      const pid = this.recorded(name);
      if (pid) this.recipes.set(name, recipeOf(pid));
    }
    return result;
  }

  /** What `status --json` lists, whether all of it is ready or not. */
  async processes() {
    const { stdout, stderr } = await this.launch(['status', '--json']);
    if (stdout === '') throw new Error(`no status: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** The process id by which `name` runs now. */
  async pid(name) {
    const pid = this.spawned.get(name)?.pid ?? this.recorded(name);
    if (!pid) throw new Error(`${name} does not run`);
    return pid;
  }

  /** The process id that the launcher knows it by; a process that a test started has none. */
  recorded(name) {
    return recordedIn(path.join(this.home, 'run', `${name}.pid`));
  }

  /** A shop with the demo merchant's key. */
  shop(url = this.env.ORDER_URL, key = this.env.CHECKOUT_API_KEY, options = {}) {
    const shop = new Shop({ url, key, ...options });
    this.shops.push(shop);
    return shop;
  }

  /** The demo merchant at the voucher-service. */
  vouchers(key = this.env.CHECKOUT_API_KEY) {
    return this.shop(this.env.VOUCHER_URL, key);
  }

  /** The demo merchant at the payment-service. */
  payments(key = this.env.CHECKOUT_API_KEY) {
    return this.shop(this.env.PAYMENT_URL, key);
  }

  /** Whoever orders the simulated bank about. */
  bank(key = this.env.BANK_CONTROL_KEY) {
    return this.shop(this.env.BANK_URL, key);
  }

  get login() {
    return { username: this.env.MQTT_USERNAME, password: this.env.MQTT_PASSWORD };
  }

  /** kill -9, and wait until it is gone. */
  async kill(name, signal = 'SIGKILL') {
    const pid = await this.pid(name);
    if (!this.recipes.has(name)) this.recipes.set(name, recipeOf(pid));
    process.kill(pid, signal);
    await waitFor(`${name} (${pid}) to end`, () => !isAlive(pid), { every: 2 });
    this.spawned.delete(name);
    return pid;
  }

  async freeze(name) {
    const pid = await this.pid(name);
    this.freezePid(pid);
    await waitFor(`${name} (${pid}) to stand still`, () => stateOf(pid) === 'T', { every: 2 });
    return { pid, thaw: () => this.thaw(pid) };
  }

  /** Stops one process of this stack until thaw(); stop() thaws what is left. */
  freezePid(pid) {
    this.frozen.add(pid);
    process.kill(pid, 'SIGSTOP');
  }

  thaw(pid) {
    this.frozen.delete(pid);
    if (isAlive(pid)) process.kill(pid, 'SIGCONT');
  }

  /** Every process of Postgres, its head first. */
  async serverProcesses() {
    const head = await this.pid('postgres');
    return [head, ...descendantsOf(head)];
  }

  /** Stops all of Postgres; returns what lets it go on. A head that stands still makes and buries no others. */
  async freezeServer() {
    await this.freeze('postgres');
    const pids = await this.serverProcesses();
    for (const pid of pids) this.freezePid(pid);
    return () => pids.forEach((pid) => this.thaw(pid));
  }

  /** Starts what was killed, from its recipe; returns the child at once. */
  start(name, changes = {}) {
    return this.startFrom(name, this.recipes.get(name), changes);
  }

  startFrom(name, recipe, { environment = {}, argv } = {}) {
    const command = argv ?? recipe.argv;
    const log = openSync(path.join(this.directory, `${name}.log`), 'a', 0o666);
    const asOther = process.getuid() === 0 ? { uid: recipe.uid, gid: recipe.gid } : {};
    const child = spawn(recipe.program, command.slice(1), {
      argv0: command[0],
      cwd: recipe.directory,
      env: { ...recipe.environment, ...environment },
      stdio: ['ignore', log, log],
      ...asOther,
    });
    closeSync(log);
    child.on('error', () => {});
    this.spawned.set(name, child);
    return child;
  }

  /** Where a process of ours answers; the second instance of a service is "order-service-1". */
  urlOf(name) {
    if (name === 'bank-simulator') return this.env.BANK_URL;
    const [, service, instance = 0] = /^(order|payment|voucher)-service(?:-(\d+))?$/.exec(name);
    const url = new URL(this.env[`${service.toUpperCase()}_URL`]);
    url.port = Number(url.port) + 10 * Number(instance);
    return url.origin;
  }

  /** Waits until a process of ours answers that it is ready, or has ended instead. */
  async ready(name, { within = 20_000, every = 20 } = {}) {
    const shop = this.shop(this.urlOf(name), undefined);
    const child = this.spawned.get(name);
    const ended = () => child && !runs(child);
    const probe = async (seen) => {
      if (ended()) return true;
      const answer = await shop.get('/readyz', { patience: 1000 });
      seen(answer.text);
      return answer.status === 200;
    };
    try {
      await waitFor(`${name} to be ready`, probe, { within, every });
    } finally {
      shop.close();
    }
    if (ended()) {
      throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}:\n${this.said(name)}`);
    }
  }

  /** The end of what a process said that was started by start(). */
  said(name) {
    const lines = readFileSync(path.join(this.directory, `${name}.log`), 'utf8').split('\n');
    return lines.slice(-8).join('\n');
  }

  /** Ends everything, even after a failure, and reports what the programs complained about. */
  async stop() {
    running.delete(this);
    for (const shop of this.shops) shop.close();
    await this.dismissSpawned();
    const down = await this.launch(['down']);
    releasePorts(this.portBase);
    const complaints = this.complaints();
    if (process.env.CHECKOUT_TEST_KEEP === undefined) {
      rmSync(this.directory, { recursive: true, force: true });
    }
    if (down.code !== 0)
      throw new Error(`./checkout down exited with ${down.code}: ${down.stderr}`);
    if (this.endless.length > 0) throw new Error(`${this.endless} did not end when told to`);
    if (complaints.length > 0) throw new Error(`in the logs: ${complaints.join('\n')}`);
  }

  /** Lets ours that a test started end by themselves: only then are leaks told, and lines counted. */
  async dismissSpawned() {
    for (const pid of this.frozen) this.thaw(pid);
    const ours = [...this.spawned].filter(([name, child]) => isOurs(name) && runs(child));
    for (const [, child] of ours) child.kill('SIGTERM');
    const left = () => ours.filter(([, child]) => runs(child)).map(([name]) => name);
    await waitFor('the programs that a test started to end', () => left().length === 0).catch(() => {});
    this.endless = left();
    this.endSpawned();
  }

  endSpawned() {
    for (const pid of this.frozen) this.thaw(pid);
    for (const child of this.spawned.values()) child.kill('SIGKILL');
    this.spawned.clear();
  }

  /** Lines of any log that tell of a bug: sanitizers, assertions, crashes. */
  complaints() {
    const wrong =
      /AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .*failed/;
    return logFiles(this.directory).flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => wrong.test(line))
        .map((line) => `${path.basename(path.dirname(file))}/${path.basename(file)}: ${line}`),
    );
  }
}

function isOurs(name) {
  return /^((order|payment|voucher)-service(-\d+)?|bank-simulator)$/.test(name);
}

function runs(child) {
  return child.pid !== undefined && (child.exitCode ?? child.signalCode) === null;
}

function logFiles(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(\.log$|^current$|\/log\/)/.test(`${entry.name}`))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function parseEnv(text) {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/* A runner that ends us in the middle must not leave servers behind. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const stack of running) {
      stack.endSpawned();
      runLauncherAtExit(['down'], stack.environment);
    }
    process.exit(1);
  });
}
