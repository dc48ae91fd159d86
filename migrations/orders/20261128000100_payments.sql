-- migrate:up

-- The newest version of each payment of an order, from payment-service's events: what an order's
-- payment status is made of.
CREATE TABLE order_payments (
    stream          smallint    NOT NULL,
    payment_id      uuid        NOT NULL,
    order_id        uuid        NOT NULL,
    merchant_id     text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9-]{1,40}$'),
    version         int         NOT NULL CHECK (version > 0),
    status          text        NOT NULL CHECK (status IN ('processing', 'requires_action', 'authorized',
                                    'succeeded', 'failed', 'canceled', 'expired')),
    currency        text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount          bigint      NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    amount_captured bigint      NOT NULL CHECK (amount_captured BETWEEN 0 AND 1000000000000000),
    amount_refunded bigint      NOT NULL CHECK (amount_refunded BETWEEN 0 AND 1000000000000000),
    orphaned        boolean     NOT NULL, -- it pays for nothing any more, and goes back
    updated_at      timestamptz NOT NULL, -- when that version was made, by payment-service's clock
    PRIMARY KEY (stream, payment_id),
    FOREIGN KEY (stream, order_id) REFERENCES orders (stream, id)
);
CREATE INDEX order_payments_by_order ON order_payments (stream, order_id, payment_id);

GRANT SELECT, INSERT, UPDATE ON order_payments TO checkout_service;
GRANT SELECT ON order_payments TO inspector;

-- migrate:down
-- Forward only.
