-- Each event log is gapless
--
-- A stream's sequence numbers are 1, 2, 3, ...: as many as the highest. They are given in the order
-- of commits, so what a reader has read up to a number is all there will ever be below it.

SELECT 'orders' AS log, stream, count(*) AS events, min(sequence) AS first, max(sequence) AS head
FROM orders.events GROUP BY stream
HAVING count(*) <> max(sequence) OR min(sequence) <> 1

UNION ALL
SELECT 'payments', stream, count(*), min(sequence), max(sequence)
FROM payments.events GROUP BY stream
HAVING count(*) <> max(sequence) OR min(sequence) <> 1

UNION ALL
SELECT 'vouchers', stream, count(*), min(sequence), max(sequence)
FROM vouchers.events GROUP BY stream
HAVING count(*) <> max(sequence) OR min(sequence) <> 1;
