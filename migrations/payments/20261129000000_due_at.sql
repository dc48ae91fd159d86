-- migrate:up

-- As for orders: a payment's change stays in its page. What waits for nobody is due at no moment.
ALTER TABLE payments
    ADD COLUMN due_at timestamptz GENERATED ALWAYS AS (
        CASE WHEN status IN ('processing', 'requires_action', 'authorized') AND operation IS NULL
             THEN expires_at END) STORED,
    SET (fillfactor = 70);
DROP INDEX payments_to_expire;
CREATE INDEX payments_to_expire ON payments (stream, due_at) WHERE due_at IS NOT NULL;
ALTER TABLE payable_orders SET (fillfactor = 85);

-- migrate:down
-- Forward only.
