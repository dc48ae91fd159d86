/*
 * Properties: random sequences of steps. Each step is done to the service and to a model of it, and
 * both have to say the same, until the sequence ends or they disagree; then fast-check looks for a
 * shorter sequence after which they still do.
 *
 * Steps name what they are about by slots (the order "a"), not by numbers, so that a sequence means
 * the same when a step that did not matter is taken out of it; a step about an empty slot is skipped.
 */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import fc from 'fast-check';

import { runSeed } from './random.js';

const STEPS_MAX = 60;

/** How many sequences are played where the file's own default is `standard`. */
export const propertyRuns = (standard) => Number(process.env.TEST_PROPERTY_RUNS ?? standard);

class Step {
  constructor(name, wish, { when, play }) {
    Object.assign(this, { name, wish, when, play });
  }

  check(model) {
    return this.when(model, this.wish);
  }

  async run(model, real) {
    real.steps.set(this.name, (real.steps.get(this.name) ?? 0) + 1);
    await this.play(model, real, this.wish);
  }

  toString() {
    const wish = Object.entries(this.wish).filter(([, value]) => value !== undefined);
    return `\n  ${this.name} ${inspect(Object.fromEntries(wish), { breakLength: Infinity, depth: 5 })}`;
  }
}

/**
 * Steps of one kind, `weight` times as often as one of weight 1. `wish` is an object of arbitraries:
 * what is asked for. `play(model, real, wish)` does it to both, if `when(model, wish)`.
 */
export function step(name, weight, wish, play, when = () => true) {
  const steps = fc.record(wish).map((chosen) => new Step(name, chosen, { when, play }));
  return Array(weight).fill(steps);
}

/** One of `choices`, an object from choice to how often it is made; undefined is spelled "none". */
export function chosen(choices) {
  const made = ([name, weight]) => ({ arbitrary: fc.constant(name === 'none' ? undefined : name), weight });
  return fc.oneof(...Object.entries(choices).map(made));
}

/**
 * Plays `runs` sequences. `begin()` makes { model, real } for each; `end(model, real)` looks at what is
 * left when it is over. What to set to repeat a failure, alone and as short as it was found, is said
 * with it.
 */
export async function expectAgreement(t, steps, { runs, begin, end }) {
  const { TEST_PROPERTY_PATH: path, TEST_PROPERTY_REPLAY: replayPath } = process.env;
  const played = new Map();
  const sequences = fc.commands(steps.flat(), { maxCommands: STEPS_MAX, size: 'max', replayPath });
  const property = fc.asyncProperty(sequences, async (sequence) => {
    const { model, real } = await begin();
    real.steps = played;
    await fc.asyncModelRun(() => ({ model, real }), sequence);
    await end(model, real);
  });
  const options = {
    numRuns: runs,
    seed: runSeed(),
    path,
    endOnFailure: path !== undefined,
  };
  const details = await fc.check(property, options);
  const count = [...played.values()].reduce((sum, times) => sum + times, 0);
  t.diagnostic(`${details.numRuns} sequences of ${count} steps (seed ${details.seed})`);
  t.diagnostic([...played].map(([name, times]) => `${name}: ${times}`).join(', '));
  assert.ok(!details.failed, details.failed ? storyOf(details) : undefined);
}

function storyOf({ seed, counterexample, counterexamplePath, errorInstance, numShrinks }) {
  const sequence = String(counterexample[0]);
  const [, replayPath] = /\/\*replayPath="(.*)"\*\//.exec(sequence) ?? [];
  return (
    `model and service disagree (made shorter ${numShrinks} times) after` +
    `${sequence.replace(/\/\*.*\*\//, '')}\n${errorInstance?.message}\n` +
    `repeat it: TEST_SEED=${seed} TEST_PROPERTY_PATH=${counterexamplePath} ` +
    `TEST_PROPERTY_REPLAY=${replayPath}\n${errorInstance?.stack}`
  );
}
