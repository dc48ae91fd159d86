-- migrate:up

-- The audit looks at all databases at once, through postgres_fdw and with the rights of inspector.
-- The launcher makes the servers (orders, vouchers), because where they are differs per stack. Only
-- the columns that an invariant needs are here.

CREATE SCHEMA orders;

CREATE FOREIGN TABLE orders.streams (
    stream smallint NOT NULL
) SERVER orders OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE orders.events (
    stream          smallint    NOT NULL,
    sequence        bigint      NOT NULL,
    merchant_id     text        NOT NULL,
    type            text        NOT NULL,
    subject         uuid        NOT NULL,
    subject_version int         NOT NULL,
    time            timestamptz NOT NULL,
    data            json        NOT NULL
) SERVER orders OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE orders.relay_position (
    stream   smallint NOT NULL,
    sequence bigint   NOT NULL
) SERVER orders OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE orders.consumer_position (
    source   text     NOT NULL,
    stream   smallint NOT NULL,
    sequence bigint   NOT NULL
) SERVER orders OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE orders.dead_letters (
    id       uuid     NOT NULL,
    source   text     NOT NULL,
    stream   smallint NOT NULL,
    sequence bigint,
    reason   text     NOT NULL,
    status   text     NOT NULL
) SERVER orders OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE orders.idempotency_keys (
    stream          smallint NOT NULL,
    merchant_id     text     NOT NULL,
    scope           text     NOT NULL,
    key             text     NOT NULL,
    status          smallint NOT NULL,
    subject         uuid     NOT NULL,
    subject_version int      NOT NULL
) SERVER orders OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE orders.orders (
    stream         smallint NOT NULL,
    id             uuid     NOT NULL,
    merchant_id    text     NOT NULL,
    version        int      NOT NULL,
    status         text     NOT NULL,
    payment_status text     NOT NULL,
    currency       text     NOT NULL,
    total_amount   bigint   NOT NULL,
    amount_due     bigint   NOT NULL,
    customer_id    text     NOT NULL
) SERVER orders OPTIONS (schema_name 'public');

CREATE SCHEMA vouchers;

CREATE FOREIGN TABLE vouchers.streams (
    stream smallint NOT NULL
) SERVER vouchers OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE vouchers.events (
    stream          smallint    NOT NULL,
    sequence        bigint      NOT NULL,
    merchant_id     text        NOT NULL,
    type            text        NOT NULL,
    subject         uuid        NOT NULL,
    subject_version int         NOT NULL,
    time            timestamptz NOT NULL,
    data            json        NOT NULL
) SERVER vouchers OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE vouchers.relay_position (
    stream   smallint NOT NULL,
    sequence bigint   NOT NULL
) SERVER vouchers OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE vouchers.consumer_position (
    source   text     NOT NULL,
    stream   smallint NOT NULL,
    sequence bigint   NOT NULL
) SERVER vouchers OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE vouchers.dead_letters (
    id       uuid     NOT NULL,
    source   text     NOT NULL,
    stream   smallint NOT NULL,
    sequence bigint,
    reason   text     NOT NULL,
    status   text     NOT NULL
) SERVER vouchers OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE vouchers.idempotency_keys (
    stream          smallint NOT NULL,
    merchant_id     text     NOT NULL,
    scope           text     NOT NULL,
    key             text     NOT NULL,
    status          smallint NOT NULL,
    subject         uuid     NOT NULL,
    subject_version int      NOT NULL
) SERVER vouchers OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE vouchers.voucher_rules (
    id               uuid        NOT NULL,
    currency         text        NOT NULL,
    threshold_amount bigint      NOT NULL,
    value_amount     bigint      NOT NULL,
    created_at       timestamptz NOT NULL
) SERVER vouchers OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE vouchers.vouchers (
    stream       smallint NOT NULL,
    id           uuid     NOT NULL,
    merchant_id  text     NOT NULL,
    version      int      NOT NULL,
    status       text     NOT NULL,
    rule_id      uuid     NOT NULL,
    order_id     uuid     NOT NULL,
    customer_id  text     NOT NULL,
    currency     text     NOT NULL,
    value_amount bigint   NOT NULL
) SERVER vouchers OPTIONS (schema_name 'public');

GRANT USAGE ON SCHEMA orders, vouchers TO inspector;
GRANT SELECT ON ALL TABLES IN SCHEMA orders, vouchers TO inspector;

-- migrate:down
-- Forward only.
