/*
 * The launcher, run as people run it.
 */
import { SLOWDOWN } from './slowdown.js';
import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the repository. */
export const top = fileURLToPath(new URL('../..', import.meta.url));

export const launcher = path.join(top, 'checkout');

/* Longer than any command may take, short of building, on a machine that is as slow as said. */
const PATIENCE_MS = 120_000 * SLOWDOWN;

/** Settings of the caller that would leak into a stack of a test's own. */
const PRIVATE = /^(CHECKOUT_(?!BUILD$)|ORDER_|PAYMENT_|VOUCHER_|BANK_|GATEWAYS|EDGE_|MQTTS?_|DATABASE_|PG)/;

/** The environment of a stack: this one's, less what belongs to another stack, plus `settings`. */
export function environmentFor(home, portBase, settings = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !PRIVATE.test(name));
  return {
    ...Object.fromEntries(inherited),
    CHECKOUT_HOME: home,
    CHECKOUT_PORT_BASE: String(portBase),
    ...settings,
  };
}

/** Runs `./checkout ...args`; resolves to { code, stdout, stderr, ms } whatever the exit code. */
export function runLauncher(args, environment, { patience = PATIENCE_MS, input } = {}) {
  const started = performance.now();
  return new Promise((resolve) => {
    const options = { env: environment, cwd: top, timeout: patience, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(launcher, args, options, (error, stdout, stderr) => {
      const code = error ? (error.code ?? error.signal) : 0;
      resolve({ code, stdout, stderr, ms: performance.now() - started });
    });
    child.stdin.end(input);
  });
}

/** The same, and an error unless it exits with 0. */
export async function mustRun(args, environment, options) {
  const result = await runLauncher(args, environment, options);
  if (result.code !== 0) {
    throw new Error(
      `./checkout ${args.join(' ')} exited with ${result.code}:\n${result.stderr}\n${result.stdout}`,
    );
  }
  return result;
}

/** While the process ends: nothing can be waited for any more. */
export function runLauncherAtExit(args, environment) {
  spawnSync(launcher, args, { env: environment, cwd: top, timeout: 30_000, stdio: 'ignore' });
}

/** The directory with the programs under test. */
export function buildDirectory() {
  return path.resolve(top, process.env.CHECKOUT_BUILD ?? 'build');
}
