-- migrate:up

CREATE TABLE orders (
    stream           smallint    NOT NULL,
    id               uuid        NOT NULL,
    merchant_id      text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9-]{1,40}$'),
    version          int         NOT NULL CHECK (version > 0),
    status           text        NOT NULL CHECK (status IN ('pending', 'paid', 'sent', 'delivered',
                                                            'returned', 'canceled', 'expired')),
    payment_status   text        NOT NULL CHECK (payment_status IN
                                     ('unpaid', 'partially_paid', 'authorized', 'paid',
                                      'partially_refunded', 'refunded')),
    payment_terms    text        NOT NULL CHECK (payment_terms IN ('prepaid', 'invoice')),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    total_amount     bigint      NOT NULL CHECK (total_amount BETWEEN 0 AND 1000000000000000),
    amount_due       bigint      NOT NULL CHECK (amount_due BETWEEN 0 AND total_amount),
    customer_id      text        NOT NULL CHECK (char_length(customer_id) BETWEEN 1 AND 200),
    customer_email   text        CHECK (char_length(customer_email) BETWEEN 1 AND 200),
    client_reference text        CHECK (char_length(client_reference) BETWEEN 1 AND 200),
    -- json, not jsonb: what was answered comes back byte for byte, and it is cheaper to write.
    lines            json        NOT NULL CHECK (json_array_length(lines) BETWEEN 1 AND 500),
    metadata         json        NOT NULL CHECK (json_typeof(metadata) = 'object'),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    expires_at       timestamptz, -- of a prepaid order that nobody pays; NULL for an invoice
    PRIMARY KEY (stream, id)
);

-- Lists are newest first by id (UUIDv7), within a merchant.
CREATE INDEX orders_by_merchant ON orders (stream, merchant_id, id);
CREATE INDEX orders_by_customer ON orders (stream, merchant_id, customer_id, id);
CREATE INDEX orders_by_reference ON orders (stream, merchant_id, client_reference, id)
    WHERE client_reference IS NOT NULL;
CREATE INDEX orders_to_expire ON orders (stream, expires_at)
    WHERE status = 'pending' AND expires_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON orders TO checkout_service;
GRANT SELECT ON orders TO inspector;

CREATE VIEW ops.order_lines AS
SELECT o.stream, o.id AS order_id, o.merchant_id, o.currency, l.number AS line,
       l.value ->> 'sku' AS sku,
       l.value ->> 'name' AS name,
       (l.value ->> 'quantity')::bigint AS quantity,
       (l.value ->> 'unit_amount')::bigint AS unit_amount,
       (l.value ->> 'quantity')::bigint * (l.value ->> 'unit_amount')::bigint AS amount
FROM orders o, json_array_elements(o.lines) WITH ORDINALITY AS l (value, number);
COMMENT ON VIEW ops.order_lines IS 'The lines of every order as rows, amounts in minor units.';

GRANT SELECT ON ops.order_lines TO inspector;

-- migrate:down
-- Forward only.
