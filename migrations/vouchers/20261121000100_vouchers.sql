-- migrate:up

-- What earns a voucher: an order of `currency` whose total is strictly above the threshold.
CREATE TABLE voucher_rules (
    id               uuid        PRIMARY KEY,
    trigger          text        NOT NULL CHECK (trigger = 'order.sent'),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    threshold_amount bigint      NOT NULL CHECK (threshold_amount BETWEEN 0 AND 1000000000000000),
    value_amount     bigint      NOT NULL CHECK (value_amount BETWEEN 1 AND 1000000000000000),
    valid_days       int         NOT NULL CHECK (valid_days BETWEEN 1 AND 3650),
    created_at       timestamptz NOT NULL, -- orders sent before earn nothing by this rule
    UNIQUE (trigger, currency)
);
INSERT INTO voucher_rules (id, trigger, currency, threshold_amount, value_amount, valid_days, created_at)
VALUES ('01940000-0000-7000-8000-000000000001', 'order.sent', 'EUR', 10000, 500, 365, '2000-01-01Z');

CREATE TABLE vouchers (
    stream       smallint    NOT NULL,
    id           uuid        NOT NULL,
    merchant_id  text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9-]{1,40}$'),
    version      int         NOT NULL CHECK (version > 0),
    status       text        NOT NULL CHECK (status IN ('active', 'reserved', 'redeemed',
                                                        'expired', 'voided')),
    code         text        NOT NULL CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{12}[0-9A-HJKMNP-TV-Z*~$=U]$'),
    rule_id      uuid        NOT NULL REFERENCES voucher_rules,
    order_id     uuid        NOT NULL, -- the order that earned it
    customer_id  text        NOT NULL CHECK (char_length(customer_id) BETWEEN 1 AND 200),
    currency     text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    value_amount bigint      NOT NULL CHECK (value_amount > 0),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (stream, id),
    CONSTRAINT vouchers_one_per_order UNIQUE (stream, order_id, rule_id),
    CONSTRAINT vouchers_code UNIQUE (stream, code)
);

CREATE INDEX vouchers_by_merchant ON vouchers (stream, merchant_id, id);
CREATE INDEX vouchers_by_customer ON vouchers (stream, merchant_id, customer_id, id);
CREATE INDEX vouchers_to_expire ON vouchers (stream, expires_at) WHERE status = 'active';

GRANT SELECT, INSERT ON voucher_rules TO checkout_service;
GRANT SELECT, INSERT, UPDATE ON vouchers TO checkout_service;
GRANT SELECT ON voucher_rules, vouchers TO inspector;

-- migrate:down
-- Forward only.
