/*
 * The simulated bank, as its customers, its listener and whoever orders it about see it.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { expectStatus } from './shop.js';
import { waitFor } from './wait.js';

export const GOOD_CARD = '4242424242424242';

/** A card of the good number that is valid for a while; overrides replace members. */
export function card(overrides = {}) {
  return { number: GOOD_CARD, exp_month: 12, exp_year: 2034, cvc: '123', ...overrides };
}

/** One account at one of the banks that speak JSON. */
export class Account {
  constructor(stack, bank = 'bank-a', account = `test-${randomUUID().slice(0, 8)}`) {
    this.shop = stack.shop(stack.env.BANK_URL, stack.env.BANK_KEY, { connections: 128 });
    this.bank = bank;
    this.name = account;
    this.base = `/${bank}/v1/accounts/${account}`;
  }

  post(what, body, options) {
    return this.shop.post(`${this.base}/${what}`, body, options);
  }

  get(what) {
    return this.shop.get(`${this.base}/${what}`);
  }

  authorization(overrides = {}) {
    return {
      reference: randomUUID(),
      amount: 13700,
      currency: 'EUR',
      capture: true,
      card: card(),
      ...overrides,
    };
  }

  /** Authorizes, and returns the record. */
  async authorize(overrides) {
    return expectStatus(await this.post('authorizations', this.authorization(overrides)), 201).json;
  }

  /** Announces a transfer, and returns the record. */
  async announce(overrides = {}) {
    const body = { reference: randomUUID(), amount: 13700, currency: 'EUR', ...overrides };
    return expectStatus(await this.post('transfers', body), 201).json;
  }

  /** "captures", "refunds" or "voids" of an authorization; returns the record. */
  async follow(what, authorization, amount) {
    const body = { reference: randomUUID(), authorization: authorization.reference };
    if (amount !== undefined) body.amount = amount;
    return expectStatus(await this.post(what, body), 201).json;
  }

  async record(reference) {
    return expectStatus(await this.get(`operations/${reference}`), 200).json;
  }

  voidReference(reference) {
    return this.post('void_references', { reference });
  }

  /** The settlement of today (UTC), a row per object. */
  async settlement(date = new Date().toISOString().slice(0, 10)) {
    const answer = expectStatus(await this.get(`settlements/${date}`), 200);
    const [head, ...rows] = answer.text.split('\r\n').slice(0, -1);
    const names = head.split(',');
    return rows.map((row) =>
      Object.fromEntries(row.split(',').map((value, i) => [names[i], value])),
    );
  }
}

/** The control API. */
export class Control {
  constructor(stack) {
    this.shop = stack.bank();
  }

  async fault(fault) {
    return expectStatus(await this.shop.post('/control/faults', fault), 201).json;
  }

  async faults() {
    return expectStatus(await this.shop.get('/control/faults'), 200).json.data;
  }

  async clear() {
    expectStatus(await this.shop.request('DELETE', '/control/faults'), 204);
  }

  async calls(query = {}) {
    const answer = await this.shop.get(`/control/calls?${new URLSearchParams(query)}`);
    return expectStatus(answer, 200).json.data;
  }

  /** With this fault, and without it afterwards. */
  async during(fault, work) {
    await this.fault(fault);
    try {
      return await work();
    } finally {
      await this.clear();
    }
  }
}

/** Where the bank posts its webhooks to. `answer` may be replaced: it returns a status. */
export class Listener {
  static async start() {
    const listener = new Listener();
    await new Promise((done) => listener.server.listen(0, '127.0.0.1', done));
    return listener;
  }

  constructor() {
    this.heard = [];
    this.answer = () => 204;
    this.server = http.createServer((request, response) => this.serve(request, response));
  }

  /** What BANK_SIMULATOR_WEBHOOK_URL has to be. */
  get url() {
    return `http://127.0.0.1:${this.server.address().port}/hooks/{bank}/{account}`;
  }

  async serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const [, , bank, account] = request.url.split('/');
    const heard = { bank, account, headers: request.headers, text, at: Date.now() };
    if (/json/.test(request.headers['content-type'])) heard.json = parse(text);
    this.heard.push(heard);
    response.statusCode = await this.answer(heard);
    response.end();
  }

  /** What was heard about a reference, as far as it is JSON. */
  about(reference) {
    return this.heard.filter(({ json }) => json?.operation?.reference === reference);
  }

  typesAbout(reference) {
    return this.about(reference).map(({ json }) => json.type);
  }

  /** Waits until `count` webhooks about the reference were heard; returns them. */
  async hear(reference, count = 1, options) {
    return waitFor(
      `${count} webhooks about ${reference}`,
      (seen) => {
        const about = this.about(reference);
        seen(about.map(({ json }) => json.type));
        return about.length >= count && about;
      },
      options,
    );
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a webhook is signed with the home's secret, as Standard Webhooks say. */
export function isGenuine(stack, { headers, text }) {
  const secret = readFileSync(path.join(stack.home, 'secrets', 'bank-webhook-secret'), 'utf8');
  const key = Buffer.from(secret.trim().replace(/^whsec_/, ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  return headers['webhook-signature'] === expected;
}

/** Sends a message to bank-c; the answer's `text` is XML. */
export function sendSoap(account, message, fields, { raw, headers = {} } = {}) {
  const body =
    raw ??
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">' +
      `<s:Body><${message} xmlns="urn:checkout:bank:1">${elements(fields)}</${message}></s:Body></s:Envelope>`;
  return account.shop.post('/bank-c/soap', body, {
    headers: {
      'content-type': 'text/xml; charset=utf-8',
      soapaction: `"urn:checkout:bank:1#${message}"`,
      ...headers,
    },
  });
}

function elements(fields) {
  return Object.entries(fields)
    .map(([name, value]) =>
      typeof value === 'object'
        ? `<${name}>${elements(value)}</${name}>`
        : `<${name}>${value}</${name}>`,
    )
    .join('');
}

/** The text of the first element of that name. */
export function elementOf(xml, name) {
  return new RegExp(`<(?:\\w+:)?${name}[^>]*>([^<]*)<`).exec(xml)?.[1];
}
