/*
 * wrk: HTTP load of one scenario of requests.lua. A run in which one answer was an error, or a
 * connection broke, has no figures: it throws.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url));
const THREADS = 2;

let runs = 0;

/**
 * Plays the scenario over so many connections; other options are settings of requests.lua.
 * Returns { perSecond, requests, mean, p50, p99 }, times in milliseconds.
 */
export async function wrk(url, key, scenario, { connections, seconds, threads = THREADS, ...settings }) {
  const used = Math.min(threads, connections);
  const environment = {
    ...process.env,
    SCENARIO: scenario,
    KEY: key,
    SEED: String(++runs),
    RUN: randomUUID(),
    THREADS: String(used),
    ...settings,
  };
  const args = ['-t', used, '-c', connections, '-d', `${seconds}s`, '--timeout', '10s', '-s', SCRIPT, url];
  const { stdout } = await run('wrk', args.map(String), { env: environment });
  return figuresOf(JSON.parse(/^RESULT (.*)$/m.exec(stdout)[1]), scenario);
}

function figuresOf(result, scenario) {
  if (result.refused > 0 || result.broken > 0 || result.ran_out > 0 || result.requests === 0) {
    throw new Error(`${scenario}: ${JSON.stringify(result)}`);
  }
  return {
    requests: result.requests,
    perSecond: (result.requests / result.us) * 1e6,
    mean: result.mean_us / 1000,
    p50: result.p50_us / 1000,
    p99: result.p99_us / 1000,
  };
}
