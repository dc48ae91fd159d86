/*
 * Figures: medians and spread of repeated runs, and how they are written.
 */

export const median = (list) => quantile(list, 0.5);

/** Of numbers in any order. */
export function quantile(list, q) {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** How far apart the runs were, as a share of their median: 0.1 is 10 %. */
export const spread = (list) => (Math.max(...list) - Math.min(...list)) / median(list);

/** Of a Map from a count (of connections, say) to its runs, the best by the median of perSecond. */
export function bestOf(runs) {
  const rate = ([, list]) => median(list.map(({ perSecond }) => perSecond));
  const [count, list] = [...runs].reduce((a, b) => (rate(b) > rate(a) ? b : a));
  const rates = list.map(({ perSecond }) => perSecond);
  return { count, perSecond: median(rates), spread: spread(rates), runs: list };
}

export const whole = (number) => Math.round(number).toLocaleString('en');
export const ms = (number) => `${number.toFixed(number < 10 ? 2 : 1)} ms`;
export const mb = (number) => `${number.toFixed(1)} MB`;
export const times = (number) => `${number.toFixed(2)} x`;
export const percent = (number) => `${Math.round(number * 100)} %`;

const told = ({ perSecond, spread: differ }, unit, tries) =>
  `${whole(perSecond)}${unit} (${tries}, ± ${percent(differ / 2)})`;

/** Two sides of byTurns() as a sentence: each at its best, and by how much its runs differed. */
export const against = (ours, theirs, unit) =>
  `${told(ours, ` ${unit}`, `${ours.count} connections`)} against ${told(theirs, '', `${theirs.count} clients`)}`;
