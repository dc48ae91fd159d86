/*
 * Basket: what the demo shop sells, and how much of it somebody wants.
 */
import { button, element } from './element.js';
import { money } from './money.js';

export const CURRENCY = 'EUR';

/** An order has to be of more than this to earn a voucher. */
export const THRESHOLD = 10_000;

const goods = [
  { sku: 'grinder-01', name: 'Hand grinder', unit_amount: 10_900, quantity: 1 },
  { sku: 'beans-250', name: 'Coffee beans, 250 g', unit_amount: 1_400, quantity: 2 },
  { sku: 'mug-blue', name: 'Enamel mug, blue', unit_amount: 1_850, quantity: 0 },
  { sku: 'filter-100', name: 'Paper filters, 100', unit_amount: 590, quantity: 0 },
];
const EACH_MAX = 20;

export class Basket {
  constructor() {
    this.goods = goods.map((good) => ({ ...good }));
  }

  get lines() {
    return this.goods.filter(({ quantity }) => quantity > 0);
  }

  get total() {
    return this.goods.reduce((sum, { quantity, unit_amount }) => sum + quantity * unit_amount, 0);
  }

  /** The goods with buttons for more and less; `changed` is called after each. */
  rows(changed) {
    return element('ul', { class: 'basket' }, this.goods.map((good) => this.row(good, changed)));
  }

  row(good, changed) {
    const count = element('output', { 'aria-label': `Quantity of ${good.name}` }, good.quantity);
    const step = (by, label, sign) => button(sign, () => {
      good.quantity = Math.min(EACH_MAX, Math.max(0, good.quantity + by));
      count.textContent = good.quantity;
      changed();
    }, { 'aria-label': `${label} ${good.name}`, class: 'step' });
    return element('li', {}, element('span', { class: 'good' }, good.name), element('span', { class: 'price' }, money(good.unit_amount, CURRENCY)),
                   element('span', { class: 'steps' }, step(-1, 'Fewer of', '−'), count, step(1, 'More of', '+')));
  }

  /** How far it is from a voucher. */
  promise() {
    const missing = THRESHOLD - this.total;
    if (missing < 0) return `More than ${money(THRESHOLD, CURRENCY)}: it earns a voucher of €5.00 when it is sent.`;
    return `${money(missing + 1, CURRENCY)} more, and it earns a voucher of €5.00 when it is sent.`;
  }
}
