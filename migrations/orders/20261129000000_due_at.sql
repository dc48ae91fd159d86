-- migrate:up

-- What is indexed decides what an update costs. An index whose condition names the status makes every change
-- of an order write into each of its indexes; the moment at which a pending order ends changes once, and of an
-- order that is paid by invoice never. Such a change stays in its page, for which pages keep some room.
ALTER TABLE orders
    ADD COLUMN due_at timestamptz GENERATED ALWAYS AS (CASE WHEN status = 'pending' THEN expires_at END) STORED,
    SET (fillfactor = 85);
DROP INDEX orders_to_expire;
CREATE INDEX orders_to_expire ON orders (stream, due_at) WHERE due_at IS NOT NULL;

-- migrate:down
-- Forward only.
