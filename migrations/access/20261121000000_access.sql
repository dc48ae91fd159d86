-- migrate:up

-- Merchants, each assigned a stream once, and the API keys that speak for them.
CREATE TABLE merchants (
    id         text        PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{1,40}$' AND id <> 'service'),
    stream     smallint    NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id            text        PRIMARY KEY CHECK (id ~ '^[a-z0-9]{1,32}$'),
    merchant_id   text        REFERENCES merchants, -- NULL: every merchant (operators, services)
    secret_sha256 bytea       NOT NULL CHECK (octet_length(secret_sha256) = 32),
    scopes        text[]      NOT NULL CHECK (scopes <@ ARRAY[
                      'orders:read', 'orders:write', 'orders:fulfil', 'payments:read',
                      'payments:write', 'refunds:write', 'vouchers:read', 'vouchers:write',
                      'events:read', 'operator']),
    name          text        NOT NULL DEFAULT '' CHECK (char_length(name) <= 200),
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);
CREATE INDEX api_keys_merchant ON api_keys (merchant_id);

GRANT SELECT ON merchants, api_keys TO access_reader;

-- Operators may look at everything but the hashes.
GRANT SELECT ON merchants TO inspector;
GRANT SELECT (id, merchant_id, scopes, name, created_at, revoked_at) ON api_keys TO inspector;

-- migrate:down
-- Forward only.
