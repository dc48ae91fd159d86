/*
 * Rates: how many of what happened in each of the last seconds.
 */
export const SECONDS = 120;

export class Rates {
  constructor(names) {
    this.names = names;
    this.counts = new Map();
  }

  add(name, seconds = now()) {
    const row = this.counts.get(seconds) ?? Object.fromEntries(this.names.map((each) => [each, 0]));
    row[name] += 1;
    this.counts.set(seconds, row);
  }

  /** [seconds, ...one row per name], up to the last whole second, for the chart of `names`. */
  table(names = this.names) {
    const last = now() - 1;
    for (const seconds of this.counts.keys()) if (seconds < last - SECONDS) this.counts.delete(seconds);
    const seconds = Array.from({ length: SECONDS }, (_, i) => last - SECONDS + 1 + i);
    return [seconds, ...names.map((name) => seconds.map((each) => this.counts.get(each)?.[name] ?? 0))];
  }
}

export const now = () => Math.floor(Date.now() / 1000);
