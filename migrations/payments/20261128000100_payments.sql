-- migrate:up

-- What payment-service knows of an order, from its events: what is due, and what of it is spoken
-- for. Reserved is what is unresolved, authorized or succeeded; paid is the part that succeeded.
CREATE TABLE payable_orders (
    stream          smallint    NOT NULL,
    id              uuid        NOT NULL, -- the order's
    merchant_id     text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9-]{1,40}$'),
    currency        text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_due      bigint      NOT NULL CHECK (amount_due BETWEEN 0 AND 1000000000000000),
    amount_reserved bigint      NOT NULL DEFAULT 0,
    amount_paid     bigint      NOT NULL DEFAULT 0,
    closed          boolean     NOT NULL DEFAULT false, -- canceled, expired or returned: wants no money
    to_undo         boolean     NOT NULL DEFAULT false, -- closed, and may have payments to give back
    PRIMARY KEY (stream, id),
    CONSTRAINT payable_orders_amounts CHECK (0 <= amount_paid AND amount_paid <= amount_reserved
                                             AND amount_reserved <= amount_due)
);
CREATE INDEX payable_orders_to_undo ON payable_orders (stream, id) WHERE to_undo;

CREATE TABLE payments (
    stream                smallint    NOT NULL,
    id                    uuid        NOT NULL,
    merchant_id           text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9-]{1,40}$'),
    version               int         NOT NULL CHECK (version > 0), -- of the public object
    revision              int         NOT NULL CHECK (revision > 0), -- of the row
    status                text        NOT NULL CHECK (status IN ('processing', 'requires_action', 'authorized',
                                          'succeeded', 'failed', 'canceled', 'expired')),
    order_id              uuid,
    currency              text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount                bigint      NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    amount_captured       bigint      NOT NULL DEFAULT 0 CHECK (amount_captured BETWEEN 0 AND amount),
    amount_refunded       bigint      NOT NULL DEFAULT 0 CHECK (amount_refunded >= 0),
    amount_refund_pending bigint      NOT NULL DEFAULT 0 CHECK (amount_refund_pending >= 0),
    capture_method        text        NOT NULL CHECK (capture_method IN ('automatic', 'manual')),
    method                text        NOT NULL CHECK (method IN ('card', 'bank_transfer')),
    card_brand            text        CHECK (char_length(card_brand) BETWEEN 1 AND 23),
    card_last4            text        CHECK (card_last4 ~ '^[0-9]{4}$'),
    card_digits           smallint    CHECK (card_digits BETWEEN 12 AND 19),
    card_exp_month        smallint    CHECK (card_exp_month BETWEEN 1 AND 12),
    card_exp_year         smallint    CHECK (card_exp_year BETWEEN 2000 AND 9999),
    card_fingerprint      text        CHECK (card_fingerprint ~ '^[0-9a-f]{64}$'),
    card_sealed           bytea, -- the number, encrypted, while an authorization is unresolved
    gateway               text        CHECK (gateway ~ '^[a-z0-9-]{1,32}$'), -- where it is being made, or was
    authorization_id      uuid        NOT NULL, -- the attempt that authorizes it; what follows refers to it
    operation             text        CHECK (operation IN ('capture', 'cancel', 'expire')),
    operation_id          uuid, -- the attempt of that operation, not ended yet
    dispute_status        text        NOT NULL DEFAULT 'none' CHECK (dispute_status IN ('none', 'open', 'won', 'lost')),
    orphaned              boolean     NOT NULL DEFAULT false, -- money came that nobody wants any more
    to_undo               boolean     NOT NULL DEFAULT false, -- ... and has to go back
    failure_code          text        CHECK (char_length(failure_code) BETWEEN 1 AND 47),
    decline_code          text        CHECK (char_length(decline_code) BETWEEN 1 AND 47),
    action_url            text        CHECK (char_length(action_url) BETWEEN 1 AND 511),
    request_hash          bytea       NOT NULL CHECK (octet_length(request_hash) = 32), -- keyed
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    expires_at            timestamptz,
    PRIMARY KEY (stream, id),
    CONSTRAINT payments_refunds CHECK (amount_refunded + amount_refund_pending <= amount_captured),
    CONSTRAINT payments_captured CHECK (amount_captured = 0 OR status = 'succeeded' OR orphaned),
    CONSTRAINT payments_succeeded CHECK (status <> 'succeeded' OR amount_captured > 0),
    CONSTRAINT payments_card CHECK (num_nulls(card_brand, card_last4, card_digits, card_exp_month, card_exp_year,
                                              card_fingerprint) = CASE method WHEN 'card' THEN 0 ELSE 6 END),
    -- Nothing of a card is kept for longer than it is needed.
    CONSTRAINT payments_sealed CHECK (card_sealed IS NULL OR status = 'processing'),
    CONSTRAINT payments_operation CHECK (num_nulls(operation, operation_id) IN (0, 2))
);
CREATE INDEX payments_by_merchant ON payments (stream, merchant_id, id);
CREATE INDEX payments_by_order ON payments (stream, order_id, id) WHERE order_id IS NOT NULL;
CREATE INDEX payments_to_expire ON payments (stream, expires_at)
    WHERE expires_at IS NOT NULL AND status IN ('processing', 'requires_action', 'authorized') AND operation IS NULL;
