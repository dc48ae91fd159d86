/*
 * Random numbers from a seed, so that a failing round can be repeated: TEST_SEED=<seed>.
 */
import { createHash } from 'node:crypto';

/** The seed of this run; printed by the tests that use it. */
export function runSeed() {
  return Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_007);
}

/** Numbers that depend on the seed alone: the hashes of seed and counter, four bytes at a time. */
export class Random {
  constructor(seed) {
    this.seed = seed;
    this.counter = 0;
    this.block = Buffer.alloc(0);
  }

  next() {
    if (this.block.length === 0) {
      this.block = createHash('sha256').update(`${this.seed}:${this.counter++}`).digest();
    }
    const number = this.block.readUInt32BE(0);
    this.block = this.block.subarray(4);
    return number;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound) {
    return this.next() % bound;
  }

  between(low, high) {
    return low + this.below(high - low + 1);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  chance(probability) {
    return this.next() < probability * 2 ** 32;
  }
}
