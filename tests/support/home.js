/*
 * Homes that are copies: most of what a first start does (cluster, databases, migrations, secrets) is
 * the same for every stack, so a run of tests does it once and its files begin with copies. Whoever
 * is to see a first start asks for a fresh home.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/* What stays true in another place: all but what runs, what it said, and what it is told. */
const KEPT = ['settings', 'secrets', 'postgres', 'tls', 'edge', 'broker'];

/** Copies what is kept of a home in which nothing runs, owners and rights included. */
export function copyHome(from, to) {
  mkdirSync(to, { mode: 0o700 });
  const parts = KEPT.map((part) => path.join(from, part)).filter((part) => existsSync(part));
  execFileSync('cp', ['-a', '--reflink=auto', ...parts, to]);
  execFileSync('chown', [`--reference=${parts[0]}`, to]);
}

/** The home that this run of tests copies, if it has one. */
export function homeToCopy() {
  return process.env.TEST_HOME || undefined;
}
