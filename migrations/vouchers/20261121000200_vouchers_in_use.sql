-- migrate:up

-- A voucher is read, locked and decided on as one row, so what its reservation or its open redemption
-- says stands here. lapses_at is by this server's clock, which decides when a reservation is over
-- whichever instance made it; reservation_until is what its holder was told. source_undone: the order
-- that earned it was canceled or returned while it was in use, so it is voided when it comes back.
ALTER TABLE vouchers
    ADD COLUMN reservation_holder   text CHECK (char_length(reservation_holder) BETWEEN 1 AND 200),
    ADD COLUMN reservation_until    timestamptz,
    ADD COLUMN lapses_at            timestamptz,
    ADD COLUMN redemption_id        uuid,
    ADD COLUMN redemption_reference text CHECK (char_length(redemption_reference) BETWEEN 1 AND 200),
    ADD COLUMN redemption_order_id  uuid,
    ADD COLUMN redeemed_at          timestamptz,
    ADD COLUMN source_undone        boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT vouchers_reservation CHECK (
        num_nulls(reservation_holder, reservation_until, lapses_at) = CASE status WHEN 'reserved' THEN 0 ELSE 3 END),
    ADD CONSTRAINT vouchers_redemption CHECK (
        num_nulls(redemption_id, redeemed_at) = CASE status WHEN 'redeemed' THEN 0 ELSE 2 END
        AND num_nulls(redemption_reference, redemption_order_id) = CASE status WHEN 'redeemed' THEN 1 ELSE 2 END);

CREATE INDEX vouchers_to_lapse ON vouchers (stream, lapses_at) WHERE status = 'reserved';

-- Every redemption there was: by an order of ours, or under a free reference.
CREATE TABLE redemptions (
    stream         smallint    NOT NULL,
    id             uuid        NOT NULL,
    voucher_id     uuid        NOT NULL,
    merchant_id    text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9-]{1,40}$'),
    reference      text        CHECK (char_length(reference) BETWEEN 1 AND 200),
    order_id       uuid,
    redeemed_at    timestamptz NOT NULL,
    rolled_back_at timestamptz,
    PRIMARY KEY (stream, id),
    FOREIGN KEY (stream, voucher_id) REFERENCES vouchers,
    CONSTRAINT redemptions_by_whom CHECK (num_nulls(reference, order_id) = 1)
);
CREATE UNIQUE INDEX redemptions_open ON redemptions (stream, voucher_id) WHERE rolled_back_at IS NULL;
CREATE UNIQUE INDEX redemptions_by_order ON redemptions (stream, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX redemptions_by_voucher ON redemptions (stream, voucher_id);

GRANT SELECT, INSERT, UPDATE (rolled_back_at) ON redemptions TO checkout_service;
GRANT SELECT ON redemptions TO inspector;

CREATE VIEW ops.reservations AS
SELECT stream, id AS voucher_id, merchant_id, reservation_holder AS holder,
       reservation_until AS expires_at, lapses_at, lapses_at <= now() AS overdue
FROM vouchers WHERE status = 'reserved';
COMMENT ON VIEW ops.reservations IS 'Vouchers that are reserved. An overdue one lapses once all orders made before are known here.';

CREATE VIEW ops.redemptions AS
SELECT stream, id, voucher_id, merchant_id, reference, order_id, redeemed_at, rolled_back_at
FROM redemptions;
COMMENT ON VIEW ops.redemptions IS 'Every redemption, by an order or under a free reference; one that was not rolled back is open.';

GRANT SELECT ON ops.reservations, ops.redemptions TO inspector;

-- migrate:down
-- Forward only.
