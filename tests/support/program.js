/*
 * A service's program, run by hand: what it prints about itself, and how it ends.
 */
import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';

import { buildDirectory } from './launcher.js';

/** Programs that are not in a folder of their own name. */
const FOLDERS = { 'bank-simulator': 'payment-service/bank-simulator' };

/** The built program of a service. */
export function programOf(service) {
  return path.join(buildDirectory(), FOLDERS[service] ?? service, service);
}

/** A Map of the settings that the program says it knows, to their defaults. */
export function settingsOf(service) {
  const said = execFileSync(programOf(service), ['--settings'], { encoding: 'utf8' });
  return new Map(said.split('\n').filter((line) => line !== '').map((line) => line.split('\t').slice(0, 2)));
}

/**
 * Runs a service's program with the settings that it has in the stack, plus `changes` (undefined
 * removes one); resolves to { code, stdout, stderr }.
 */
export function runProgram(stack, service, args = [], changes = {}) {
  const environment = { ...stack.recipes.get(service).environment, ...changes };
  return runAlone(service, args, environment);
}

/** The same without a stack: `environment` is all it has. */
export function runAlone(service, args, environment = {}, { patience = 30_000 } = {}) {
  return new Promise((resolve) => {
    const options = { env: environment, timeout: patience, maxBuffer: 16 * 1024 * 1024 };
    execFile(programOf(service), args, options, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
  });
}
