/*
 * Profiles: where the processors are while one kind of request comes in. For each scenario the
 * processor time of every process per request, and the shares of what perf has seen: of each
 * process, of the libraries in it, and of its foremost symbols.
 *
 *     node profile.mjs [--what orders,changes,payments,get,list,backlog] [--connections N] [--seconds N]
 *
 * A backlog is 100,000 events that were written while the broker and the consumers were away; its
 * connections and seconds are its own.
 *
 * Needs wrk and Linux's perf (package linux-perf), and may look at all processes: root, or a kernel
 * that lets others.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { Bench } from './bench.js';
import { Backlog } from './measures/backlog.js';
import { Pending } from './measures/changes.js';
import { someIds } from './measures/reads.js';
import { processorTime } from './processes.js';

/* Of a second and processor; not a divisor of what timers do. */
const SAMPLES_PER_S = 997;
const SYMBOLS = 12;
const SHARE_MIN = 0.3;

const { values: options } = parseArgs({
  options: {
    what: { type: 'string', default: 'orders,changes,payments,get,list,backlog' },
    connections: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '5' },
  },
});

/* Each prepares its load, and answers how to bring it: to { requests, perSecond }. */
const scenarios = {
  orders: (bench) => wrk(bench, 'orders', {}),
  changes: async (bench) => wrk(bench, 'changes', { IDS: await new Pending(bench).file() }),
  payments: (bench) => wrk(bench, 'payments', { url: bench.stack.env.PAYMENT_URL, KEYED: 'yes' }),
  get: async (bench) => wrk(bench, 'get', { IDS: await someIds(bench) }),
  list: (bench) => wrk(bench, 'list', {}),
  backlog: async (bench) => {
    const piled = await Backlog.pileUp(bench);
    return () => workOff(piled);
  },
};

const wrk = (bench, what, settings) => () => bench.load(what, Number(options.connections), settings);

async function workOff(piled) {
  try {
    await piled.bringBack();
    const at = await piled.untilWorkedOff();
    return { requests: piled.count, perSecond: piled.count / Math.max(...Object.values(at)) };
  } finally {
    await piled.close();
  }
}

async function profile(bench, what) {
  const file = path.join(bench.stack.directory, `${what}.perf`);
  const load = await scenarios[what](bench);
  if (what !== 'backlog') await bench.quiet();
  const before = await processorTime(bench.stack);
  const run = await whileRecording(file, load);
  await bench.quiet();
  tell(what, run, before, await processorTime(bench.stack));
  for (const command of sharesOf(file, 'comm')) {
    const shares = sharesOf(file, 'dso', command.name).map(({ share, name }) => `${name} ${share}`);
    console.log(`  ${command.share} %  ${command.name}: ${shares.join(', ')}`);
    for (const { share, name } of sharesOf(file, 'sym', command.name).slice(0, SYMBOLS)) console.log(`      ${share}  ${name}`);
  }
}

/** What `work` resolves to. perf says why, when it may not record; its exit is waited for in any case. */
async function whileRecording(file, work) {
  const args = ['record', '-q', '-F', SAMPLES_PER_S, '-a', '-e', 'cpu-clock', '-o', file].map(String);
  const perf = spawn('perf', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(perf, 'exit');
  ended.catch(() => {}); /* told below */
  try {
    return await work();
  } finally {
    perf.kill('SIGINT');
    await ended;
  }
}

/** Microseconds of processor time per request, of all that was done for it up to the end. */
function tell(what, run, before, after) {
  const used = Object.entries(after)
    .map(([name, us]) => [name, (us - (before[name] ?? 0)) / run.requests])
    .toSorted((a, b) => b[1] - a[1]);
  const sum = used.reduce((total, [, us]) => total + us, 0);
  const each = used.map(([name, us]) => `${name} ${us.toFixed(0)}`).join(', ');
  console.log(`${what}: ${run.perSecond.toFixed(0)}/s, ${sum.toFixed(0)} µs each: ${each}`);
}

/* By `comm`, or by something of one command: perf would put what several have in common to one of them. */
function sharesOf(file, by, command) {
  const sort = command ? `comm,${by}` : by;
  const only = command ? ['--comms', command] : [];
  const args = ['report', '-i', file, '--stdio', '--no-children', '-g', 'none', '--sort', sort, '--field-separator', '\t', ...only];
  const shown = execFileSync('perf', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 });
  return [...shown.matchAll(/^\s*([\d.]+)%\s*\t(.*)$/gm)]
    .map(([, share, name]) => ({ share: Number(share), name: name.split('\t').at(-1).trim() }))
    .filter(({ share }) => share >= SHARE_MIN);
}

const bench = await Bench.open({ rounds: 1, seconds: Number(options.seconds), clients: [], connections: [] });
try {
  await bench.orders(Number(options.connections));
  for (const what of options.what.split(',')) {
    if (!(what in scenarios)) throw new Error(`there is no ${what}; there are: ${Object.keys(scenarios).join(', ')}`);
    await profile(bench, what);
  }
} finally {
  await bench.close();
}
