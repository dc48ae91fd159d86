-- migrate:up

-- The simulated bank's book. It is its own: nothing here knows of the services. Of a card it keeps
-- the last four digits and the expiry, and what the card has in store; neither number nor code.

CREATE SCHEMA ops;
GRANT USAGE ON SCHEMA ops TO inspector;

-- What came in, one row per reference: never changed.
CREATE TABLE operations (
    bank        text        NOT NULL CHECK (bank ~ '^[a-z0-9-]{1,15}$'),
    account     text        NOT NULL CHECK (account ~ '^[a-z0-9-]{1,40}$'),
    reference   uuid        NOT NULL, -- the caller's
    id          text        NOT NULL CHECK (id ~ '^op_[0-9a-hjkmnp-tv-z]{26}$'),
    operation   text        NOT NULL CHECK (operation IN ('authorize', 'transfer', 'capture', 'void',
                                                          'refund', 'void_reference')),
    payment     uuid        NOT NULL, -- the reference that began the payment: its own, or the authorization
    currency    text        CHECK (currency ~ '^[A-Z]{3}$'),
    amount      bigint      CHECK (amount BETWEEN 1 AND 1000000000000000),
    capture     boolean     NOT NULL, -- of an authorization: at once
    marker      text        CHECK (marker IN ('disputed', 'refunds_return', 'refunds_pending')),
    card_last4  text        CHECK (card_last4 ~ '^[0-9]{4}$'),
    card_expiry text        CHECK (card_expiry ~ '^[0-9]{2}/[0-9]{4}$'),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (bank, account, reference),
    CONSTRAINT operations_money CHECK (num_nulls(currency, amount)
                                       = CASE operation WHEN 'void_reference' THEN 2 ELSE 0 END)
);
CREATE INDEX operations_by_reference ON operations (reference, bank);

-- What happened to a payment, numbered without holes: never changed. Each says how its record and
-- its payment stand afterwards, so the newest one is the state. That no two have the same number is
-- what decides between calls that come at once.
CREATE TABLE entries (
    bank            text        NOT NULL,
    account         text        NOT NULL,
    payment         uuid        NOT NULL,
    version         int         NOT NULL CHECK (version > 0),
    reference       uuid        NOT NULL, -- of the record that it is about
    event           text        NOT NULL CHECK (event IN ('opened', 'challenge_passed', 'challenge_failed',
                                    'paid', 'voided', 'refund_approved', 'refund_returned',
                                    'dispute_opened', 'dispute_won', 'dispute_lost')),
    status          text        NOT NULL CHECK (status IN ('approved', 'declined', 'pending', 'voided')),
    failure_code    text        CHECK (char_length(failure_code) BETWEEN 1 AND 47),
    decline_code    text        CHECK (char_length(decline_code) BETWEEN 1 AND 47),
    amount          bigint      CHECK (amount BETWEEN 1 AND 1000000000000000), -- the record's
    phase           text        NOT NULL CHECK (phase IN ('pending', 'authorized', 'captured', 'released',
                                                          'refused', 'dead')),
    amount_captured bigint      NOT NULL CHECK (amount_captured >= 0),
    amount_refunded bigint      NOT NULL CHECK (amount_refunded BETWEEN 0 AND amount_captured),
    dispute         text        NOT NULL CHECK (dispute IN ('none', 'open', 'won', 'lost')),
    movement        text        CHECK (movement IN ('capture', 'transfer', 'refund', 'refund_return')),
    at              timestamptz NOT NULL,
    PRIMARY KEY (bank, account, payment, version),
    CONSTRAINT entries_failure CHECK ((status = 'declined') = (failure_code IS NOT NULL)),
    CONSTRAINT entries_captured CHECK ((phase = 'captured') = (amount_captured > 0))
);
-- A reference opens one record, whatever payment it is of.
CREATE UNIQUE INDEX entries_opened ON entries (bank, account, reference) WHERE event = 'opened';
CREATE INDEX entries_by_reference ON entries (bank, account, reference, version);
CREATE INDEX entries_to_settle ON entries (bank, account, at, payment, version) WHERE movement IS NOT NULL;

-- What the bank will do by itself: a row is deleted by the entry that does it.
CREATE TABLE duties (
    bank      text        NOT NULL,
    account   text        NOT NULL,
    reference uuid        NOT NULL,
    event     text        NOT NULL CHECK (event IN ('refund_approved', 'refund_returned', 'dispute_opened')),
    due_at    timestamptz NOT NULL,
    PRIMARY KEY (bank, account, reference, event)
);
CREATE INDEX duties_due ON duties (due_at);

-- What is to be told, written together with the entry that it tells of.
CREATE TABLE webhooks (
    id         uuid        PRIMARY KEY,
    bank       text        NOT NULL,
    account    text        NOT NULL,
    type       text        NOT NULL CHECK (char_length(type) BETWEEN 1 AND 40),
    body       text        NOT NULL,
    mode       text        NOT NULL CHECK (mode IN ('plain', 'forged', 'held', 'dropped')),
    copies     smallint    NOT NULL CHECK (copies BETWEEN 1 AND 10),
    tries      smallint    NOT NULL DEFAULT 0 CHECK (tries >= 0),
    answer     smallint    CHECK (answer BETWEEN 100 AND 599), -- the last one; NULL: none came
    due_at     timestamptz, -- when it is posted (again); NULL: it has ended
    created_at timestamptz NOT NULL
);
CREATE INDEX webhooks_due ON webhooks (due_at) WHERE due_at IS NOT NULL;

GRANT SELECT, INSERT ON operations, entries TO checkout_service;
GRANT SELECT, INSERT, DELETE ON duties TO checkout_service;
GRANT SELECT, INSERT, UPDATE (mode, tries, answer, due_at) ON webhooks TO checkout_service;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO inspector;

CREATE VIEW ops.bank_records AS
SELECT o.bank, o.account, o.reference, o.id, o.operation, o.payment, e.status, e.failure_code, e.decline_code,
       e.amount, o.currency, o.card_last4, o.created_at, e.at AS changed_at
FROM operations o
CROSS JOIN LATERAL (SELECT status, failure_code, decline_code, amount, at FROM entries
                    WHERE bank = o.bank AND account = o.account AND reference = o.reference
                    ORDER BY version DESC LIMIT 1) e;
COMMENT ON VIEW ops.bank_records IS 'What the simulated bank was asked, by reference, and how it stands.';

CREATE VIEW ops.bank_payments AS
SELECT DISTINCT ON (e.bank, e.account, e.payment)
       e.bank, e.account, e.payment, e.version, e.phase, o.currency, o.amount, e.amount_captured,
       e.amount_refunded, e.dispute, e.at AS changed_at
FROM entries e
JOIN operations o ON o.bank = e.bank AND o.account = e.account AND o.reference = e.payment
ORDER BY e.bank, e.account, e.payment, e.version DESC;
COMMENT ON VIEW ops.bank_payments IS 'The simulated bank''s payments: what was authorized, captured and refunded, all in all.';

GRANT SELECT ON ALL TABLES IN SCHEMA ops TO inspector;

-- migrate:down
-- Forward only.
