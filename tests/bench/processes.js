/*
 * Processes of a stack: the processor time that they used, and the memory that they hold.
 */
import { readFileSync } from 'node:fs';

import { descendantsOf, residentKb } from '../support/proc.js';

/* Of utime and stime in /proc; 100 on Linux, whatever the kernel counts in. */
const TICK_US = 10_000;

const SAMPLE_EVERY_MS = 200;

/** Microseconds of processor that each that runs has used up to now, its children that live included. */
export async function processorTime(stack) {
  const used = {};
  for (const name of stack.recipes.keys()) {
    const pid = await stack.pid(name).catch(() => undefined);
    if (pid === undefined) continue;
    used[name] = [pid, ...descendantsOf(pid)].reduce((sum, each) => sum + usedBy(each), 0);
  }
  return used;
}

function usedBy(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  } catch {
    return 0; /* it has just ended */
  }
}

/**
 * What `work` resolves to, and the memory of these services in MB meanwhile: { result, idle, loaded },
 * as they were before it, and the most that was seen.
 */
export async function watchMemory(stack, names, work) {
  const pids = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await stack.pid(name)])));
  const sample = () => Object.fromEntries(names.map((name) => [name, residentKb(pids[name]) / 1024]));
  const idle = sample();
  const loaded = { ...idle };
  const timer = setInterval(() => {
    for (const [name, mb] of Object.entries(sample())) loaded[name] = Math.max(loaded[name], mb);
  }, SAMPLE_EVERY_MS);
  try {
    return { result: await work(), idle, loaded };
  } finally {
    clearInterval(timer);
  }
}
