-- Payments and the bank's own book agree row by row
--
-- Every attempt of ours has the record of the bank that it was called with, and the bank has no record
-- that we did not ask for: both say the same of the outcome, the amount and the currency. Per payment,
-- what all banks together took and gave back is what we say, taken at one of them at most, and nothing
-- is held there for a payment that is over. A refund that the bank sent back is declined there, and has
-- failed here. What has no outcome here yet is left to I11.

WITH asked AS (
    SELECT a.stream, a.id, a.merchant_id, a.payment_id, a.operation, a.gateway, a.status, a.currency,
           a.amount, a.resolve_at IS NULL AS has_ended, r.status AS refund_status
    FROM payments.attempts a
    LEFT JOIN payments.refunds r ON (r.stream, r.id) = (a.stream, a.refund_id)
), settled AS (
    SELECT p.stream, p.id, p.status, p.amount_captured, p.amount_refunded, p.amount_refund_pending
    FROM payments.payments p
    WHERE p.operation IS NULL AND NOT p.to_undo
      AND NOT EXISTS (SELECT FROM asked a
                      WHERE (a.stream, a.payment_id) = (p.stream, p.id) AND NOT a.has_ended)
), taken AS (
    SELECT a.stream, a.payment_id, sum(b.amount_captured) AS captured, sum(b.amount_refunded) AS refunded,
           count(*) FILTER (WHERE b.amount_captured > 0) AS times,
           count(*) FILTER (WHERE b.phase = 'authorized') AS held,
           count(*) FILTER (WHERE b.phase = 'pending') AS awaited
    FROM asked a
    JOIN bank.payments b ON (b.bank, b.account, b.payment) = (a.gateway, a.merchant_id, a.id)
    GROUP BY a.stream, a.payment_id
)
SELECT coalesce(a.gateway, b.bank) AS bank, coalesce(a.id, b.reference) AS reference, a.payment_id,
       CASE WHEN a.id IS NULL
                THEN format('the bank has %s of %s %s that nobody asked for', b.operation, b.currency, b.amount)
            WHEN b.reference IS NULL THEN format('%s that was %s is unknown to the bank', a.operation, a.status)
            ELSE format('%s of %s %s was %s, at the bank %s of %s %s was %s', a.operation, a.currency,
                        a.amount, a.status, b.operation, b.currency, b.amount, b.status)
       END AS problem
FROM asked a
FULL JOIN bank.records b ON (b.bank, b.account, b.reference) = (a.gateway, a.merchant_id, a.id)
WHERE a.id IS NULL
   OR (a.has_ended AND CASE a.status
           WHEN 'error' THEN b.status IN ('approved', 'pending')
           WHEN 'approved' THEN b.reference IS NULL
               OR (b.operation, b.currency) <> (a.operation, a.currency)
               OR b.amount <> a.amount
               OR b.status <> CASE WHEN b.failure_code = 'refund_returned' AND a.refund_status = 'failed'
                                   THEN 'declined' ELSE 'approved' END
           ELSE b.reference IS NULL OR b.status <> 'declined'
       END)

UNION ALL
SELECT NULL, NULL, s.id,
       format('is %s with %s taken and %s given back; at the bank %s were taken %s times and %s given back, %s held, %s awaited',
              s.status, s.amount_captured, s.amount_refunded, coalesce(t.captured, 0), coalesce(t.times, 0),
              coalesce(t.refunded, 0), coalesce(t.held, 0), coalesce(t.awaited, 0))
FROM settled s
LEFT JOIN taken t ON (t.stream, t.payment_id) = (s.stream, s.id)
WHERE coalesce(t.captured, 0) <> s.amount_captured
   OR coalesce(t.refunded, 0) <> s.amount_refunded + s.amount_refund_pending
   OR coalesce(t.times, 0) > 1
   OR coalesce(t.held, 0) <> CASE s.status WHEN 'authorized' THEN 1 ELSE 0 END
   OR coalesce(t.awaited, 0) > 0;
