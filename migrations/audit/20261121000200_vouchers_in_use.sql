-- migrate:up

ALTER FOREIGN TABLE orders.orders
    ADD COLUMN voucher_id           uuid,
    ADD COLUMN voucher_value_amount bigint;

ALTER FOREIGN TABLE vouchers.vouchers
    ADD COLUMN reservation_holder text,
    ADD COLUMN redemption_id      uuid,
    ADD COLUMN source_undone      boolean NOT NULL;

CREATE FOREIGN TABLE vouchers.redemptions (
    stream         smallint NOT NULL,
    id             uuid     NOT NULL,
    voucher_id     uuid     NOT NULL,
    merchant_id    text     NOT NULL,
    order_id       uuid,
    rolled_back_at timestamptz
) SERVER vouchers OPTIONS (schema_name 'public');

GRANT SELECT ON vouchers.redemptions TO inspector;

-- migrate:down
-- Forward only.
