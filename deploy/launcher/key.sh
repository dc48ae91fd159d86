# shellcheck shell=bash
# Merchants and API keys: ck_<id>_<secret>. The database has the secret's SHA-256 only; the three
# keys that the launcher makes for itself are kept in secret files and used again.

readonly own_keys=(demo operator services)
readonly demo_merchant=demo
readonly scopes_of_a_shop=orders:read,orders:write,orders:fulfil,payments:read,payments:write,refunds:write,vouchers:read,vouchers:write,events:read
readonly scopes_of_an_operator=operator,orders:read,payments:read,vouchers:read,events:read

key_id() {
    local rest=${1#ck_}
    printf '%s\n' "${rest%%_*}"
}

key_secret() {
    printf '%s\n' "${1##*_}"
}

# Twelve letters and digits.
key_random_id() {
    head -c 256 /dev/urandom | base64 -w0 | tr -dc 'a-z0-9' | cut -c1-12
}

key_psql() {
    database_psql access_owner access -q -A -t -f -
}

# merchant_sql ID [STREAM]: a stream is given once and for all; a merchant that is there keeps its own.
merchant_sql() {
    printf "\\\\set id '%s'\n\\\\set stream %d\n" "$1" "${2:-0}"
    cat <<'EOF'
INSERT INTO merchants (id, stream) VALUES (:'id', :stream) ON CONFLICT DO NOTHING;
EOF
}

# key_sql KEY MERCHANT SCOPES [NAME]: stores the key's hash. MERCHANT may be *, SCOPES have commas
# between them. A key that is there gets the new scopes, unless it was revoked.
key_sql() {
    local hash name=${4:-}
    hash=$(key_secret "$1" | tr -d '\n' | sha256sum | cut -d' ' -f1)
    printf "\\\\set id '%s'\n\\\\set merchant '%s'\n\\\\set hash '%s'\n" "$(key_id "$1")" "$2" "$hash"
    printf "\\\\set scopes '%s'\n\\\\set name '%s'\n" "$3" "${name//[\'\\]/}"
    cat <<'EOF'
INSERT INTO api_keys (id, merchant_id, secret_sha256, scopes, name)
VALUES (:'id', nullif(:'merchant', '*'), decode(:'hash', 'hex'), string_to_array(:'scopes', ','), :'name')
ON CONFLICT (id) DO UPDATE
SET secret_sha256 = excluded.secret_sha256, scopes = excluded.scopes
WHERE api_keys.revoked_at IS NULL
  AND (api_keys.secret_sha256, api_keys.scopes) IS DISTINCT FROM (excluded.secret_sha256, excluded.scopes);
EOF
}

# key_create MERCHANT SCOPES [NAME]: a new key, printed once; with events:read it is also a login to
# the bus.
key_create() {
    local key
    key=ck_$(key_random_id)_$(secret_random)
    {
        [[ $1 == '*' ]] || merchant_sql "$1"
        key_sql "$key" "$1" "$2" "${3:-}"
    } | key_psql
    if [[ ,$2, == *,events:read,* ]]; then
        printf '%s:%s\n' "$(key_id "$key")" "$(key_secret "$key")" | broker_put_users
    fi
    printf '%s\n' "$key"
}

# key_revoke ID: services notice within 5 s, the broker drops its connections at once.
key_revoke() {
    local revoked
    revoked=$(database_psql access_owner access -q -A -t -v id="$1" -f - <<'EOF'
UPDATE api_keys SET revoked_at = now() WHERE id = :'id' AND revoked_at IS NULL RETURNING id;
EOF
    )
    [[ -n $revoked ]] || fail "There is no key '$1' that could be revoked."
    broker_put_users < /dev/null
}

keys_list() {
    database_query access "
        SELECT id, coalesce(merchant_id, '*'), array_to_string(scopes, ','), name,
               to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
               CASE WHEN revoked_at IS NULL THEN 'active' ELSE 'revoked' END
        FROM api_keys ORDER BY created_at, id"
}

keys_make_secrets() {
    local name
    for name in "${own_keys[@]}"; do
        [[ -s $home/secrets/key-$name ]] ||
            printf 'ck_%s_%s\n' "$name" "$(secret_random)" | file_put "$home/secrets/key-$name"
    done
}

# What every stack has: the merchant demo with a key for everything a shop does, a key for its
# operator, and one with which the services read each other's logs.
keys_make_own() {
    {
        merchant_sql "$demo_merchant"
        key_sql "$(secret_read key-demo)" "$demo_merchant" "$scopes_of_a_shop" "made by checkout up"
        key_sql "$(secret_read key-operator)" '*' "$scopes_of_an_operator" "made by checkout up"
        key_sql "$(secret_read key-services)" '*' events:read "made by checkout up"
    } | key_psql
}
