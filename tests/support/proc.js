/*
 * What Linux tells about a process: enough to start the same one again.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/**
 * Whether the process runs, or holds anything yet: a zombie does not, but a killed program's first
 * thread is one already while the others are still ending, with its ports open.
 */
export function isAlive(pid) {
  const state = stateOf(pid);
  if (state !== 'Z') return state !== undefined && state !== 'X';
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/** 'R', 'S', 'T', ... or undefined when there is no such process. */
export function stateOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}

/** The process that a file like run/postgres.pid means by id and start time, if it lives. */
export function recordedIn(file) {
  try {
    const [pid, started] = readFileSync(file, 'utf8').trim().split(' ').map(Number);
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[19]) === started && fields[0] !== 'Z' ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** The names of the processes that such files of a directory mean; not those of their logs. */
export function namesRecordedIn(directory) {
  return readdirSync(directory)
    .filter((name) => /^[a-z0-9-]+\.pid$/.test(name) && name !== 'supervisor.pid')
    .map((name) => path.basename(name, '.pid'));
}

/** Command line, environment, directory and user of a running process. */
export function recipeOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    argv: words(readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
    environment: Object.fromEntries(
      words(readFileSync(`/proc/${pid}/environ`, 'utf8')).map((line) => {
        const equals = line.indexOf('=');
        return [line.slice(0, equals), line.slice(equals + 1)];
      }),
    ),
    directory: readlinkSync(`/proc/${pid}/cwd`),
    program: readlinkSync(`/proc/${pid}/exe`),
    uid: Number(/^Uid:\s+(\d+)/m.exec(status)[1]),
    gid: Number(/^Gid:\s+(\d+)/m.exec(status)[1]),
  };
}

/** Its children, and theirs. */
export function descendantsOf(pid) {
  let children;
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  } catch {
    return [];
  }
  if (children === '') return [];
  return children
    .split(' ')
    .map(Number)
    .flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Resident memory in kilobytes. */
export function residentKb(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

function words(text) {
  return text.split('\0').filter((word) => word !== '');
}
