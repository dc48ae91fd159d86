/*
 * Charts: one measure each, its newest value in words beside it for those who do not see the line.
 */
import { element } from './element.js';

const HEIGHT = 96;

export class Chart {
  /** `series` are { label, color, isSparse? }, where color is one of the page's custom properties. */
  constructor(title, unit, series) {
    Object.assign(this, { title, unit, series });
    this.value = element('strong', {}, '–');
    this.place = element('div', { class: 'plot', role: 'img', 'aria-label': `${title}: a line over the last two minutes` });
    const legend = element('p', { class: 'legend' }, series.map(({ label, color }) =>
      element('span', { 'data-color': color }, label)));
    this.root = element('figure', { class: 'chart' }, element('figcaption', {}, element('span', {}, title), this.value), this.place, legend);
  }

  /** Says why there is nothing to draw. */
  explain(text) {
    this.value.textContent = '';
    this.place.textContent = text;
    this.place.removeAttribute('role');
    this.place.removeAttribute('aria-label');
    this.place.classList.add('blank');
    this.root.querySelector('.legend')?.remove();
  }

  async begin(signal) {
    const { default: UPlot } = await import('./packages/uplot.js');
    if (signal.aborted) return;
    const make = () => {
      this.plot?.destroy();
      this.plot = new UPlot(this.options(), this.data ?? [[], ...this.series.map(() => [])], this.place);
    };
    make();
    const sizes = new ResizeObserver(() => this.plot.setSize({ width: this.width, height: HEIGHT }));
    sizes.observe(this.place);
    document.addEventListener('themechange', make, { signal });
    signal.addEventListener('abort', () => {
      sizes.disconnect();
      this.plot.destroy();
    });
  }

  get width() {
    return Math.max(120, Math.floor(this.place.clientWidth));
  }

  options() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      width: this.width, height: HEIGHT, legend: { show: false }, cursor: { show: false }, padding: [8, 2, 8, 0],
      scales: { y: { range: (_, min, max) => [0, Math.max(1, max * 1.1)] } },
      axes: [{ show: false }, { size: 34, stroke: color('muted'), font: '11px system-ui, sans-serif', ticks: { show: false },
                                splits: (_, __, low, high) => [low, Math.max(1, Math.floor(high / 1.1))],
                                grid: { stroke: color('line'), width: 1 } }],
      series: [{}, ...this.series.map((each) => line(each, color(each.color)))],
    };
  }

  /** The newest state: [seconds, ...one row per series], and what the last of it is in words. */
  draw(data, word) {
    this.data = data;
    this.plot?.setData(data);
    this.value.textContent = `${word} ${this.unit}`.trim();
  }
}

/* A sparse one shows its points too: between two gaps there is no line to see. */
function line({ label, isSparse = false }, color) {
  return { label, stroke: color, width: 1.75, points: { show: isSparse, size: 4, fill: color }, spanGaps: true };
}
