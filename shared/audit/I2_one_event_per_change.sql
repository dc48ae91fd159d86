-- Every change has exactly one event, and every event a change
--
-- A subject's events have the versions 1, 2, 3, ... without holes, and up to the version that the
-- row has now; what the newest one says is what the row says. So a change without an event shows as
-- a row ahead of its events, an event without a change as events ahead of their row, and a lost or
-- doubled one as a hole. Within a subject's events, each says its own version, is called after the
-- status that it announces, and a status that an order or payment can reach once is reached once. What an event
-- does not say is as wrong as what it says wrongly.

WITH histories AS (
    SELECT 'order' AS kind, stream, subject, min(subject_version) AS first,
           max(subject_version) AS newest, count(*) AS events
    FROM orders.events GROUP BY stream, subject
    UNION ALL
    SELECT split_part(min(type), '.', 1), stream, subject, min(subject_version), max(subject_version),
           count(*)
    FROM payments.events GROUP BY stream, subject
    UNION ALL
    SELECT 'voucher', stream, subject, min(subject_version), max(subject_version), count(*)
    FROM vouchers.events GROUP BY stream, subject
), rows AS (
    SELECT 'order' AS kind, stream, id, version FROM orders.orders
    UNION ALL
    SELECT 'payment', stream, id, version FROM payments.payments
    UNION ALL
    SELECT 'refund', stream, id, version FROM payments.refunds
    UNION ALL
    SELECT 'voucher', stream, id, version FROM vouchers.vouchers
)
SELECT coalesce(h.kind, r.kind) AS kind, coalesce(h.subject, r.id) AS id,
       CASE WHEN h.subject IS NULL THEN 'has no event'
            WHEN r.id IS NULL THEN 'has events and no row'
            WHEN h.newest <> r.version
                THEN format('is at version %s, its newest event at %s', r.version, h.newest)
            ELSE format('has %s events for versions %s to %s', h.events, h.first, h.newest)
       END AS problem
FROM histories h FULL JOIN rows r ON (r.kind, r.stream, r.id) = (h.kind, h.stream, h.subject)
WHERE h.subject IS NULL OR r.id IS NULL OR h.newest <> r.version
   OR h.first <> 1 OR h.events <> h.newest

UNION ALL
SELECT 'order', o.id, format('is %s, its newest event says %s', o.status, e.data ->> 'status')
FROM orders.orders o
JOIN orders.events e ON e.stream = o.stream AND e.subject = o.id AND e.subject_version = o.version
WHERE e.merchant_id <> o.merchant_id
   OR e.data ->> 'merchant_id' IS DISTINCT FROM o.merchant_id
   OR e.data ->> 'status' IS DISTINCT FROM o.status
   OR e.data ->> 'payment_status' IS DISTINCT FROM o.payment_status
   OR e.data ->> 'currency' IS DISTINCT FROM o.currency
   OR (e.data ->> 'total_amount')::bigint IS DISTINCT FROM o.total_amount
   OR (e.data ->> 'amount_due')::bigint IS DISTINCT FROM o.amount_due

UNION ALL
SELECT 'payment', p.id, format('is %s, its newest event says %s', p.status, e.data ->> 'status')
FROM payments.payments p
JOIN payments.events e ON e.stream = p.stream AND e.subject = p.id AND e.subject_version = p.version
WHERE e.merchant_id <> p.merchant_id
   OR e.data ->> 'merchant_id' IS DISTINCT FROM p.merchant_id
   OR e.data ->> 'status' IS DISTINCT FROM p.status
   OR e.data ->> 'order_id' IS DISTINCT FROM p.order_id::text
   OR e.data ->> 'currency' IS DISTINCT FROM p.currency
   OR (e.data ->> 'amount')::bigint IS DISTINCT FROM p.amount
   OR (e.data ->> 'amount_captured')::bigint IS DISTINCT FROM p.amount_captured
   OR (e.data ->> 'amount_refunded')::bigint IS DISTINCT FROM p.amount_refunded
   OR e.data ->> 'dispute_status' IS DISTINCT FROM p.dispute_status
   OR (e.data ->> 'orphaned')::boolean IS DISTINCT FROM p.orphaned

