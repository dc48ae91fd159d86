/*
 * What was measured, and on what: figures without it say nothing.
 */
import { execFileSync } from 'node:child_process';
import os from 'node:os';

import { top } from '../support/launcher.js';

export function describeMachine() {
  const say = (command, ...args) => firstLine(() => execFileSync(command, args, { cwd: top, encoding: 'utf8' }));
  return {
    processors: `${os.availableParallelism()} x ${os.cpus()[0].model.trim()}`,
    memory_gb: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    postgres: say('pg_config', '--version'),
    mosquitto: say('dpkg-query', '-W', '-f', '${Version}', 'mosquitto'),
    compiler: say('cc', '--version'),
    commit: say('git', 'describe', '--always', '--dirty'),
  };
}

function firstLine(ask) {
  try {
    return ask().trim().split('\n')[0];
  } catch {
    return 'unknown';
  }
}

/** How busy the machine is before anything is measured: others' work makes every figure worthless. */
export const loadBefore = () => os.loadavg()[0];
