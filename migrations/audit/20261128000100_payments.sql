-- migrate:up

-- Payments, and the bank's own book beside them. Of the bank the audit takes what its operators see:
-- its records and payments as they stand.

CREATE SCHEMA payments;

CREATE FOREIGN TABLE payments.streams (
    stream smallint NOT NULL
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.events (
    stream          smallint    NOT NULL,
    sequence        bigint      NOT NULL,
    merchant_id     text        NOT NULL,
    type            text        NOT NULL,
    subject         uuid        NOT NULL,
    subject_version int         NOT NULL,
    time            timestamptz NOT NULL,
    data            json        NOT NULL
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.relay_position (
    stream   smallint NOT NULL,
    sequence bigint   NOT NULL
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.consumer_position (
    source   text     NOT NULL,
    stream   smallint NOT NULL,
    sequence bigint   NOT NULL
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.dead_letters (
    id       uuid     NOT NULL,
    source   text     NOT NULL,
    stream   smallint NOT NULL,
    sequence bigint,
    reason   text     NOT NULL,
    detail   text     NOT NULL,
    topic    text,
    payload  bytea    NOT NULL,
    status   text     NOT NULL
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.idempotency_keys (
    stream          smallint NOT NULL,
    merchant_id     text     NOT NULL,
    scope           text     NOT NULL,
    key             text     NOT NULL,
    status          smallint NOT NULL,
    subject         uuid     NOT NULL,
    subject_version int      NOT NULL
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.payable_orders (
    stream          smallint NOT NULL,
    id              uuid     NOT NULL,
    merchant_id     text     NOT NULL,
    currency        text     NOT NULL,
    amount_due      bigint   NOT NULL,
    amount_reserved bigint   NOT NULL,
    amount_paid     bigint   NOT NULL,
    closed          boolean  NOT NULL,
    to_undo         boolean  NOT NULL
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.payments (
    stream                smallint    NOT NULL,
    id                    uuid        NOT NULL,
    merchant_id           text        NOT NULL,
    version               int         NOT NULL,
    status                text        NOT NULL,
    order_id              uuid,
    currency              text        NOT NULL,
    amount                bigint      NOT NULL,
    amount_captured       bigint      NOT NULL,
    amount_refunded       bigint      NOT NULL,
    amount_refund_pending bigint      NOT NULL,
    gateway               text,
    authorization_id      uuid        NOT NULL,
    operation             text,
    operation_id          uuid,
    dispute_status        text        NOT NULL,
    orphaned              boolean     NOT NULL,
    to_undo               boolean     NOT NULL,
    action_url            text,
    updated_at            timestamptz NOT NULL,
    expires_at            timestamptz
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.refunds (
    stream      smallint NOT NULL,
    id          uuid     NOT NULL,
    merchant_id text     NOT NULL,
    version     int      NOT NULL,
    payment_id  uuid     NOT NULL,
    attempt_id  uuid     NOT NULL,
    status      text     NOT NULL,
    currency    text     NOT NULL,
    amount      bigint   NOT NULL,
    reason      text     NOT NULL
) SERVER payments OPTIONS (schema_name 'public');

CREATE FOREIGN TABLE payments.attempts (
    stream       smallint    NOT NULL,
    id           uuid        NOT NULL,
    merchant_id  text        NOT NULL,
    payment_id   uuid        NOT NULL,
    refund_id    uuid,
    operation    text        NOT NULL,
    gateway      text        NOT NULL,
    status       text        NOT NULL,
    currency     text        NOT NULL,
    amount       bigint      NOT NULL,
    bank_id      text,
    skipped      json        NOT NULL,
    resolve_at   timestamptz
) SERVER payments OPTIONS (schema_name 'public');

CREATE SCHEMA bank;

CREATE FOREIGN TABLE bank.records (
    bank         text   NOT NULL,
    account      text   NOT NULL,
    reference    uuid   NOT NULL,
    operation    text   NOT NULL,
    payment      uuid   NOT NULL,
    status       text   NOT NULL,
    failure_code text,
    amount       bigint,
    currency     text
) SERVER bank OPTIONS (schema_name 'ops', table_name 'bank_records');

CREATE FOREIGN TABLE bank.payments (
    bank            text   NOT NULL,
    account         text   NOT NULL,
    payment         uuid   NOT NULL,
    phase           text   NOT NULL,
    amount_captured bigint NOT NULL,
    amount_refunded bigint NOT NULL
) SERVER bank OPTIONS (schema_name 'ops', table_name 'bank_payments');

CREATE FOREIGN TABLE bank.webhooks (
    id      uuid NOT NULL,
    account text NOT NULL,
    body    text NOT NULL
) SERVER bank OPTIONS (schema_name 'public');

-- What else people could have written a card number into.
ALTER FOREIGN TABLE orders.orders
    ADD COLUMN payment_terms    text NOT NULL,
    ADD COLUMN customer_email   text,
    ADD COLUMN client_reference text,
    ADD COLUMN lines            json NOT NULL,
    ADD COLUMN metadata         json NOT NULL,
    ADD COLUMN updated_at       timestamptz NOT NULL;
ALTER FOREIGN TABLE orders.dead_letters
    ADD COLUMN detail  text  NOT NULL,
    ADD COLUMN topic   text,
    ADD COLUMN payload bytea NOT NULL;
ALTER FOREIGN TABLE vouchers.dead_letters
    ADD COLUMN detail  text  NOT NULL,
    ADD COLUMN topic   text,
    ADD COLUMN payload bytea NOT NULL;
ALTER FOREIGN TABLE vouchers.redemptions
    ADD COLUMN reference text;

GRANT USAGE ON SCHEMA payments, bank TO inspector;
GRANT SELECT ON ALL TABLES IN SCHEMA payments, bank TO inspector;

-- Whether the last digit is the check digit of the others.
CREATE FUNCTION luhn(digits text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT sum(CASE WHEN place % 2 = 0 THEN digit * 2 - CASE WHEN digit > 4 THEN 9 ELSE 0 END ELSE digit END)
           % 10 = 0
    FROM (SELECT place, substr(reverse(digits), place, 1)::int AS digit
          FROM generate_series(1, length(digits)) AS place) AS written
$$;

-- The numbers in a text that can be those of cards: 13 to 19 digits, in one or in the groups that are
-- printed on them, that begin as some issuer's do and pass Luhn. Digits of something longer (an id,
-- a hash, a decimal number) are none.
CREATE FUNCTION card_numbers(written text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT digits
    FROM regexp_matches(
             regexp_replace(written, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', ' ', 'gi'),
             '(?<![[:alnum:]_.+])([0-9]{13,19}|[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{1,7}'
                 || '|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5})(?![[:alnum:]_])', 'g') AS found,
         replace(replace(found[1], ' ', ''), '-', '') AS digits
    WHERE digits ~ ('^(4([0-9]{12}|[0-9]{15}|[0-9]{18})|5[0-9]{12,18}|3[47][0-9]{13}|3[05689][0-9]{12,17}'
                    || '|2(22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}|6[0-9]{12,18})$')
      AND luhn(digits)
$$;

-- What a text has in it that must not stand anywhere; NULL is nothing.
CREATE FUNCTION secret_in(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN written ~ 'ck_[a-z0-9]{1,32}_[A-Za-z0-9]{32,64}' THEN 'the secret of an API key'
        WHEN written ~ 'whsec_[A-Za-z0-9+/]{24,}' THEN 'the secret of a webhook'
        WHEN written ~* '"(cvc2?|cvv2?|cid|security_?code)" ?: ?"?[0-9]{3,4}\M' THEN 'the code of a card'
        WHEN written ~ '[0-9](?:[ -]?[0-9]){12}' AND EXISTS (SELECT FROM card_numbers(written))
            THEN 'the number of a card'
    END
$$;

-- The members of a JSON value that are texts, one per line, and those that are called like a card's
-- code. Other numbers are amounts. What a shop calls its goods (sku) is left out: the numbers on their
-- packages have 13 digits too, and every tenth of them passes Luhn.
CREATE FUNCTION texts_of(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_agg(line, E'\n') FROM (
        SELECT format('"%s":"%s"', pair ->> 'key',
                      CASE WHEN jsonb_typeof(pair -> 'value') = 'string' OR pair ->> 'key' ~* '^c[iv][cdv]'
                           THEN pair ->> 'value' END) AS line
        FROM jsonb_path_query(value, 'strict $.** ? (@.type() == "object").keyvalue()') AS pair
        WHERE pair ->> 'key' <> 'sku'
        UNION ALL
        SELECT element #>> '{}'
        FROM jsonb_path_query(value, 'strict $.** ? (@.type() == "array")[*] ? (@.type() == "string")') AS element
    ) AS lines
$$;

CREATE FUNCTION secret_in(value json) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN value::text ~* 'ck_|whsec_|"c[iv][cdv]|security|[0-9](?:[ -]?[0-9]){12}'
                THEN secret_in(texts_of(value::jsonb)) END
$$;

-- migrate:down
-- Forward only.
