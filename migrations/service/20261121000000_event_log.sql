-- migrate:up

-- What every service's database has: the event log and what hangs on it. The service roles of all
-- services are members of checkout_service; which database each may connect to is set per database.

CREATE SCHEMA ops;
GRANT USAGE ON SCHEMA ops TO inspector;

-- One row per stream, locked FOR UPDATE while events are numbered: the order of commits.
CREATE TABLE streams (
    stream smallint PRIMARY KEY
);
INSERT INTO streams (stream) VALUES (0);

-- The event log: only ever inserted into, gapless per stream, kept.
CREATE TABLE events (
    stream          smallint    NOT NULL,
    sequence        bigint      NOT NULL CHECK (sequence > 0),
    id              uuid        NOT NULL,
    merchant_id     text        NOT NULL,
    type            text        NOT NULL,
    subject         uuid        NOT NULL,
    subject_version int         NOT NULL CHECK (subject_version > 0),
    time            timestamptz NOT NULL,
    traceparent     text        NOT NULL,
    data            json        NOT NULL,
    PRIMARY KEY (stream, sequence),
    UNIQUE (stream, subject, subject_version)
);

-- Up to where the broker has acknowledged every event.
CREATE TABLE relay_position (
    stream   smallint PRIMARY KEY,
    sequence bigint   NOT NULL DEFAULT 0 CHECK (sequence >= 0)
);
INSERT INTO relay_position (stream) VALUES (0);

-- Up to where each producer's log has taken effect here.
CREATE TABLE consumer_position (
    source   text     NOT NULL,
    stream   smallint NOT NULL,
    sequence bigint   NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    PRIMARY KEY (source, stream)
);

-- Who leads what, until when by this server's clock.
CREATE TABLE leases (
    name       text        PRIMARY KEY,
    holder     text        NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Events that can not take effect, for an operator to replay or discard.
CREATE TABLE dead_letters (
    id           uuid        PRIMARY KEY,
    source       text        NOT NULL,
    stream       smallint    NOT NULL,
    sequence     bigint,     -- NULL: came from the bus and is not in the log
    reason       text        NOT NULL,
    detail       text        NOT NULL,
    topic        text,
    payload      bytea       NOT NULL,
    payload_hash bytea       NOT NULL CHECK (octet_length(payload_hash) = 32),
    status       text        NOT NULL DEFAULT 'open'
                 CHECK (status IN ('open', 'replayed', 'discarded')),
    created_at   timestamptz NOT NULL,
    resolved_at  timestamptz,
    UNIQUE (source, stream, payload_hash)
);
CREATE INDEX dead_letters_open ON dead_letters (id) WHERE status = 'open';

-- What was answered under which Idempotency-Key: the event (subject, version) that holds the answer.
CREATE TABLE idempotency_keys (
    stream          smallint    NOT NULL,
    merchant_id     text        NOT NULL,
    scope           text        NOT NULL CHECK (char_length(scope) BETWEEN 1 AND 200),
    key             text        NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    body_hash       bytea       NOT NULL CHECK (octet_length(body_hash) = 32),
    status          smallint    NOT NULL CHECK (status BETWEEN 200 AND 299),
    subject         uuid        NOT NULL,
    subject_version int         NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (stream, merchant_id, scope, key)
);
-- Kept for a day and purged in small bites. (No block ranges: once freed pages are used again, each
-- range reaches from the oldest key it ever held to now, and every purge reads the whole table.)
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

GRANT SELECT, UPDATE ON streams TO checkout_service;
GRANT SELECT, INSERT ON events TO checkout_service;
GRANT SELECT, INSERT, UPDATE ON relay_position, consumer_position, dead_letters TO checkout_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON leases, idempotency_keys TO checkout_service;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO inspector;

CREATE VIEW ops.relay_lag AS
SELECT p.stream,
       p.sequence AS position,
       coalesce(e.head, 0) AS head,
       coalesce(e.head, 0) - p.sequence AS lag,
       l.holder AS leader,
       l.expires_at AS leader_until
FROM relay_position p
LEFT JOIN LATERAL (SELECT max(sequence) AS head FROM events WHERE stream = p.stream) e ON true
LEFT JOIN leases l ON l.name = 'relay:' || p.stream;
COMMENT ON VIEW ops.relay_lag IS 'Per stream: events in the log that the broker has not acknowledged yet, and who publishes.';

CREATE VIEW ops.consumer_lag AS
SELECT c.source, c.stream, c.sequence AS position, l.holder AS leader, l.expires_at AS leader_until
FROM consumer_position c
LEFT JOIN leases l ON l.name = 'consumer:' || c.source || ':' || c.stream;
COMMENT ON VIEW ops.consumer_lag IS 'Per source and stream: the last event that took effect here; compare with the producer''s ops.relay_lag.head.';

CREATE VIEW ops.dead_letters AS
SELECT id, source, stream, sequence, reason, detail, topic, status, created_at, resolved_at,
       octet_length(payload) AS payload_bytes
FROM public.dead_letters;
COMMENT ON VIEW ops.dead_letters IS 'Events put aside, newest reason first when ordered by created_at.';

GRANT SELECT ON ALL TABLES IN SCHEMA ops TO inspector;

-- migrate:down
-- Forward only.
