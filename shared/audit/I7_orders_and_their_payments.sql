-- An order's payment_status is what its payments say
--
-- Recomputed from the payments themselves: what succeeded of them covers what is due, or a part of it;
-- what was given back of it. Orphans, money that nobody wanted any more, count for nothing. What
-- payment-service keeps of an order, reserved and paid, is the sum over the order's payments, and a
-- payment's given back and about to be is the sum over its refunds, and never more than was taken.

WITH sums AS (
    SELECT stream, order_id,
           coalesce(sum(amount_captured) FILTER (WHERE status = 'succeeded' AND NOT orphaned), 0) AS captured,
           coalesce(sum(amount_refunded) FILTER (WHERE NOT orphaned), 0) AS refunded,
           bool_or(status = 'authorized' AND NOT orphaned) AS authorized,
           sum(CASE WHEN status IN ('processing', 'requires_action', 'authorized') THEN amount
                    WHEN status = 'succeeded' THEN amount_captured ELSE 0 END) AS reserved,
           coalesce(sum(amount_captured) FILTER (WHERE status = 'succeeded'), 0) AS paid
    FROM payments.payments WHERE order_id IS NOT NULL GROUP BY stream, order_id
), said AS (
    SELECT o.stream, o.id, o.status, o.payment_terms, o.payment_status, o.amount_due,
           s.captured >= o.amount_due AND s.captured > s.refunded AS covered,
           CASE WHEN o.amount_due = 0 AND coalesce(s.captured, 0) = 0 THEN 'paid'
                WHEN s.captured > 0 AND s.refunded >= s.captured THEN 'refunded'
                WHEN s.refunded > 0 THEN 'partially_refunded'
                WHEN s.captured >= o.amount_due THEN 'paid'
                WHEN s.captured > 0 THEN 'partially_paid'
                WHEN s.authorized THEN 'authorized'
                ELSE 'unpaid' END AS by_payments
    FROM orders.orders o LEFT JOIN sums s ON (s.stream, s.order_id) = (o.stream, o.id)
)
SELECT id AS order_id, NULL::uuid AS payment_id,
       format('says %s, its payments say %s', payment_status, by_payments) AS problem
FROM said WHERE payment_status <> by_payments

UNION ALL
SELECT id, NULL, format('is %s and %s', status, payment_status)
FROM said
WHERE (status = 'pending' AND (covered OR payment_status = 'paid')
       AND NOT (payment_terms = 'invoice' AND amount_due = 0))
   OR ((status = 'paid' OR (payment_terms = 'prepaid' AND status IN ('sent', 'delivered', 'returned')))
       AND payment_status IN ('unpaid', 'authorized', 'partially_paid'))

UNION ALL
SELECT p.order_id, p.id,
       CASE WHEN o.id IS NULL THEN 'pays an order that there is not'
            ELSE format('is in %s for %s, its order in %s for %s', p.currency, p.merchant_id, o.currency,
                        o.merchant_id) END
FROM payments.payments p
LEFT JOIN orders.orders o ON (o.stream, o.id) = (p.stream, p.order_id)
WHERE p.order_id IS NOT NULL
  AND (o.id IS NULL OR (o.merchant_id, o.currency) <> (p.merchant_id, p.currency))

UNION ALL
SELECT coalesce(o.id, k.id), NULL,
       CASE WHEN k.id IS NULL THEN 'is not known to the payments'
            WHEN o.id IS NULL THEN 'is known to the payments, and there is none'
            ELSE format('is %s with %s %s due, as the payments know it %s with %s %s due', o.status, o.currency,
                        o.amount_due, CASE WHEN k.closed THEN 'closed' ELSE 'open' END, k.currency, k.amount_due)
       END
FROM orders.orders o
FULL JOIN payments.payable_orders k ON (k.stream, k.id) = (o.stream, o.id)
WHERE o.id IS NULL OR k.id IS NULL
   OR (k.merchant_id, k.currency, k.amount_due) <> (o.merchant_id, o.currency, o.amount_due)
   OR k.closed <> (o.status IN ('canceled', 'expired', 'returned'))

UNION ALL
SELECT k.id, NULL,
       format('has %s reserved and %s paid, its payments %s and %s', k.amount_reserved, k.amount_paid,
              coalesce(s.reserved, 0), coalesce(s.paid, 0))
FROM payments.payable_orders k
LEFT JOIN sums s ON (s.stream, s.order_id) = (k.stream, k.id)
WHERE (k.amount_reserved, k.amount_paid) <> (coalesce(s.reserved, 0), coalesce(s.paid, 0))
   OR k.amount_reserved > k.amount_due

UNION ALL
SELECT p.order_id, p.id,
       format('gave back %s and is about to give %s, its refunds %s and %s, of %s taken', p.amount_refunded,
              p.amount_refund_pending, coalesce(r.refunded, 0), coalesce(r.pending, 0), p.amount_captured)
FROM payments.payments p
LEFT JOIN (SELECT stream, payment_id, coalesce(sum(amount) FILTER (WHERE status = 'succeeded'), 0) AS refunded,
                  coalesce(sum(amount) FILTER (WHERE status = 'pending'), 0) AS pending
           FROM payments.refunds GROUP BY stream, payment_id) r
    ON (r.stream, r.payment_id) = (p.stream, p.id)
WHERE (p.amount_refunded, p.amount_refund_pending) <> (coalesce(r.refunded, 0), coalesce(r.pending, 0))
   OR p.amount_refunded + p.amount_refund_pending > p.amount_captured
   OR p.amount_captured > p.amount;
