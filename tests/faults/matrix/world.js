/*
 * The world of a row of the matrix: a stack, what is looked at in it, and a steady load of orders,
 * status changes, redemptions, payments, captures and refunds whose requests and answers are all kept.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import {
  expectCleanAudit,
  expectGaplessLog,
  expectLoadStored,
  untilQuiet,
} from '../../support/audit.js';
import { expectBankAgrees, untilSettled } from '../../support/book.js';
import { Customers } from '../../support/customers.js';
import { urlFor } from '../../support/database.js';
import { Load } from '../../support/load.js';
import { Proxy } from '../../support/proxy.js';
import { Random } from '../../support/random.js';
import { startStack } from '../../support/stack.js';
import { askAlways, changeGateways, openTill } from '../../support/till.js';
import { earnVouchers } from '../../support/wallet.js';
import { putOnSmallDisks } from './disks.js';

export const SERVICES = ['order-service', 'payment-service', 'voucher-service'];

const ROLES = {
  'order-service': ['orders_service', 'orders'],
  'payment-service': ['payments_service', 'payments'],
  'voucher-service': ['vouchers_service', 'vouchers'],
};

/* Short, so that what a fault leaves reserved lapses while the round watches. */
const HOLD_S = 8;
const VOUCHERS = 30;

/* Requests per second and connections: half of what a small machine does. */
const RATE = { perSecond: 40, clients: 10, prepaid: 0.1 };
const CUSTOMERS = ['order', 'refund', 'capture', 'release', 'decline', 'regret'];

/* What waits behind a fault may take long: a minute is what issue and readers are promised. */
const QUIET = { within: 60_000 };

export class World {
  /** Rounds that were played on it. */
  rounds = 0;

  /**
   * `kind`: plain, twins (two instances of each service), proxied (a proxy before every server), or
   * disks (a small disk for each that writes, and a supervisor for each process).
   */
  static async make(kind) {
    const settings = { VOUCHER_HOLD_S: String(HOLD_S) };
    if (kind === 'twins') settings.CHECKOUT_INSTANCES = '2';
    const world = new World(await startStack(settings), kind);
    world.till = await openTill(world.stack);
    /* A bank that fails because of a fault of ours is asked again: the matrix is not about breakers. */
    await changeGateways(world.stack, askAlways);
    world.wallet = await earnVouchers(world.stack, VOUCHERS);
    if (kind === 'proxied') await world.putProxies();
    if (kind === 'disks') await world.putDisks();
    return world;
  }

  constructor(stack, kind) {
    Object.assign(this, { stack, kind, proxies: {}, disks: {} });
    this.shop = stack.shop();
  }

  async end() {
    for (const proxy of Object.values(this.proxies)) proxy.close();
    await this.till.close();
    await this.endDisks();
    await this.stack.stop();
  }

  /** Each on a disk of its own; whatever ends is started again by its supervisor. */
  async putDisks() {
    await this.stack.kill('payment-service', 'SIGTERM');
    await this.stack.must(['down']);
    this.disks = putOnSmallDisks(this.stack);
    await this.stack.up();
    await this.till.reconnect();
  }

  async endDisks() {
    if (Object.keys(this.disks).length === 0) return;
    await this.stack.launch(['down']);
    for (const disk of Object.values(this.disks)) disk.end();
  }

  /** The processes of a service: one, or two. */
  instancesOf(service) {
    return this.kind === 'twins' ? [service, `${service}-1`] : [service];
  }

  /** Everybody reaches the database, the broker and the bank by way of a proxy. */
  async putProxies() {
    const { env } = this.stack;
    const ports = {
      postgres: new URL(env.ORDERS_DATABASE_URL).port,
      broker: new URL(env.MQTT_URL).port,
      bank: new URL(env.BANK_URL).port,
    };
    for (const [name, port] of Object.entries(ports)) this.proxies[name] = await Proxy.to(Number(port));
    for (const service of SERVICES) this.leadThroughProxies(service);
    for (const service of SERVICES) await this.stack.kill(service, 'SIGTERM');
    for (const service of SERVICES) await this.start(service);
    await changeGateways(this.stack, (gateway) => {
      gateway.origins = `http://127.0.0.1:${this.proxies.bank.port}`;
    });
  }

  /** From its next start on. */
  leadThroughProxies(service) {
    const { environment } = this.stack.recipes.get(service);
    environment.MQTT_PORT = String(this.proxies.broker.port);
    environment.DATABASE_URL_FILE = this.urlFile(...ROLES[service]);
    environment.ACCESS_DATABASE_URL_FILE = this.urlFile('access_reader', 'access');
  }

  urlFile(role, database) {
    const file = path.join(this.stack.directory, `url-${role}`);
    const url = new URL(urlFor(this.stack, role, database));
    url.port = this.proxies.postgres.port;
    writeFileSync(file, url.href, { mode: 0o644 });
    return file;
  }

  /** Starts what was killed, and waits until it serves again. */
  async start(name, changes) {
    this.stack.start(name, changes);
    if (/-service(-\d+)?$|^bank-/.test(name)) await this.stack.ready(name, { within: 10_000 });
  }

  startLoad(seed, rate = {}) {
    const whim = new Random(`vouchers ${seed}`);
    const voucher = () => (whim.chance(0.2) ? whim.pick(this.wallet).code : undefined);
    const shops = this.instancesOf('order-service').map((name) => this.stack.shop(this.stack.urlOf(name)));
    this.load = new Load(shops, { ...RATE, ...rate, seed, voucher });
    this.customers = new Customers(this.till, { kinds: CUSTOMERS, banksMayFail: true });
    this.customers.start();
  }

  async stopLoad() {
    await this.load.stop();
    await this.customers.stop();
  }

  /** Nothing waits anywhere, and every invariant holds: I1 by the load's log, the others by the audit. */
  async expectWell() {
    const unanswered = this.load.unanswered.map((request) => request.lastError ?? request.lastStatus);
    if (unanswered.length > 0) throw new Error(`never answered: ${unanswered.slice(0, 3)}`);
    await this.till.reconnect(); /* the server may have been killed under it */
    await untilSettled(this.till, QUIET);
    await untilQuiet(this.stack, QUIET);
    await expectLoadStored(this.stack, this.load);
    for (const name of ['orders', 'payments', 'vouchers']) await expectGaplessLog(this.stack, name);
    await expectBankAgrees(this.stack, this.till);
    await expectCleanAudit(this.stack, QUIET);
  }

  /** Events that the services had to pull from a log, all together, as their metrics count. */
  async pulled() {
    let sum = 0;
    for (const name of SERVICES.flatMap((service) => this.instancesOf(service))) {
      const { text } = await this.shop.at(this.stack.urlOf(name)).get('/metrics');
      for (const [, value] of text.matchAll(/^checkout_consumer_pulled_total\{.*\} (\d+)$/gm)) sum += Number(value);
    }
    return sum;
  }
}
