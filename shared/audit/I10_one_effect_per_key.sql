-- One effect and one answer per idempotency key
--
-- The answer that a key stands for is there: the event of the version that was answered, of the
-- key's merchant; or the voucher rule, which has no events and never changes. And no object was
-- created for two keys; two keys may well have met the same state later, when the second found
-- nothing left to change. Where a bank is in between, a key stands for the version that the object had
-- when the request was written down: before the bank was called.

SELECT k.log, k.merchant_id, k.scope, left(k.key, 80) AS key,
       format('stands for version %s of %s, which is not in the log', k.subject_version, k.subject) AS problem
FROM (
    SELECT 'orders' AS log, stream, merchant_id, scope, key, subject, subject_version
    FROM orders.idempotency_keys
    UNION ALL
    SELECT 'payments', stream, merchant_id, scope, key, subject, subject_version
    FROM payments.idempotency_keys
    UNION ALL
    SELECT 'vouchers', stream, merchant_id, scope, key, subject, subject_version
    FROM vouchers.idempotency_keys
) k
LEFT JOIN (
    SELECT 'orders' AS log, stream, merchant_id, subject, subject_version FROM orders.events
    UNION ALL
    SELECT 'payments', stream, merchant_id, subject, subject_version FROM payments.events
    UNION ALL
    SELECT 'vouchers', stream, merchant_id, subject, subject_version FROM vouchers.events
) e ON (e.log, e.stream, e.merchant_id, e.subject, e.subject_version) =
       (k.log, k.stream, k.merchant_id, k.subject, k.subject_version)
WHERE e.subject IS NULL
  AND NOT (k.log = 'vouchers' AND k.subject IN (SELECT id FROM vouchers.voucher_rules))

UNION ALL
SELECT 'orders', min(merchant_id), min(scope), left(string_agg(key, ', '), 80),
       format('%s keys created order %s', count(*), subject)
FROM orders.idempotency_keys WHERE status = 201
GROUP BY stream, subject
HAVING count(*) > 1

UNION ALL
SELECT 'payments', min(merchant_id), min(scope), left(string_agg(key, ', '), 80),
       format('%s keys created payment or refund %s', count(*), subject)
FROM payments.idempotency_keys WHERE status IN (201, 202)
GROUP BY stream, subject
HAVING count(*) > 1;
