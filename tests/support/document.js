/*
 * A document whose commands are typed as they stand in it, so that the two cannot drift apart.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { launcher, top } from './launcher.js';
import { SLOWDOWN } from './slowdown.js';

/* Longer than any block may take. */
const PATIENCE_MS = 120_000 * SLOWDOWN;

export class Document {
  /** Of a page, the ```sh blocks below each heading of the second level. */
  constructor(...names) {
    this.text = readFileSync(path.join(top, ...names), 'utf8');
    this.blocks = new Map();
    this.taken = new Set();
    for (const section of this.text.split(/^## /m).slice(1)) {
      const title = section.slice(0, section.indexOf('\n'));
      this.blocks.set(title, [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block));
    }
  }

  /** The one block of the section that has these words in it. */
  block(title, words) {
    const found = (this.blocks.get(title) ?? []).filter((block) => block.includes(words));
    assert.equal(found.length, 1, `${found.length} blocks of "${title}" have ${words}`);
    this.taken.add(found[0]);
    return found[0];
  }

  /** Blocks that nobody has taken, as "title: first line". */
  get untried() {
    return [...this.blocks].flatMap(([title, blocks]) =>
      blocks.filter((block) => !this.taken.has(block)).map((block) => `${title}: ${block.split('\n')[0]}`),
    );
  }
}

/**
 * `./checkout` in a folder, as the document has it: it is this checkout's, installs nothing, and
 * builds nothing where the programs under test were built before.
 */
export function putLauncher(folder, program = launcher) {
  const built = process.env.CHECKOUT_BUILD === undefined || program !== launcher ? '' : ' --no-build';
  const text = `#!/bin/sh
verb=$1
[ $# -eq 0 ] || shift
case $verb in
up) exec '${program}' up --no-install${built} "$@" ;;
restore) exec '${program}' restore --no-install "$@" ;;
'') exec '${program}' ;;
esac
exec '${program}' "$verb" "$@"
`;
  writeFileSync(path.join(folder, 'checkout'), text, { mode: 0o755 });
}

/** Types a block in the folder of a stack, whose home is `home` there; its lines have to succeed, or may fail. */
export function typeBlock(stack, block, { folder = stack.directory, settings = {}, mayFail = false } = {}) {
  const script = `set -uo pipefail${mayFail ? '' : ' -e'}\n${block.replace(/\bvar(?=[/. \n])/g, 'home')}`;
  const options = {
    cwd: folder,
    env: { ...stack.environment, ...settings },
    timeout: PATIENCE_MS,
    maxBuffer: 64 * 1024 * 1024,
  };
  return new Promise((resolve, reject) => {
    const child = execFile('bash', ['-c', script], options, (error, stdout, stderr) => {
      if (error && !mayFail) reject(new Error(`${block} ended with ${error.code ?? error.signal}:\n${stdout}\n${stderr}`));
      else resolve({ stdout, stderr });
    });
    child.stdin.end();
  });
}
