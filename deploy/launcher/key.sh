# shellcheck shell=bash
# `keys`: API keys, ck_<id>_<secret>. The database has the secret's SHA-256 only, so a key is shown
# once, when it is made. The keys that the launcher makes for itself are kept in secret files.

readonly KEYS_USAGE="keys takes: create [--merchant M] [--scopes A,B] [--name N] [--stream N] | list [--json] | revoke ID."
readonly demo_merchant=demo
readonly scopes_of_a_shop=orders:read,orders:write,orders:fulfil,payments:read,payments:write,refunds:write,vouchers:read,vouchers:write,events:read
readonly scopes_of_an_operator=operator,orders:read,payments:read,vouchers:read,events:read
readonly scopes_of_a_service=events:read
readonly scopes_known=$scopes_of_a_shop,operator
readonly KEY_NAME_MAX=200

command_keys() {
    local verb=${1:-}
    [[ $# -eq 0 ]] || shift
    case $verb in
    create) keys_create "$@" ;;
    list) keys_list "$@" ;;
    revoke) keys_revoke "$@" ;;
    *) usage_error "$KEYS_USAGE" ;;
    esac
}

key_id() {
    local rest=${1#ck_}
    printf '%s\n' "${rest%%_*}"
}

key_secret() {
    printf '%s\n' "${1##*_}"
}

# Twelve letters and digits.
key_random_id() {
    local word
    random_word 12 abcdefghijklmnopqrstuvwxyz0123456789
    printf '%s\n' "$word"
}

# ---- create -----------------------------------------------------------------------------------

keys_create() {
    local merchant=$demo_merchant scopes='' name='' stream=''
    while [[ $# -gt 0 ]]; do
        [[ $# -gt 1 ]] || usage_error "$KEYS_USAGE"
        case $1 in
        --merchant) merchant=$2 ;;
        --scopes) scopes=$2 ;;
        --name) name=$2 ;;
        --stream) stream=$2 ;;
        *) usage_error "$KEYS_USAGE" ;;
        esac
        # An empty scope list is a mistake, not a wish for all of them.
        [[ $1 != --scopes || -n $2 ]] || usage_error "--scopes is empty; there are: $scopes_known."
        shift 2
    done
    if [[ $merchant == '*' ]]; then
        scopes=${scopes:-$scopes_of_an_operator}
        [[ -z $stream ]] || usage_error "A key of every merchant ('*') has no stream of its own."
    else
        scopes=${scopes:-$scopes_of_a_shop}
        merchant_check "$merchant"
    fi
    scopes_check "$merchant" "$scopes"
    [[ -z $stream ]] || stream_check "$stream"
    [[ ${#name} -le $KEY_NAME_MAX && $name != *[[:cntrl:]]* ]] ||
        usage_error "--name has at most $KEY_NAME_MAX characters, all of them printable."
    access_open
    [[ $merchant == '*' ]] || key_need_merchant "$merchant" "$stream"
    key_create "$merchant" "$scopes" "$name"
    say "This is the only time that the key is shown. Merchant $merchant; scopes ${scopes//,/, }."
}

# scopes_check MERCHANT SCOPES
scopes_check() {
    local scope
    [[ $2 =~ ^[a-z:]+(,[a-z:]+)*$ ]] || usage_error "--scopes takes names with commas between them: $scopes_known."
    for scope in ${2//,/ }; do
        # shellcheck disable=SC2086 # words
        [[ ,$scopes_known, == *",$scope,"* ]] || usage_unknown scope "$scope" ${scopes_known//,/ }
    done
    [[ $1 == '*' || ,$2, != *,operator,* ]] ||
        usage_error "The scope operator is for keys of every merchant: --merchant '*'."
}

# key_need_merchant ID STREAM: makes the merchant if it is new; STREAM may be empty.
key_need_merchant() {
    local state
    state=$(merchant_state "$1")
    case $state in
    '')
        merchant_put "$1" "${2:-0}"
        say "Merchant $1 is new, on stream $((10#${2:-0}))."
        ;;
    deleted*)
        fail "Merchant '$1' is deleted." "./checkout merchants restore $1   brings it back."
        ;;
    *)
        [[ -z $2 || ${state#active } == "$((10#$2))" ]] ||
            fail "Merchant '$1' is on stream ${state#active } for good, not on $2."
        ;;
    esac
}

# key_create MERCHANT SCOPES [NAME]: prints a new key; with events:read it is a login to the bus.
# The broker gets the password first, where it means nothing yet: whatever kills the launcher in
# between, a key in the database can be made a login at the next start, and what is not there is
# forgotten.
key_create() {
    local key
    key=ck_$(key_random_id)_$(secret_random)
    if [[ ,$2, == *,events:read,* ]]; then
        printf '%s:%s\n' "$(key_id "$key")" "$(key_secret "$key")" | broker_put_passwords
        key_put "$key" "$@"
        broker_put_users
    else
        key_put "$key" "$@"
    fi
    printf '%s\n' "$key"
}

key_put() {
    key_sql "$@" | access_write
}

# key_sql KEY MERCHANT SCOPES [NAME]: stores the key's hash; MERCHANT may be *. A key that is there
# gets the scopes, unless it was revoked.
key_sql() {
    access_values id "$(key_id "$1")" merchant "$2" hash "$(key_hash "$1")" scopes "$3" name "${4:-}"
    cat <<'SQL'
INSERT INTO api_keys (id, merchant_id, secret_sha256, scopes, name)
SELECT :'id', nullif(:'merchant', '*'), decode(:'hash', 'hex'), string_to_array(:'scopes', ','), :'name'
WHERE :'merchant' = '*' OR EXISTS (SELECT FROM merchants WHERE id = :'merchant' AND deleted_at IS NULL)
ON CONFLICT (id) DO UPDATE
SET secret_sha256 = excluded.secret_sha256, scopes = excluded.scopes
WHERE api_keys.revoked_at IS NULL
  AND (api_keys.secret_sha256, api_keys.scopes) IS DISTINCT FROM (excluded.secret_sha256, excluded.scopes);
SQL
}

key_hash() {
    local hash
    hash=$(printf '%s' "${1##*_}" | sha256sum)
    printf '%s\n' "${hash%% *}"
}

# ---- list, revoke -----------------------------------------------------------------------------

keys_list() {
    [[ $# -eq 0 || ($# -eq 1 && $1 == --json) ]] || usage_error "$KEYS_USAGE"
    postgres_require
    if [[ $# -eq 1 ]]; then
        database_query access "
            SELECT coalesce(json_agg(json_build_object('id', id, 'merchant_id', coalesce(merchant_id, '*'),
                'scopes', scopes, 'name', name, 'created_at', $(utc_text created_at),
                'revoked_at', $(utc_text revoked_at)) ORDER BY created_at, id), '[]')
            FROM api_keys" | jq .
    else
        {
            printf 'ID\tMERCHANT\tSTATE\tCREATED\tNAME\tSCOPES\n'
            database_query access "
                SELECT id, coalesce(merchant_id, '*'),
                       CASE WHEN revoked_at IS NULL THEN 'active' ELSE 'revoked' END,
                       $(utc_text created_at), name, array_to_string(scopes, ',')
                FROM api_keys ORDER BY created_at, id"
        } | table
    fi
}

# Services notice within 5 s, the broker drops its connections at once.
keys_revoke() {
    [[ $# -eq 1 ]] || usage_error "$KEYS_USAGE"
    [[ $1 != ck_* ]] || usage_error "revoke takes the id of a key, which keys list shows, not the key."
    access_open
    local revoked
    revoked=$(access_write id "$1" <<'SQL'
UPDATE api_keys SET revoked_at = now() WHERE id = :'id' AND revoked_at IS NULL RETURNING id;
SQL
    )
    [[ -n $revoked ]] || fail "There is no key '$1' that could be revoked." "./checkout keys list   shows all."
    broker_put_users
    say "Key $1 is revoked: the bus dropped it, the services do within 5 s."
    ! key_is_own "$1" || say "It is one of this stack's own: ./checkout up makes another."
}

# ---- the stack's own --------------------------------------------------------------------------

# What every stack has: a key of the merchant demo for everything a shop does, one for its operator,
# and one for each service to read the others' logs with.
own_keys() {
    printf 'demo\noperator\n'
    service_names
}

key_is_own() {
    local name
    for name in $(own_keys); do
        [[ $(key_id "$(file_read "$home/secrets/key-$name")") != "$1" ]] || return 0
    done
    return 1
}

keys_make_secrets() {
    local name word
    for name in $(own_keys); do
        [[ ! -s $home/secrets/key-$name ]] || continue
        random_word "$SECRET_LENGTH" "$SECRET_LETTERS"
        file_put "$home/secrets/key-$name" <<< "ck_${name//-/}_$word"
    done
}

# A key that was revoked stays so, and another takes its place.
keys_make_own() {
    local revoked name
    revoked=$(own_keys_put)
    if [[ -n $revoked ]]; then
        for name in $revoked; do key_replace_own "$name"; done
        own_keys_put > /dev/null
    fi
    key_end_shared
}

# Prints the names of those that were revoked.
own_keys_put() {
    local name key
    {
        merchant_sql "$demo_merchant" 0
        for name in $(own_keys); do
            key=$(secret_read "key-$name")
            key_sql "$key" "$(own_key_merchant "$name")" "$(own_key_scopes "$name")" "made by checkout up"
            access_values name "$name"
            printf "SELECT :'name' FROM api_keys WHERE id = :'id' AND revoked_at IS NOT NULL;\n"
        done
    } | access_write
}

own_key_merchant() {
    if [[ $1 == demo ]]; then printf '%s\n' "$demo_merchant"; else printf '*\n'; fi
}

own_key_scopes() {
    case $1 in
    demo) printf '%s\n' "$scopes_of_a_shop" ;;
    operator) printf '%s\n' "$scopes_of_an_operator" ;;
    *) printf '%s\n' "$scopes_of_a_service" ;;
    esac
}

# key_put_other NAME: a key with an id that none had before.
key_put_other() {
    local id=${1//-/}
    printf 'ck_%s%s_%s\n' "${id:0:20}" "$(key_random_id)" "$(secret_random)" |
        file_put "$home/secrets/key-$1"
}

# A service reads its key when it starts.
key_replace_own() {
    key_put_other "$1"
    service_each key_stop_holder "$1"
}

key_stop_holder() {
    [[ $service != "$1" ]] || ! process_running "$service_process" || process_stop "$service_process"
}

# Homes of an earlier version had one key for all services.
key_end_shared() {
    [[ -e $home/secrets/key-services ]] || return 0
    access_write <<< "UPDATE api_keys SET revoked_at = now() WHERE id = 'services' AND revoked_at IS NULL;"
    rm "$home/secrets/key-services"
}
