/*
 * A wrong clock for one process of a stack.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import path from 'node:path';

const source = path.join(import.meta.dirname, 'clock_ahead.c');

/** What a process is started with, so that its calendar is some seconds ahead; negative: behind. */
export function clockAhead(stack, seconds) {
  const library = path.join(stack.directory, 'clock_ahead.so');
  if (!existsSync(library)) {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
    chmodSync(library, 0o755); /* the servers of root's stacks run as another user */
  }
  const asan = `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`;
  return { environment: { LD_PRELOAD: library, CLOCK_AHEAD_S: `${seconds}`, ASAN_OPTIONS: asan } };
}
