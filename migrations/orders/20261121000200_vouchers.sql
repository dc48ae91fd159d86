-- migrate:up

-- The voucher that is deducted from an order. What it is worth beyond the total is forfeited.
ALTER TABLE orders
    ADD COLUMN voucher_id           uuid,
    ADD COLUMN voucher_holder       text CHECK (char_length(voucher_holder) BETWEEN 1 AND 70),
    ADD COLUMN voucher_value_amount bigint CHECK (voucher_value_amount > 0),
    ADD CONSTRAINT orders_voucher_whole CHECK (
        num_nulls(voucher_id, voucher_holder, voucher_value_amount) IN (0, 3)),
    ADD CONSTRAINT orders_amount_due CHECK (
        amount_due = total_amount - least(coalesce(voucher_value_amount, 0), total_amount));

-- For the audit, and for whoever asks where a voucher went.
CREATE INDEX orders_by_voucher ON orders (stream, voucher_id) WHERE voucher_id IS NOT NULL;

-- migrate:down
-- Forward only.
