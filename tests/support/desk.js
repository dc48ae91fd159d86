/*
 * A desk where vouchers are earned and used: what tests do with vouchers over HTTP, and what they
 * look up beside it.
 */
import { untilQuiet } from './audit.js';
import { openInspector, openSuperuser } from './database.js';
import { expectStatus, newKey } from './shop.js';

export async function openDesk(stack) {
  return new Desk(
    stack,
    await openInspector(stack, 'vouchers'),
    await openSuperuser(stack, 'vouchers'),
  );
}

export class Desk {
  constructor(stack, database, god) {
    this.stack = stack;
    this.database = database;
    this.god = god;
    this.shop = stack.shop();
    this.vouchers = stack.vouchers();
    this.operator = stack.vouchers(stack.env.CHECKOUT_OPERATOR_KEY);
  }

  close() {
    return Promise.all([this.database.close(), this.god.close()]);
  }

  /** New vouchers of EUR 5.00, with their whole codes. */
  async earn(count = 1) {
    const sent = Array.from({ length: count }, () => this.shop.sendOrder(10001));
    const orders = await Promise.all(sent);
    await untilQuiet(this.stack);
    return Promise.all(
      orders.map(async ({ id }) => {
        const [listed] = await this.vouchers.all('/v1/vouchers', { order_id: id });
        return this.read(listed);
      }),
    );
  }

  async read({ id }) {
    return expectStatus(await this.vouchers.get(`/v1/vouchers/${id}`), 200).json;
  }

  async statusOf(voucher) {
    return (await this.read(voucher)).status;
  }

  validate(voucher, body) {
    return this.vouchers.post(pathOf(voucher, 'validate'), body);
  }

  reserve(voucher, holder, more) {
    return this.vouchers.post(pathOf(voucher, 'reserve'), { holder, ...more });
  }

  release(voucher, holder) {
    return this.vouchers.post(pathOf(voucher, 'release'), { holder });
  }

  redeem(voucher, reference, { key = newKey(), ...more } = {}) {
    return this.vouchers.post(pathOf(voucher, 'redemptions'), { reference, ...more }, { key });
  }

  rollBack(redemption, options) {
    return this.vouchers.request('POST', `/v1/redemptions/${redemption.id}/rollback`, options);
  }

  makeVoid(voucher) {
    return this.operator.request('POST', `/v1/vouchers/${voucher.id}/void`);
  }

  /** The events of a voucher, in order: "issued", "reserved", ... */
  async typesOf({ id }) {
    const sql = 'SELECT type FROM events WHERE subject = $1 ORDER BY subject_version';
    const events = await this.database.rows(sql, [id]);
    return events.map((event) => event.type.replace('voucher.', ''));
  }

  /** Its time is over, as if a year had passed. */
  endTime({ id }) {
    return this.bend("UPDATE vouchers SET expires_at = now() - interval '1 second' WHERE id = $1", id);
  }

  /** Its reservation is over, as if an hour had passed. */
  endReservation({ id }) {
    return this.bend("UPDATE vouchers SET lapses_at = now() - interval '1 hour' WHERE id = $1", id);
  }

  /** One after the other: it is one session. */
  bend(sql, id) {
    this.bent = (this.bent ?? Promise.resolve()).then(() => this.god.rows(sql, [id]));
    return this.bent;
  }
}

/** The path of what is done with a voucher, which is named by its code. */
export const pathOf = ({ code }, action) => `/v1/vouchers/${encodeURIComponent(code)}/${action}`;
