/*
 * Turns: two sides measured alternately in one run, so that what the machine does besides meets both.
 *
 * A side is { counts, run(count) -> { perSecond, ... } }: it runs with each count (of connections or
 * clients) in each round, and is judged by its best. `settle` is awaited after each run: what one side
 * leaves to be done must not be done in the other's time.
 */
import { bestOf } from './figures.js';

/** Plays the rounds; returns for each side, by its name, { count, perSecond, spread, runs, all }. */
export async function byTurns(rounds, sides, settle = async () => {}) {
  const runs = Object.fromEntries(
    Object.entries(sides).map(([name, { counts }]) => [name, new Map(counts.map((count) => [count, []]))]),
  );
  for (let round = 0; round < rounds; round++) {
    for (const [name, { counts, run }] of Object.entries(sides)) {
      for (const count of counts) {
        runs[name].get(count).push(await run(count));
        await settle();
      }
    }
  }
  return Object.fromEntries(
    Object.entries(runs).map(([name, each]) => [name, { ...bestOf(each), all: Object.fromEntries(each) }]),
  );
}
