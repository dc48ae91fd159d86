/*
 * A postman: webhooks as a bank sends them, and as nobody should.
 *
 * Signed as Standard Webhooks say: HMAC-SHA256 over "id.timestamp.body" with the secret's bytes.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Shop } from './shop.js';

/** The secret that the stack's bank and its payment-service share. */
export const bankSecret = (stack) =>
  readFileSync(path.join(stack.home, 'secrets', 'bank-webhook-secret'), 'utf8').trim();

export const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

export function signature(secret, id, timestamp, body) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
  return `v1,${hmac.digest('base64')}`;
}

export class Postman {
  constructor(stack) {
    this.shop = new Shop({ url: stack.env.PAYMENT_URL });
    this.secret = bankSecret(stack);
    stack.shops.push(this.shop);
  }

  /**
   * Posts a body, signed with `secret`; `id`, `timestamp` and `signed` (the body that is signed) are
   * the good ones unless said otherwise, and `headers` replace what would be sent (undefined removes
   * one).
   */
  post(body, options = {}) {
    const { gateway = 'bank-a', merchant = 'demo', secret = this.secret, type } = options;
    const { id = randomUUID(), timestamp = Math.floor(Date.now() / 1000), signed = body } = options;
    const headers = {
      'content-type': type ?? (gateway === 'bank-c' ? 'text/xml; charset=utf-8' : 'application/json'),
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signature(secret, id, timestamp, signed),
      ...options.headers,
    };
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
    return this.shop.post(`/v1/provider_webhooks/${gateway}/${merchant}`, body, { headers });
  }
}

/** A record of the bank, as its webhooks carry it. */
export function record(reference, overrides = {}) {
  return {
    id: 'op_01jd0000000000000000000000',
    operation: 'authorize',
    reference,
    authorization: null,
    status: 'approved',
    amount: 4711,
    currency: 'EUR',
    captured: true,
    failure: null,
    action_url: null,
    created_at: '2026-01-31T23:59:59.123Z',
    ...overrides,
  };
}

/** A notice about a record: an object, to be sent as JSON. */
export function notice(operation, overrides = {}) {
  return {
    id: randomUUID(),
    type: 'authorization.approved',
    account: 'demo',
    created_at: '2026-01-31T23:59:59.123Z',
    operation,
    ...overrides,
  };
}

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const BANK = 'urn:checkout:bank:1';

/** The same in SOAP 1.1; `raw` replaces the record's text, `head` stands before the envelope. */
export function envelope({ operation, ...members }, { head = '', message = 'Notification', raw } = {}) {
  const fields = Object.entries(operation).filter(([, value]) => value !== null);
  const text = raw ?? fields.map(([name, value]) => `<${name}>${value}</${name}>`).join('');
  const outer = Object.entries(members).map(([name, value]) => `<${name}>${value}</${name}>`);
  return (
    `<?xml version="1.0" encoding="UTF-8"?>${head}` +
    `<soap:Envelope xmlns:soap="${SOAP}"><soap:Body><${message} xmlns="${BANK}">` +
    `${outer.join('')}<record>${text}</record></${message}></soap:Body></soap:Envelope>`
  );
}
