/*
 * Moments: times as the reader's clock has them, the exact one when it is pointed at.
 */
import { element } from './element.js';

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** The time, and the day too when it is another one than today. */
export function moment(text) {
  const time = new Date(text);
  const isToday = day.format(time) === day.format(new Date());
  return element('time', { datetime: text, title: text }, isToday ? clock.format(time) : `${day.format(time)}, ${clock.format(time)}`);
}

/** How long after another moment: "+38 ms", "+2.1 s". */
export function after(text, before) {
  const ms = new Date(text) - new Date(before);
  if (ms < 1000) return `+${Math.max(ms, 0)} ms`;
  if (ms < 60_000) return `+${(ms / 1000).toFixed(1)} s`;
  return ms < 3_600_000 ? `+${Math.round(ms / 60_000)} min` : `+${Math.round(ms / 3_600_000)} h`;
}
