-- No payment, refund or attempt is unresolved for longer than its schedule allows
--
-- What a bank has not told yet is asked for: the time at which is never long past, and never further
-- away than a day. Whatever waits for a bank has an attempt that is being asked for; what has to be
-- given back or given up does not lie about.

WITH open AS (
    SELECT stream, id, payment_id, operation, status, resolve_at
    FROM payments.attempts WHERE resolve_at IS NOT NULL
)
SELECT payment_id, id AS attempt_id,
       format('%s that is %s is to be asked for at %s', operation, status, resolve_at) AS problem
FROM open
WHERE resolve_at < now() - interval '60 s' OR resolve_at > now() + interval '25 h'

UNION ALL
SELECT p.id, p.authorization_id, format('is %s, and nobody asks the bank', p.status)
FROM payments.payments p
LEFT JOIN open o ON (o.stream, o.id) = (p.stream, p.authorization_id)
WHERE p.status IN ('processing', 'requires_action') AND o.id IS NULL

UNION ALL
SELECT p.id, p.operation_id, format('has %s under way, and nobody asks the bank', p.operation)
FROM payments.payments p
LEFT JOIN open o ON (o.stream, o.id) = (p.stream, p.operation_id)
WHERE p.operation IS NOT NULL AND o.id IS NULL

UNION ALL
SELECT r.payment_id, r.attempt_id, format('refund %s is pending, and nobody asks the bank', r.id)
FROM payments.refunds r
LEFT JOIN open o ON (o.stream, o.id) = (r.stream, r.attempt_id)
WHERE r.status = 'pending' AND o.id IS NULL

UNION ALL
SELECT p.id, NULL, format('is %s and to be undone since %s', p.status, p.updated_at)
FROM payments.payments p
WHERE p.to_undo AND p.operation IS NULL AND p.dispute_status <> 'open'
  AND p.updated_at < now() - interval '60 s'
  AND NOT EXISTS (SELECT FROM open o WHERE (o.stream, o.payment_id) = (p.stream, p.id))

UNION ALL
SELECT p.id, NULL, format('is %s and should have expired at %s', p.status, p.expires_at)
FROM payments.payments p
WHERE p.status IN ('processing', 'requires_action', 'authorized') AND p.operation IS NULL
  AND p.expires_at < now() - interval '60 s'

UNION ALL
SELECT NULL, NULL, format('the payments of order %s, which is %s since %s, are to be undone', k.id, o.status, o.updated_at)
FROM payments.payable_orders k
JOIN orders.orders o ON (o.stream, o.id) = (k.stream, k.id)
WHERE k.to_undo AND o.updated_at < now() - interval '60 s'
  AND NOT EXISTS (SELECT FROM payments.payments p JOIN open a ON (a.stream, a.payment_id) = (p.stream, p.id)
                  WHERE (p.stream, p.order_id) = (k.stream, k.id))
  AND NOT EXISTS (SELECT FROM payments.payments p
                  WHERE (p.stream, p.order_id) = (k.stream, k.id) AND p.dispute_status = 'open');
