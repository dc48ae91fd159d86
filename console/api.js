/*
 * The API, as the edge shows it, with the key that was given.
 */
import { Problem } from './problem.js';

/** Longer than any service takes to give a request up. */
const PATIENCE_MS = 15_000;

export class Api {
  constructor(secret) {
    this.secret = secret;
  }

  get(path, query = {}, signal) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
    const tail = given.length > 0 ? `?${new URLSearchParams(given)}` : '';
    return this.ask('GET', path + tail, { signal });
  }

  /** `key` is the Idempotency-Key: the same one again has no second effect. */
  post(path, body, key) {
    return this.ask('POST', path, { body, key });
  }

  patch(path, body, key) {
    return this.ask('PATCH', path, { body, key });
  }

  /** The answer's object; what is not 2xx is thrown as a Problem. */
  async ask(method, path, { body, key, signal } = {}) {
    const response = await this.send(method, path, { body, key, signal });
    const answer = await read(response);
    if (!response.ok) throw new Problem(answer.code ? answer : unreadable(response));
    return answer;
  }

  /** A text that is no JSON. */
  async text(path, signal) {
    const response = await this.send('GET', path, { signal });
    if (!response.ok) throw new Problem(await read(response));
    return response.text();
  }

  async send(method, path, { body, key, signal }) {
    const headers = { Authorization: `Bearer ${this.secret}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (key) headers['Idempotency-Key'] = key;
    const signals = [AbortSignal.timeout(PATIENCE_MS), ...(signal ? [signal] : [])];
    try {
      return await fetch(path, {
        method, headers, cache: 'no-store', credentials: 'omit', redirect: 'error',
        body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.any(signals),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Problem({ title: 'No answer', detail: 'The shop\'s back end can not be reached just now.', code: 'no_answer' });
    }
  }
}

async function read(response) {
  try {
    return await response.json();
  } catch {
    throw new Problem(unreadable(response));
  }
}

function unreadable({ status }) {
  return { title: 'An answer that can not be read', detail: `The answer has status ${status} and is no document.`,
           code: 'answer_unreadable', status };
}

export const newKey = () => crypto.randomUUID();
