/*
 * The charts of the flow: what the bus announces per second, and for operators how far relays and
 * consumers are behind and how many writes one commit carries.
 */
import { Chart } from './chart.js';
import { element } from './element.js';
import { averageBatch, batchesOf, lagsOf, parse } from './metrics.js';
import { Rates, SECONDS, now } from './rate.js';
import { repeat } from './repeat.js';

const EVERY_MS = 1000;
const MEASURED_EVERY_MS = 2000;

/* What is counted of which events. */
const counted = {
  'order.created': 'created', 'order.sent': 'sent', 'voucher.issued': 'issued',
  'payment.succeeded': 'succeeded', 'payment.failed': 'failed', 'payment.requires_action': 'asks',
};

const sum = (row) => row.reduce((a, b) => a + b, 0);
const inLastTen = (rows) => (rows.reduce((all, row) => all + sum(row.slice(-10)), 0) / 10).toFixed(1).replace(/\.0$/, '');

export class FlowCharts {
  constructor(caller, signal) {
    Object.assign(this, { caller, signal, rates: new Rates(Object.values(counted)), measured: [] });
    this.rateCharts = [
      { names: ['created'], chart: new Chart('Orders', 'per second', [{ label: 'created', color: 'accent' }]) },
      { names: ['sent'], chart: new Chart('Sent', 'per second', [{ label: 'sent', color: 'accent' }]) },
      { names: ['succeeded', 'failed', 'asks'], chart: new Chart('Payments', 'per second', [
        { label: 'succeeded', color: 'good' }, { label: 'failed', color: 'bad' }, { label: 'bank asks', color: 'wait' }]) },
      { names: ['issued'], chart: new Chart('Vouchers', 'per second', [{ label: 'issued', color: 'accent' }]) },
    ];
    this.lag = new Chart('Behind the log', 'events', [{ label: 'relays', color: 'accent' }, { label: 'consumers', color: 'wait' }]);
    this.batch = new Chart('One commit carries', 'writes', [{ label: 'writes', color: 'accent', isSparse: true }]);
    this.root = element('div', { class: 'charts' }, [...this.rateCharts.map(({ chart }) => chart), this.lag, this.batch].map(({ root }) => root));
  }

  count({ type }) {
    if (counted[type]) this.rates.add(counted[type]);
  }

  async begin() {
    await Promise.all(this.rateCharts.map(({ chart }) => chart.begin(this.signal)));
    repeat(EVERY_MS, this.signal, async () => this.drawRates());
    if (!this.caller.may('operator')) {
      for (const chart of [this.lag, this.batch]) chart.explain('An operator\'s key shows this.');
      return;
    }
    await Promise.all([this.lag.begin(this.signal), this.batch.begin(this.signal)]);
    const response = await fetch('/console/processes.json', { signal: this.signal });
    this.processes = await response.json();
    repeat(MEASURED_EVERY_MS, this.signal, () => this.measure().catch(() => this.gap()));
  }

  drawRates() {
    for (const { names, chart } of this.rateCharts) {
      const data = this.rates.table(names);
      chart.draw(data, inLastTen(data.slice(1)));
    }
  }

  /* A process that is away leaves a gap: what the others say is not the whole. */
  gap() {
    this.put({ relay: null, consumer: null, batch: null });
  }

  async measure() {
    const texts = await Promise.all(this.processes.map(async (name) =>
      [name.replace(/-\d$/, ''), parse(await this.caller.api.text(`/services/${name}/metrics`, this.signal))]));
    const services = Map.groupBy(texts, ([service]) => service);
    const lags = [...services.values()].map((of) => lagsOf(of.flatMap(([, series]) => series)));
    const batches = batchesOf(texts.flatMap(([, series]) => series));
    const batch = this.batches ? averageBatch(this.batches, batches) : null;
    this.batches = batches;
    this.put({ relay: sum(lags.map(({ relay }) => relay)), consumer: sum(lags.map(({ consumer }) => consumer)), batch });
  }

  put(row) {
    this.measured.push({ seconds: now(), ...row });
    while (this.measured[0].seconds < now() - SECONDS) this.measured.shift();
    const rows = (name) => this.measured.map((each) => each[name]);
    const seconds = rows('seconds');
    this.lag.draw([seconds, rows('relay'), rows('consumer')], row.relay === null ? '?' : String(row.relay + row.consumer));
    const known = rows('batch').findLast((value) => value !== null);
    this.batch.draw([seconds, rows('batch')], known === undefined ? '–' : known.toFixed(1));
  }
}
