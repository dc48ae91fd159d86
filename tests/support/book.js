/*
 * The bank's book beside ours, looked at with nothing of the audit's: whatever happened, a payment
 * was taken once at most, at one bank, and what we say of its money is what the bank says.
 */
import assert from 'node:assert/strict';

import { openInspector } from './database.js';
import { waitFor } from './wait.js';

/** Waits until nothing is asked of a bank any more, and nothing has to be; transfers may wait. */
export async function untilSettled(till, { within = 60_000 } = {}) {
  const sql = `
    SELECT p.id, p.status, a.operation, a.status AS attempt, a.tries, p.to_undo
    FROM payments p LEFT JOIN attempts a ON a.stream = p.stream AND a.payment_id = p.id AND a.resolve_at IS NOT NULL
    WHERE (a.id IS NOT NULL AND NOT (a.operation = 'transfer' AND a.status = 'pending' AND p.operation IS NULL))
       OR p.operation IS NOT NULL OR p.to_undo LIMIT 5`;
  await waitFor(
    'every payment to be settled',
    async (seen) => {
      const open = await till.database.rows(sql);
      seen(open);
      return open.length === 0;
    },
    { within, every: 100 },
  );
}

/** Payments whose money the bank counts otherwise than we do, or took more than once: none. */
export async function expectBankAgrees(stack, till) {
  const bank = await openInspector(stack, 'bank');
  try {
    const theirs = await bank.rows(
      'SELECT bank, payment, phase, amount_captured AS captured, amount_refunded AS refunded FROM ops.bank_payments',
    );
    const ours = await till.database.rows(
      `SELECT p.id, p.status, p.amount_captured AS captured, p.amount_refunded + p.amount_refund_pending AS refunded,
              array_agg(a.id::text) AS references
       FROM payments p JOIN attempts a ON a.stream = p.stream AND a.payment_id = p.id
       WHERE a.operation IN ('authorize', 'transfer') GROUP BY p.stream, p.id`,
    );
    compare(new Map(theirs.map((one) => [one.payment, one])), ours);
    return ours.length;
  } finally {
    await bank.close();
  }
}

function compare(theirs, ours) {
  for (const payment of ours) {
    const found = payment.references.map((reference) => theirs.get(reference)).filter(Boolean);
    const sum = (name) => found.reduce((total, one) => total + one[name], 0);
    const times = found.filter(({ captured }) => captured > 0).length;
    const held = found.filter(({ phase }) => phase === 'authorized').length;
    const said = JSON.stringify({ payment, found });
    assert.ok(times <= 1, `taken ${times} times: ${said}`);
    assert.equal(sum('captured'), payment.captured, `captured otherwise: ${said}`);
    assert.equal(sum('refunded'), payment.refunded, `given back otherwise: ${said}`);
    assert.equal(held, payment.status === 'authorized' ? 1 : 0, `held otherwise: ${said}`);
  }
  const asked = new Set(ours.flatMap(({ references }) => references));
  for (const one of theirs.values()) {
    assert.ok(asked.has(one.payment), `nobody asked for ${JSON.stringify(one)}`);
  }
}
