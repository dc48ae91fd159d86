-- Orders ever sent above EUR 100.00 and their vouchers match one to one, each worth EUR 5.00
--
-- Ever sent: there is an order.sent event; what it says was the order's total then. For EUR the
-- numbers are here and not read from the rules, so that a wrong, late or missing rule shows; in other
-- currencies an operator's rule holds for orders sent after it was made. No other order has a voucher.

WITH sent AS (
    SELECT stream, subject AS order_id, merchant_id, time, data ->> 'currency' AS currency,
           (data ->> 'total_amount')::bigint AS total_amount,
           data -> 'customer' ->> 'id' AS customer_id
    FROM orders.events WHERE type = 'order.sent'
), earned AS (
    SELECT s.stream, s.order_id, s.merchant_id, s.customer_id, s.currency, s.total_amount,
           r.id AS rule_id, CASE s.currency WHEN 'EUR' THEN 500 ELSE r.value_amount END AS value_amount
    FROM sent s LEFT JOIN vouchers.voucher_rules r ON r.currency = s.currency
    WHERE CASE s.currency WHEN 'EUR' THEN s.total_amount > 10000
               ELSE s.total_amount > r.threshold_amount AND s.time >= r.created_at END
), issued AS (
    SELECT stream, id, order_id, rule_id, merchant_id, customer_id, currency, value_amount,
           count(*) OVER (PARTITION BY stream, order_id, currency) AS of_this_order
    FROM vouchers.vouchers
)
SELECT coalesce(e.order_id, i.order_id) AS order_id, i.id AS voucher_id,
       CASE WHEN i.id IS NULL THEN format('%s %s was sent and earned no voucher', e.currency, e.total_amount)
            WHEN e.order_id IS NULL THEN 'has a voucher that it did not earn'
            WHEN i.of_this_order > 1 THEN format('has %s vouchers', i.of_this_order)
            ELSE format('earned %s %s for %s and has %s %s for %s', e.currency, e.value_amount,
                        e.customer_id, i.currency, i.value_amount, i.customer_id)
       END AS problem
FROM earned e
FULL JOIN issued i ON (i.stream, i.order_id, i.rule_id) = (e.stream, e.order_id, e.rule_id)
WHERE e.order_id IS NULL OR i.id IS NULL OR i.of_this_order > 1
   OR (i.merchant_id, i.customer_id, i.currency, i.value_amount)
      IS DISTINCT FROM (e.merchant_id, e.customer_id, e.currency, e.value_amount);
