-- migrate:up

-- Most of what is read has nothing in it that could be a secret, and one look tells. The look before
-- took the digits of an id for those of a card, and so read every event to the end. Each pattern
-- here finds all that the functions behind it could find: 13 digits in a row, or in the groups that
-- are printed on cards, but not on in the twelve digits that end an id.
CREATE FUNCTION may_hold_secret(written text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT written ~ ('ck_|whsec_|"[cC][iIvV][cCdDvV]|"[sS][eE][cC][uU][rR][iI][tT][yY]'
                      || '|[0-9]{13}|[0-9]{4}[ -]([0-9]{4}[ -][0-9]{4}[ -][0-9]{1,7}|[0-9]{6}[ -][0-9]{4,5})'
                      || '(-(?![0-9a-fA-F]{12})|[^[:alnum:]_-]|$)')
$$;

CREATE FUNCTION secret_of(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN written ~ 'ck_[a-z0-9]{1,32}_[A-Za-z0-9]{32,64}' THEN 'the secret of an API key'
        WHEN written ~ 'whsec_[A-Za-z0-9+/]{24,}' THEN 'the secret of a webhook'
        WHEN written ~* '"(cvc2?|cvv2?|cid|security_?code)" ?: ?"?[0-9]{3,4}\M' THEN 'the code of a card'
        WHEN EXISTS (SELECT FROM card_numbers(written)) THEN 'the number of a card'
    END
$$;

CREATE OR REPLACE FUNCTION secret_in(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN may_hold_secret(written) THEN secret_of(written) END
$$;

CREATE OR REPLACE FUNCTION secret_in(value json) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN may_hold_secret(value::text) THEN secret_of(texts_of(value::jsonb)) END
$$;

-- migrate:down
-- Forward only.
