/*
 * The matrix of faults: each row of matrix/rows.js, round after round on a running stack under load.
 *
 *     node matrix.mjs [--rounds N] [--row TEXT] [--seed N] [--at-once N] [--report FILE] [--resume] [--list]
 *
 * 20 rounds of each row, 5 where the fault itself lasts 10 s; `--row` plays the rows whose name has
 * the text in it; `--at-once` is how many stacks play side by side, each another row. A round's seed
 * is the first one's plus its number, so `--seed S --rounds 1` repeats it. Prints a test's line for
 * each row, and the table at the end.
 */
import { parseArgs } from 'node:util';

import { Report } from './matrix/report.js';
import { playRound } from './matrix/round.js';
import { ROWS } from './matrix/rows.js';
import { World } from './matrix/world.js';
import { runSeed } from '../support/random.js';

const ROUNDS = 20;
const ROUNDS_OF_LONG = 5;
const LONG_S = 10;

/* Rounds after which a stack gets no other row: the audit reads all that ever was. */
const ROUNDS_OF_WORLD = 20;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string' },
    row: { type: 'string', multiple: true },
    seed: { type: 'string' },
    'at-once': { type: 'string', default: '1' },
    report: { type: 'string', default: 'faults.json' },
    resume: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});
const firstSeed = Number(options.seed ?? runSeed());
const asked = ROWS.filter(({ id }) => options.row === undefined || options.row.some((text) => id.includes(text)));
/* Small disks are mounted, which only root can do. */
const canPlay = ({ kind }) => kind !== 'disks' || process.getuid() === 0;
const rows = asked.filter(canPlay);
for (const { id } of asked.filter((row) => !canPlay(row))) console.log(`NOT PLAYED, it needs root: ${id}`);
if (asked.length === 0) throw new Error(`there is no such row; there are:\n${names(ROWS)}`);

function names(list) {
  return list.map(({ id }) => `  ${id}`).join('\n');
}

function roundsOf(row) {
  if (options.rounds !== undefined) return Number(options.rounds);
  return row.seconds >= LONG_S ? ROUNDS_OF_LONG : ROUNDS;
}

/** Plays what is missing of a row; false if a round failed. A world in which one did is not gone on with. */
async function playRow(world, row, report) {
  const lines = [];
  let good = true;
  for (let number = report.of(row).length; good && number < roundsOf(row); number++) {
    const round = await playRound(world, row, firstSeed + number);
    world.rounds++;
    report.add(round);
    const { verdict, seed, requests, recovery_ms, error = '' } = round;
    lines.push(`  ${verdict}: seed ${seed}, ${requests} requests, back after ${recovery_ms} ms ${error}`);
    good = verdict === 'ok';
  }
  console.log([`${good ? 'ok' : 'not ok'} - ${row.id}`, ...lines].join('\n'));
  return good;
}

const endOf = (world) => world?.end().catch((error) => console.log(`  ${error.message}`));

const serves = (world, row) => world.kind === row.kind && world.rounds < ROUNDS_OF_WORLD;

/** One stack after the other, as the rows need it, for as long as there are rows. */
async function play(queue, report) {
  let world;
  for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
    if (world !== undefined && !serves(world, row)) world = void (await endOf(world));
    world ??= await World.make(row.kind);
    if (!(await playRow(world, row, report))) world = void (await endOf(world));
  }
  await world?.end();
}

/** Rows of a kind stand together, so that a stack serves many of them. */
async function playAll(report) {
  const kinds = [...new Set(rows.map((row) => row.kind))];
  const queue = kinds.flatMap((kind) => rows.filter((row) => row.kind === kind));
  await Promise.all(Array.from({ length: Number(options['at-once']) }, () => play(queue, report)));
}

if (options.list) {
  console.log(names(rows));
} else {
  const report = Report.open(options.report, options);
  await playAll(report);
  console.log(`\n${report.table(rows)}`);
  process.exitCode = report.failed.length > 0 ? 1 : 0;
}
