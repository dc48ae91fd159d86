/*
 * The table of what was played: a line for each row, as JSON to go on from and as Markdown to read.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export class Report {
  /** Goes on from `file` if it is to; else begins anew there. */
  static open(file, { resume }) {
    const rounds = resume && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
    return new Report(file, rounds);
  }

  constructor(file, rounds) {
    Object.assign(this, { file, rounds });
  }

  add(round) {
    this.rounds.push(round);
    writeFileSync(this.file, `${JSON.stringify(this.rounds, null, 1)}\n`);
  }

  of(row) {
    return this.rounds.filter((round) => round.row === row.id);
  }

  get failed() {
    return this.rounds.filter(({ verdict }) => verdict !== 'ok');
  }

  /** Markdown, of the rows that were played at all. */
  table(rows) {
    const head = ['fault', 'rounds', 'requests', 'asked again', 'pulled', 'recovery', 'worst', 'verdict', 'seeds'];
    const lines = rows.filter((row) => this.of(row).length > 0).map((row) => this.line(row));
    return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  }

  line(row) {
    const rounds = this.of(row);
    const sum = (name) => rounds.reduce((total, round) => total + (round[name] ?? 0), 0);
    const back = rounds.map((round) => round.recovery_ms ?? Infinity).sort((a, b) => a - b);
    const bad = rounds.filter(({ verdict }) => verdict !== 'ok');
    return [
      row.what,
      rounds.length,
      sum('requests'),
      sum('unknown'),
      sum('pulled'),
      seconds(back[Math.floor((back.length - 1) / 2)]),
      seconds(back.at(-1)),
      bad.length === 0 ? 'ok' : `**${bad.length} failed**`,
      seeds(bad.length > 0 ? bad : rounds),
    ];
  }
}

const seconds = (ms) => (ms === Infinity ? '-' : `${(ms / 1000).toFixed(1)} s`);

/** One by one where they are few or failed; else they are counted up from the first. */
function seeds(rounds) {
  const few = rounds.length <= 3 || rounds.some(({ verdict }) => verdict !== 'ok');
  const all = rounds.map(({ seed }) => seed);
  return few ? all.join(', ') : `${all[0]} to ${all.at(-1)}`;
}