CREATE INDEX payments_to_undo ON payments (stream, id) WHERE to_undo;

CREATE TABLE refunds (
    stream       smallint    NOT NULL,
    id           uuid        NOT NULL,
    merchant_id  text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9-]{1,40}$'),
    version      int         NOT NULL CHECK (version > 0),
    payment_id   uuid        NOT NULL,
    attempt_id   uuid        NOT NULL,
    status       text        NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
    currency     text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount       bigint      NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    reason       text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 200),
    automatic    boolean     NOT NULL, -- begun by the service: nobody wants the money
    failure_code text        CHECK (char_length(failure_code) BETWEEN 1 AND 47),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (stream, id),
    FOREIGN KEY (stream, payment_id) REFERENCES payments (stream, id)
);
CREATE INDEX refunds_by_merchant ON refunds (stream, merchant_id, id);
CREATE INDEX refunds_by_payment ON refunds (stream, payment_id, id);

-- What was asked of a bank: written before the bank is called, under the id that the bank is given.
CREATE TABLE attempts (
    stream       smallint    NOT NULL,
    id           uuid        NOT NULL,
    merchant_id  text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9-]{1,40}$'),
    payment_id   uuid        NOT NULL,
    refund_id    uuid,
    operation    text        NOT NULL CHECK (operation IN ('authorize', 'transfer', 'capture', 'void', 'refund')),
    gateway      text        NOT NULL CHECK (gateway ~ '^[a-z0-9-]{1,32}$'),
    -- sent: its first call runs, or was cut off; pending: the bank has it and will tell; the rest as told.
    status       text        NOT NULL CHECK (status IN ('sent', 'pending', 'unknown', 'approved', 'declined', 'error')),
    currency     text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount       bigint      NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    bank_id      text        CHECK (char_length(bank_id) BETWEEN 1 AND 63),
    failure_code text        CHECK (char_length(failure_code) BETWEEN 1 AND 47),
    decline_code text        CHECK (char_length(decline_code) BETWEEN 1 AND 47),
    skipped      json        NOT NULL, -- [{gateway, reason}]: who was passed over before this gateway
    tries        smallint    NOT NULL DEFAULT 0 CHECK (tries >= 0), -- times that the bank was asked what became of it
    resolve_at   timestamptz, -- when it is asked (again); NULL: it has ended
    traceparent  text        NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (stream, id),
    FOREIGN KEY (stream, payment_id) REFERENCES payments (stream, id),
    CONSTRAINT attempts_refund CHECK ((operation = 'refund') = (refund_id IS NOT NULL)),
    CONSTRAINT attempts_resolve CHECK ((resolve_at IS NULL) = (status IN ('approved', 'declined', 'error')))
);
CREATE INDEX attempts_by_payment ON attempts (stream, payment_id, id);
CREATE INDEX attempts_to_resolve ON attempts (stream, resolve_at) WHERE resolve_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON payable_orders, payments, refunds, attempts TO checkout_service;
GRANT SELECT ON payable_orders, refunds, attempts TO inspector;
GRANT SELECT (stream, id, merchant_id, version, revision, status, order_id, currency, amount, amount_captured,
              amount_refunded, amount_refund_pending, capture_method, method, card_brand, card_last4, card_digits,
              card_exp_month, card_exp_year, card_fingerprint, gateway, authorization_id, operation, operation_id,
              dispute_status, orphaned, to_undo, failure_code, decline_code, action_url, created_at, updated_at,
              expires_at) ON payments TO inspector;

CREATE VIEW ops.unresolved_attempts AS
SELECT a.stream, a.id, a.merchant_id, a.payment_id, a.refund_id, a.operation, a.gateway, a.status, a.amount, a.currency,
       a.tries, a.created_at, a.resolve_at, p.status AS payment_status
FROM attempts a JOIN payments p ON p.stream = a.stream AND p.id = a.payment_id
WHERE a.resolve_at IS NOT NULL;
COMMENT ON VIEW ops.unresolved_attempts IS 'What was asked of a bank and has no outcome yet, and when the bank is asked about it next.';

CREATE VIEW ops.payable_orders AS
SELECT stream, id AS order_id, merchant_id, currency, amount_due, amount_reserved, amount_paid,
       amount_due - amount_reserved AS amount_open, closed, to_undo
FROM public.payable_orders;
COMMENT ON VIEW ops.payable_orders IS 'Orders as payment-service knows them: what is due, reserved by payments, and paid.';

CREATE VIEW ops.reservations AS
SELECT p.stream, p.order_id, p.id AS payment_id, p.merchant_id, p.status, p.currency,
       CASE p.status WHEN 'succeeded' THEN p.amount_captured ELSE p.amount END AS amount_reserved
FROM payments p
WHERE p.order_id IS NOT NULL AND p.status IN ('processing', 'requires_action', 'authorized', 'succeeded');
COMMENT ON VIEW ops.reservations IS 'The payments that an order''s amount is reserved by.';

GRANT SELECT ON ops.unresolved_attempts, ops.payable_orders, ops.reservations TO inspector;

-- migrate:down
-- Forward only.