UNION ALL
SELECT 'refund', r.id, format('is %s, its newest event says %s', r.status, e.data ->> 'status')
FROM payments.refunds r
JOIN payments.events e ON e.stream = r.stream AND e.subject = r.id AND e.subject_version = r.version
WHERE e.merchant_id <> r.merchant_id
   OR e.data ->> 'merchant_id' IS DISTINCT FROM r.merchant_id
   OR e.data ->> 'status' IS DISTINCT FROM r.status
   OR e.data ->> 'payment_id' IS DISTINCT FROM r.payment_id::text
   OR e.data ->> 'currency' IS DISTINCT FROM r.currency
   OR (e.data ->> 'amount')::bigint IS DISTINCT FROM r.amount

UNION ALL
SELECT 'voucher', v.id, format('is %s, its newest event says %s', v.status, e.data ->> 'status')
FROM vouchers.vouchers v
JOIN vouchers.events e ON e.stream = v.stream AND e.subject = v.id AND e.subject_version = v.version
WHERE e.merchant_id <> v.merchant_id
   OR e.data ->> 'merchant_id' IS DISTINCT FROM v.merchant_id
   OR e.data ->> 'status' IS DISTINCT FROM v.status
   OR e.data ->> 'currency' IS DISTINCT FROM v.currency
   OR (e.data ->> 'value_amount')::bigint IS DISTINCT FROM v.value_amount
   OR e.data -> 'reservation' ->> 'holder' IS DISTINCT FROM v.reservation_holder
   OR e.data -> 'redemption' ->> 'id' IS DISTINCT FROM v.redemption_id::text

UNION ALL
SELECT 'order', subject, format('%s of version %s carries another id, version or status', type, subject_version)
FROM orders.events
WHERE data ->> 'id' IS DISTINCT FROM subject::text
   OR (data ->> 'version')::int IS DISTINCT FROM subject_version
   OR (type <> 'order.updated'
       AND CASE type WHEN 'order.created' THEN 'pending' ELSE replace(type, 'order.', '') END
           IS DISTINCT FROM data ->> 'status')

UNION ALL
SELECT split_part(type, '.', 1), subject,
       format('%s of version %s carries another id, version or status', type, subject_version)
FROM payments.events
WHERE data ->> 'id' IS DISTINCT FROM subject::text
   OR (data ->> 'version')::int IS DISTINCT FROM subject_version
   OR (type NOT IN ('payment.updated', 'payment.orphaned')
       AND CASE type WHEN 'refund.created' THEN 'pending' ELSE split_part(type, '.', 2) END
           IS DISTINCT FROM data ->> 'status')
   OR (type = 'payment.orphaned' AND data ->> 'orphaned' IS DISTINCT FROM 'true')

UNION ALL
SELECT 'voucher', subject, format('%s of version %s carries another id, version or status', type, subject_version)
FROM vouchers.events
WHERE data ->> 'id' IS DISTINCT FROM subject::text
   OR (data ->> 'version')::int IS DISTINCT FROM subject_version
   OR CASE WHEN type IN ('voucher.issued', 'voucher.released', 'voucher.rolled_back') THEN 'active'
           ELSE replace(type, 'voucher.', '') END
      IS DISTINCT FROM data ->> 'status'

UNION ALL
SELECT 'order', subject, format('has %s times %s', count(*), type)
FROM orders.events
WHERE type <> 'order.updated'
GROUP BY stream, subject, type
HAVING count(*) > 1

UNION ALL
SELECT split_part(type, '.', 1), subject, format('has %s times %s', count(*), type)
FROM payments.events
WHERE type <> 'payment.updated'
GROUP BY stream, subject, type
HAVING count(*) > 1;
