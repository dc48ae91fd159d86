/*
 * A wrong clock for one process of a stack, by libfaketime: its calendar is another one, its stopwatch
 * goes on. Setting a clock does not move the stopwatch either.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/* Debian has a directory for each architecture. */
function library() {
  const below = readdirSync('/usr/lib').map((name) => path.join('/usr/lib', name, 'faketime'));
  const name = 'libfaketime.so.1';
  const found = below.find((directory) => existsSync(path.join(directory, name)));
  if (!found) throw new Error(`there is no ${name}`);
  return path.join(found, name);
}

const offset = (seconds) => `${seconds < 0 ? '' : '+'}${seconds}s`;

/* libfaketime would also mend a fault of an old glibc; with this one that ends each wait at once. */
function withClock(settings) {
  const asan = `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`;
  const stopwatch = { FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_FORCE_MONOTONIC_FIX: '0' };
  return { environment: { LD_PRELOAD: library(), ASAN_OPTIONS: asan, ...stopwatch, ...settings } };
}

/** What a process is started with, so that its calendar is some seconds ahead; negative: behind. */
export function clockAhead(seconds) {
  return withClock({ FAKETIME: offset(seconds) });
}

/** A clock that can be set while its process runs: start it with `changes`, then `set(seconds)`. */
export function clockToSet(stack, name) {
  const file = path.join(stack.directory, `${name}.clock`);
  const set = (seconds) => writeFileSync(file, offset(seconds), { mode: 0o644 });
  set(0);
  return { set, changes: withClock({ FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' }) };
}
