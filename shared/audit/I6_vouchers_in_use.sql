-- A voucher is redeemed at most once at a time, and never by a canceled or expired order
--
-- In both directions: every redeemed voucher has exactly its one open redemption, and every order with
-- a voucher that is not canceled or expired has exactly the open redemption of that voucher, worth what
-- was deducted, of the same merchant and currency, and not earned by the order itself. A voucher whose
-- own order was canceled or returned is over, or known to be as soon as it comes back from its use.

WITH open AS (
    SELECT stream, id, voucher_id, merchant_id, order_id
    FROM vouchers.redemptions WHERE rolled_back_at IS NULL
), redeemed AS (
    SELECT stream, id, status, redemption_id FROM vouchers.vouchers
    WHERE status = 'redeemed' OR redemption_id IS NOT NULL
), live AS (
    SELECT stream, id, merchant_id, voucher_id, status
    FROM orders.orders WHERE voucher_id IS NOT NULL AND status NOT IN ('canceled', 'expired')
)
SELECT coalesce(r.id, o.voucher_id) AS voucher_id, o.order_id,
       CASE WHEN o.id IS NULL THEN format('is %s and has no open redemption', r.status)
            ELSE 'has an open redemption that is not its own' END AS problem
FROM redeemed r
FULL JOIN open o ON (o.stream, o.voucher_id, o.id) = (r.stream, r.id, r.redemption_id)
WHERE r.id IS NULL OR o.id IS NULL OR r.status <> 'redeemed'

UNION ALL
SELECT voucher_id, NULL, format('has %s open redemptions', count(*))
FROM open GROUP BY stream, voucher_id HAVING count(*) > 1

UNION ALL
SELECT coalesce(r.voucher_id, o.voucher_id), coalesce(o.id, r.order_id),
       CASE WHEN r.id IS NULL THEN format('is not redeemed by its order, which is %s', o.status)
            WHEN o.id IS NULL THEN 'is redeemed by an order that has ended, or does not use it'
            ELSE format('is redeemed by an order that uses voucher %s', o.voucher_id) END
FROM live o
FULL JOIN (SELECT stream, id, voucher_id, merchant_id, order_id FROM open WHERE order_id IS NOT NULL) r
    ON (r.stream, r.order_id) = (o.stream, o.id)
WHERE r.id IS NULL OR o.id IS NULL
   OR (r.voucher_id, r.merchant_id) IS DISTINCT FROM (o.voucher_id, o.merchant_id)

UNION ALL
SELECT o.voucher_id, o.id,
       CASE WHEN v.id IS NULL THEN 'is used by an order, and is none'
            WHEN v.order_id = o.id THEN 'is used by the order that earned it'
            ELSE format('is worth %s %s of %s, its order deducted from %s %s of %s', v.currency,
                        v.value_amount, v.merchant_id, o.currency, o.voucher_value_amount, o.merchant_id)
       END
FROM orders.orders o
LEFT JOIN vouchers.vouchers v ON (v.stream, v.id) = (o.stream, o.voucher_id)
WHERE o.voucher_id IS NOT NULL
  AND (v.id IS NULL OR v.order_id = o.id
       OR (v.merchant_id, v.currency, v.value_amount)
          IS DISTINCT FROM (o.merchant_id, o.currency, o.voucher_value_amount))

UNION ALL
SELECT v.id, o.id, format('is %s, the order that earned it is %s', v.status, o.status)
FROM vouchers.vouchers v
JOIN orders.orders o ON (o.stream, o.id) = (v.stream, v.order_id)
WHERE o.status IN ('canceled', 'returned')
  AND (v.status = 'active' OR (v.status IN ('reserved', 'redeemed') AND NOT v.source_undone));
