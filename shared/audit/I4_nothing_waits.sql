-- Nothing waits: every log is announced and read to its head
--
-- The broker has acknowledged every event of each log (relay position = head), every consumer has
-- taken what its producer wrote (consumer position = head), and no event was put aside that nobody
-- has decided about. A position beyond the head would be one that skipped.

WITH heads AS (
    SELECT 'orders' AS log, s.stream, coalesce(max(e.sequence), 0) AS head
    FROM orders.streams s LEFT JOIN orders.events e ON e.stream = s.stream GROUP BY s.stream
    UNION ALL
    SELECT 'payments', s.stream, coalesce(max(e.sequence), 0)
    FROM payments.streams s LEFT JOIN payments.events e ON e.stream = s.stream GROUP BY s.stream
    UNION ALL
    SELECT 'vouchers', s.stream, coalesce(max(e.sequence), 0)
    FROM vouchers.streams s LEFT JOIN vouchers.events e ON e.stream = s.stream GROUP BY s.stream
), readers AS (
    SELECT 'relay of orders' AS reader, 'orders' AS log, stream, sequence FROM orders.relay_position
    UNION ALL
    SELECT 'relay of payments', 'payments', stream, sequence FROM payments.relay_position
    UNION ALL
    SELECT 'relay of vouchers', 'vouchers', stream, sequence FROM vouchers.relay_position
    UNION ALL
    SELECT 'orders', 'payments', stream, sequence FROM orders.consumer_position
    WHERE source = 'payment-service'
    UNION ALL
    SELECT 'payments', 'orders', stream, sequence FROM payments.consumer_position
    WHERE source = 'order-service'
    UNION ALL
    SELECT 'vouchers', 'orders', stream, sequence FROM vouchers.consumer_position
    WHERE source = 'order-service'
), expected (reader, log) AS (
    VALUES ('relay of orders', 'orders'), ('relay of payments', 'payments'),
           ('relay of vouchers', 'vouchers'), ('orders', 'payments'), ('payments', 'orders'),
           ('vouchers', 'orders')
)
SELECT x.reader, h.log, h.stream,
       format('is at %s of %s', coalesce(r.sequence::text, 'no position'), h.head) AS problem
FROM heads h
JOIN expected x ON x.log = h.log
LEFT JOIN readers r ON (r.reader, r.log, r.stream) = (x.reader, h.log, h.stream)
WHERE coalesce(r.sequence, 0) <> h.head

UNION ALL
SELECT 'orders', source, stream, format('dead letter %s is open: %s', id, reason)
FROM orders.dead_letters WHERE status = 'open'

UNION ALL
SELECT 'payments', source, stream, format('dead letter %s is open: %s', id, reason)
FROM payments.dead_letters WHERE status = 'open'

UNION ALL
SELECT 'vouchers', source, stream, format('dead letter %s is open: %s', id, reason)
FROM vouchers.dead_letters WHERE status = 'open';
