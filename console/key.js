/*
 * The API key: asked for once, kept in the browser's session storage until the tab is closed, and
 * sent to nobody but the edge and the bus behind it.
 */
import { Api } from './api.js';
import { Problem } from './problem.js';

const PLACE = 'checkout.key';

/** Who is calling: what GET /v1/key says, the API with that key, and the login to the bus. */
export class Caller {
  constructor(secret, { id, merchant_id, scopes }) {
    this.id = id;
    this.merchant = merchant_id;
    this.scopes = scopes;
    this.api = new Api(secret);
    this.login = { username: id, password: secret.slice(secret.lastIndexOf('_') + 1) };
  }

  may(...scopes) {
    return scopes.every((scope) => this.scopes.includes(scope));
  }

  get isOfEveryMerchant() {
    return this.merchant === '*';
  }
}

/** The caller whose key is kept, or null. */
export async function recall() {
  const secret = sessionStorage.getItem(PLACE);
  return secret ? identify(secret) : null;
}

/** Finds out whose key it is, and keeps it if it is anybody's. */
export async function signIn(text) {
  const secret = text.trim();
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    throw new Problem({ title: 'This is no key', detail: 'A key is one word: ck_<key id>_<secret>.', code: 'key_blank' });
  }
  const caller = await identify(secret);
  sessionStorage.setItem(PLACE, secret);
  return caller;
}

export function signOut() {
  sessionStorage.clear();
}

async function identify(secret) {
  return new Caller(secret, await new Api(secret).get('/v1/key'));
}
