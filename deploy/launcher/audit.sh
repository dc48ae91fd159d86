# shellcheck shell=bash
# `audit`: proves the invariants. Each file of shared/audit is one query over all databases that must
# return nothing; its first line says what holds then.

command_audit() {
    local json=false wait_s=0
    while [[ $# -gt 0 ]]; do
        case $1 in
        --json) json=true ;;
        --wait)
            [[ ${2:-} =~ ^[0-9]+$ ]] || usage_error "--wait takes seconds."
            wait_s=$2
            shift
            ;;
        *) usage_error "audit takes --json and --wait SECONDS, not '$1'." ;;
        esac
        shift
    done
    home_require
    wait_until "$wait_s" audit_is_quiet || true
    local results
    results=$(audit_all | jq -s .)
    if [[ $json == true ]]; then
        printf '%s\n' "$results"
    else
        audit_table <<< "$results"
    fi
    jq -e 'length > 0 and all(.ok)' <<< "$results" > /dev/null
}

# In the order of their numbers: I2 before I10.
audit_files() {
    printf '%s\n' "$top"/shared/audit/I*.sql | sort -V
}

# One JSON object per invariant: {id, what, ok, rows: [...]}.
audit_all() {
    local file rows
    for file in $(audit_files); do
        rows=$(audit_rows "$file") ||
            fail "The audit could not be made: $(basename "$file") did not run." \
                "./checkout status   tells whether PostgreSQL does."
        jq -nc --arg id "$(basename "$file" | cut -d_ -f1)" --slurpfile rows <(printf '%s' "$rows") \
            --arg what "$(sed -n '1s/^-- *//p' "$file")" \
            '{id: $id, what: $what, ok: ($rows[0] == []), rows: $rows[0]}'
    done
}

# The rows that break an invariant, as a JSON array.
audit_rows() {
    {
        echo "SELECT coalesce(json_agg(broken), '[]') FROM ("
        sed '$ s/;$//' "$1"
        echo ") AS broken;"
    } | database_psql inspector audit -q -A -t -f - | jq -c .
}

audit_is_quiet() {
    [[ $(audit_rows "$top/shared/audit/I4_nothing_waits.sql") == '[]' ]]
}

readonly AUDIT_ROWS_SHOWN=20

audit_table() {
    jq -r --argjson most "$AUDIT_ROWS_SHOWN" '
        .[] | ([.id, (.rows | length | tostring), (if .ok then "ok" else "BROKEN" end), .what] | @tsv),
        (.rows[:$most][] | ["", "", "", ([to_entries[] | "\(.key)=\(.value)"] | join(" "))] | @tsv),
        (.rows | length | select(. > $most) | ["", "", "", "... and \(. - $most) more"] | @tsv)' |
        # A tab is a blank to read; empty columns need a separator that is not.
        tr '\t' '\037' |
        while IFS=$'\037' read -r id rows ok what; do
            printf '%-4s %6s  %-7s %s\n' "$id" "$rows" "$ok" "$what"
        done
}
