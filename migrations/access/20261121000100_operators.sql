-- migrate:up

-- A merchant that is deleted stays, so that its orders still belong to somebody; its keys are revoked
-- in the same transaction, for good.
ALTER TABLE merchants ADD COLUMN deleted_at timestamptz;

-- The scope operator looks at every merchant and changes what belongs to none: a merchant's key can
-- not have it. What had it so far loses it.
UPDATE api_keys SET scopes = array_remove(scopes, 'operator')
WHERE merchant_id IS NOT NULL AND 'operator' = ANY (scopes);

-- A key that may do nothing is dead.
UPDATE api_keys SET revoked_at = now() WHERE scopes = '{}' AND revoked_at IS NULL;

ALTER TABLE api_keys
    ADD CONSTRAINT api_keys_operator CHECK (merchant_id IS NULL OR NOT 'operator' = ANY (scopes)),
    ADD CONSTRAINT api_keys_scopes_some CHECK (scopes <> '{}' OR revoked_at IS NOT NULL);

-- migrate:down
-- Forward only.
