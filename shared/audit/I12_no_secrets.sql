-- No card number, card code or API secret stands in any table
--
-- Looked for in every text that somebody from outside could have written, and in everything that a
-- service or the bank tells: 13 to 19 digits that begin as cards do and pass Luhn, members called like
-- a card's code, keys and webhook secrets. Of an idempotency key only its first characters are shown.

WITH told AS (
    SELECT 'orders.events' AS place, subject::text AS id, secret_in(data) AS secret FROM orders.events
    UNION ALL
    SELECT 'payments.events', subject::text, secret_in(data) FROM payments.events
    UNION ALL
    SELECT 'vouchers.events', subject::text, secret_in(data) FROM vouchers.events
    UNION ALL
    SELECT 'orders.orders', id::text, secret_in(lines) FROM orders.orders
    UNION ALL
    SELECT 'orders.orders', id::text, secret_in(metadata) FROM orders.orders
    UNION ALL
    SELECT 'orders.orders', id::text, secret_in(concat_ws(E'\n', customer_id, customer_email, client_reference))
    FROM orders.orders
    UNION ALL
    SELECT 'payments.refunds', id::text, secret_in(reason) FROM payments.refunds
    UNION ALL
    SELECT 'payments.payments', id::text, secret_in(action_url) FROM payments.payments
    UNION ALL
    SELECT 'payments.attempts', id::text, secret_in(concat_ws(E'\n', bank_id, skipped::text)) FROM payments.attempts
    UNION ALL
    SELECT 'vouchers.vouchers', id::text, secret_in(reservation_holder) FROM vouchers.vouchers
    UNION ALL
    SELECT 'vouchers.redemptions', id::text, secret_in(reference) FROM vouchers.redemptions
    UNION ALL
    SELECT 'bank.webhooks', id::text, secret_in(body) FROM bank.webhooks
    UNION ALL
    SELECT d.log || '.dead_letters', d.id::text,
           secret_in(concat_ws(E'\n', d.reason, d.detail, d.topic, encode(d.payload, 'escape')))
    FROM (SELECT 'orders' AS log, id, reason, detail, topic, payload FROM orders.dead_letters
          UNION ALL
          SELECT 'payments', id, reason, detail, topic, payload FROM payments.dead_letters
          UNION ALL
          SELECT 'vouchers', id, reason, detail, topic, payload FROM vouchers.dead_letters) d
    UNION ALL
    SELECT k.log || '.idempotency_keys', left(k.key, 6) || '...', secret_in(k.key)
    FROM (SELECT 'orders' AS log, key FROM orders.idempotency_keys
          UNION ALL
          SELECT 'payments', key FROM payments.idempotency_keys
          UNION ALL
          SELECT 'vouchers', key FROM vouchers.idempotency_keys) k
)
SELECT place, id, secret AS problem FROM told WHERE secret IS NOT NULL;
