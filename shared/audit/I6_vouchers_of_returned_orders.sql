-- A voucher whose order was canceled or returned can not be used
--
-- The half of I6 that holds before vouchers are redeemed: once its order has been canceled or
-- returned, a voucher is void (or was redeemed or had expired before).

SELECT v.id AS voucher_id, o.id AS order_id, format('is %s, its order is %s', v.status, o.status) AS problem
FROM vouchers.vouchers v
JOIN orders.orders o ON (o.stream, o.id) = (v.stream, v.order_id)
WHERE o.status IN ('canceled', 'returned') AND v.status IN ('active', 'reserved');
