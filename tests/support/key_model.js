/*
 * Idempotency-Key as the design has it: of the same merchant, method and path a key stands for one
 * request. Repeated it is answered with what that was answered with; another body under it is refused.
 * What was refused leaves its key unused.
 */
import { REUSED } from './expected.js';

export class KeyModel {
  kept = new Map();

  /** What the key has to say of a request: a refusal, { kept } that it was given, undefined if it is new. */
  find(scope, key, body) {
    const known = key && this.kept.get(`${scope} ${key}`);
    if (!known) return undefined;
    return known.body === JSON.stringify(body) ? { kept: known.value } : REUSED;
  }

  /** The request was answered for good: what later requests with its key are told. */
  keep(scope, key, body, value) {
    if (key) this.kept.set(`${scope} ${key}`, { body: JSON.stringify(body), value });
    return value;
  }
}
