# shellcheck shell=bash
# `merchants`: who the orders belong to. A merchant is on one stream, given once and for all.

readonly MERCHANTS_USAGE="merchants takes: create ID [--stream N] | list [--json] | delete ID | restore ID."
readonly STREAM_MAX=32767

command_merchants() {
    local verb=${1:-}
    [[ $# -eq 0 ]] || shift
    case $verb in
    create) merchants_create "$@" ;;
    list) merchants_list "$@" ;;
    delete | restore)
        [[ $# -eq 1 ]] || usage_error "$MERCHANTS_USAGE"
        merchant_check "$1"
        access_open
        "merchant_$verb" "$1"
        ;;
    *) usage_error "$MERCHANTS_USAGE" ;;
    esac
}

# The database of merchants and keys is to be changed: by one launcher at a time.
access_open() {
    postgres_require
    home_lock
}

# access_values [NAME VALUE]...: gives the SQL behind it a value as :'NAME'. They go the same way as
# the SQL, not through the process list. A line is where a value ends for psql, and what follows could
# be its command.
access_values() {
    local value
    while [[ $# -gt 0 ]]; do
        value=${2//\\/\\\\}
        value=${value//$'\n'/\\n}
        printf "\\\\set %s '%s'\n" "$1" "${value//\'/\'\'}"
        shift 2
    done
}

# access_write [NAME VALUE]...: standard input is SQL with these values, one transaction; prints what
# it returns.
access_write() {
    {
        access_values "$@"
        cat
    } | database_psql access_owner access -q -A -t -1 -f -
}

merchant_check() {
    [[ $1 =~ ^[a-z0-9-]{1,40}$ ]] ||
        usage_error "'$1' is no merchant: its id has 1 to 40 of a-z, 0-9 and -."
    [[ $1 != service ]] || usage_error "The merchant 'service' is reserved: the services' own topics are there."
}

merchants_create() {
    local id='' stream=0
    while [[ $# -gt 0 ]]; do
        case $1 in
        --stream)
            stream=${2-}
            shift
            ;;
        -*) usage_error "$MERCHANTS_USAGE" ;;
        *)
            [[ -z $id ]] || usage_error "$MERCHANTS_USAGE"
            id=$1
            ;;
        esac
        [[ $# -gt 0 ]] || usage_error "$MERCHANTS_USAGE"
        shift
    done
    [[ -n $id ]] || usage_error "$MERCHANTS_USAGE"
    merchant_check "$id"
    stream_check "$stream"
    access_open
    [[ -z $(merchant_state "$id") ]] || fail "There is a merchant '$id' already." \
        "./checkout merchants list   shows all."
    merchant_put "$id" "$stream"
    say "Merchant $id is there, on stream $((10#$stream))."
}

stream_check() {
    [[ $1 =~ ^[0-9]{1,5}$ && $((10#$1)) -le $STREAM_MAX ]] ||
        usage_error "--stream is '$1', but must be a number from 0 to $STREAM_MAX."
}

# stream_require STREAM: every service must have it, or the merchant's orders could not be written.
stream_require() {
    local row database database_owner database_service folders there
    for row in "${databases[@]}"; do
        database_row "$row"
        [[ $folders == "service "* ]] || continue
        there=$(database_query "$database" "SELECT stream FROM streams ORDER BY stream")
        grep -qxF -- "$((10#$1))" <<< "$there" ||
            fail "There is no stream $((10#$1)) in the database $database; there are: ${there//$'\n'/ }."
    done
}

# merchant_put ID STREAM: makes it unless it is there.
merchant_put() {
    stream_require "$2"
    merchant_sql "$1" "$((10#$2))" | access_write
}

merchant_sql() {
    access_values id "$1" stream "$2"
    cat <<'SQL'
INSERT INTO merchants (id, stream) VALUES (:'id', :'stream') ON CONFLICT DO NOTHING;
SQL
}

# merchant_state ID: "active <stream>" or "deleted <stream>"; nothing if there is none.
merchant_state() {
    access_write id "$1" <<'SQL'
SELECT CASE WHEN deleted_at IS NULL THEN 'active' ELSE 'deleted' END || ' ' || stream
FROM merchants WHERE id = :'id';
SQL
}

# Its keys are dead for good: restoring brings none of them back.
merchant_delete() {
    merchant_expect "$1" active
    access_write id "$1" <<'SQL'
UPDATE merchants SET deleted_at = now() WHERE id = :'id' AND deleted_at IS NULL;
UPDATE api_keys SET revoked_at = now() WHERE merchant_id = :'id' AND revoked_at IS NULL;
SQL
    broker_put_users
    say "Merchant $1 is deleted and its keys are revoked. What it has stays."
}

merchant_restore() {
    merchant_expect "$1" deleted
    access_write id "$1" <<'SQL'
UPDATE merchants SET deleted_at = NULL WHERE id = :'id';
SQL
    say "Merchant $1 is back, without a key."
    say "  ./checkout keys create --merchant $1   makes one."
}

# merchant_expect ID STATE
merchant_expect() {
    local state
    state=$(merchant_state "$1")
    [[ -n $state ]] || fail "There is no merchant '$1'." "./checkout merchants list   shows all."
    [[ $state == "$2 "* ]] || fail "Merchant '$1' is ${state% *} already."
}

merchants_list() {
    [[ $# -eq 0 || ($# -eq 1 && $1 == --json) ]] || usage_error "$MERCHANTS_USAGE"
    postgres_require
    if [[ $# -eq 1 ]]; then
        database_query access "
            SELECT coalesce(json_agg(json_build_object('id', id, 'stream', stream,
                'created_at', $(utc_text created_at), 'deleted_at', $(utc_text deleted_at))
                ORDER BY id), '[]') FROM merchants" | jq .
    else
        {
            printf 'ID\tSTATE\tCREATED\tSTREAM\n'
            database_query access "
                SELECT id, CASE WHEN deleted_at IS NULL THEN 'active' ELSE 'deleted' END,
                       $(utc_text created_at), stream
                FROM merchants ORDER BY id"
        } | table
    fi
}

# The SQL that spells a time as the services do.
utc_text() {
    printf "to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')" "$1"
}
