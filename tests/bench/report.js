/*
 * The report: a Markdown table of the measures, and on what they were made.
 */

const verdictOf = ({ met }) => (met === undefined ? '' : met ? 'yes' : '**no**');

export function tableOf(results) {
  const rows = results.map(({ what, goal, value, detail, ...rest }) => [what, goal, value, verdictOf(rest), detail]);
  return [['measure', 'goal', 'figure', 'met', 'in detail'], ['---', '---', '---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

export function reportOf({ command, date, machine, load, results, seconds, rounds }) {
  const facts = Object.entries(machine).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`);
  return [
    `Measured on ${date} with \`${command}\` (${rounds} rounds, ${seconds} s a run; medians, ± half of what the runs differ).`,
    '',
    `${facts.join('; ')}; load before it began ${load.toFixed(2)}.`,
    '',
    tableOf(results),
    '',
  ].join('\n');
}
