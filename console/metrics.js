/*
 * Metrics: what the processes tell operators, in the Prometheus text format.
 */
const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;

/** Series as { name, labels, value }; labels as they are written. */
export function parse(text) {
  return text.split('\n').map((line) => LINE.exec(line)).filter(Boolean)
    .map(([, name, labels = '', value]) => ({ name, labels, value: Number(value) }));
}

const values = (series, name) => series.filter((each) => each.name === name);
const largest = (found) => found.reduce((most, { value }) => Math.max(most, value), 0);
const sum = (found) => found.reduce((all, { value }) => all + value, 0);

/** Of one service, whose instances said these series: an instance that does not lead knows no position. */
export function lagsOf(series) {
  const streams = new Set(values(series, 'checkout_event_log_head').map(({ labels }) => labels));
  const relay = [...streams].map((labels) => {
    const of = (name) => largest(values(series, name).filter((each) => each.labels === labels));
    return Math.max(0, of('checkout_event_log_head') - of('checkout_relay_position'));
  });
  return { relay: relay.reduce((a, b) => a + b, 0), consumer: largest(values(series, 'checkout_consumer_lag')) };
}

/** Writes and batches so far; what one batch had on average follows from two of these. */
export function batchesOf(series) {
  return { writes: sum(values(series, 'checkout_journal_batch_size_sum')), batches: sum(values(series, 'checkout_journal_batch_size_count')) };
}

export function averageBatch(before, after) {
  const batches = after.batches - before.batches;
  return batches > 0 ? (after.writes - before.writes) / batches : null;
}
