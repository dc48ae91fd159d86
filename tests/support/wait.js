/*
 * Waiting for a condition, never for a time.
 *
 * A wait has a deadline and says, when it is over, what was waited for and what was seen instead.
 */
import { SLOWDOWN } from './slowdown.js';
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * Asks `probe` until it answers something truthy, and returns that. The probe may call `seen(value)`
 * to say what a failure should show; an error it throws counts as "not yet".
 */
export async function waitFor(what, probe, { within = 10_000, every = 20 } = {}) {
  const patience = within * SLOWDOWN;
  const deadline = performance.now() + patience;
  let shown = 'nothing';
  const seen = (value) => (shown = value);
  for (;;) {
    try {
      const value = await probe(seen);
      if (value) return value;
    } catch (error) {
      shown = error;
    }
    if (performance.now() > deadline) {
      assert.fail(`waited ${patience / 1000} s for ${what}; saw instead: ${show(shown)}`);
    }
    await pause(every);
  }
}

/** Waits until `ask()` equals `expected`. */
export async function waitUntilEqual(what, ask, expected, options) {
  return waitFor(
    `${what} to be ${show(expected)}`,
    async (seen) => {
      const value = await ask();
      seen(value);
      return inspect(value) === inspect(expected) ? { value } : undefined;
    },
    options,
  );
}

/** The promise's value, or a failure that names it once `ms` have passed. */
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    const patience = ms * SLOWDOWN;
    const giveUp = () => reject(new Error(`${what}: nothing for ${patience / 1000} s`));
    timer = setTimeout(giveUp, patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function show(value) {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return inspect(value, { depth: 4, breakLength: 100, maxStringLength: 600 });
}
