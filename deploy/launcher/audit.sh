# shellcheck shell=bash
# `audit`: proves the invariants. Each file of shared/audit is one query over all databases that must
# return nothing; its first line says what holds then.

command_audit() {
    local json=false wait_s=0
    while [[ $# -gt 0 ]]; do
        case $1 in
        --json) json=true ;;
        --wait)
            [[ ${2:-} =~ ^[0-9]{1,6}$ ]] || usage_error "--wait takes seconds, 999999 at most."
            wait_s=$2
            shift
            ;;
        *) usage_error "audit takes --json and --wait SECONDS, not '$1'." ;;
        esac
        shift
    done
    postgres_require
    step "Waiting until nothing is under way, for $wait_s s at most"
    wait_until "$wait_s" audit_is_quiet || true
    local results
    step "Looking at the databases"
    results=$(audit_results) ||
        fail "The audit could not be made." "./checkout status   tells what runs, ./checkout logs postgres what went wrong."
    step_end
    audit_report <<< "$results"
    audit_tell "$results"
    if [[ $json == true ]]; then
        printf '%s\n' "$results"
    else
        audit_table <<< "$results"
    fi
    jq -e 'length > 0 and all(.ok)' <<< "$results" > /dev/null
}

# What the console shows: the newest results, when they were made, and what each invariant means.
audit_report() {
    mkdir -p "$home/edge/reports"
    jq -c --arg made_at "$(date -u +%FT%TZ)" --slurpfile meanings <(audit_meanings) '
        {$made_at, invariants: map(.id as $id | . + ($meanings[] | select(.id == $id)))}' |
        file_put "$home/edge/reports/audit.json"
    own "$home/edge/reports"
}

# What a file says below its title: {"id", "meaning"} of each.
audit_meanings() {
    local file name
    for file in $(audit_files); do
        name=${file##*/}
        awk 'NR > 2 { if (!/^--/) exit; sub(/^-- ?/, ""); print }' "$file" |
            jq -Rs --arg id "${name%%_*}" '{$id, meaning: (gsub("\n"; " ") | rtrimstr(" "))}'
    done
}

# In the order of their numbers: I2 before I10.
audit_files() {
    printf '%s\n' "$top"/shared/audit/I*.sql | sort -V
}

# [{id, what, ok, rows: [...]}, ...]: one session, one snapshot per database.
audit_results() {
    {
        echo 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;'
        local file
        for file in $(audit_files); do audit_sql "$file"; done
        echo 'COMMIT;'
    } | database_psql inspector audit -q -A -t -f - |
        jq -s 'map({id, what, ok: (.rows == []), rows})'
}

# The query of a file as one row of JSON: its number, its title and the rows that break it.
audit_sql() {
    local id=${1##*/} text what
    text=$(< "$1")
    what=${text%%$'\n'*}
    what=${what#-- }
    printf "\\\\set id '%s'\n\\\\set what '%s'\n" "${id%%_*}" "${what//\'/\'\'}"
    echo "SELECT json_build_object('id', :'id', 'what', :'what',"
    echo "                         'rows', coalesce(json_agg(broken), '[]')) FROM ("
    printf '%s\n) AS broken;\n' "${text%;}"
}

# audit_tell RESULTS: the newest audit as metrics, in a file that node_exporter shows to Prometheus. It
# holds numbers only, and another user's exporter may read it.
audit_tell() {
    mkdir -p "$home/metrics"
    chmod 755 "$home/metrics"
    audit_metrics <<< "$1" | file_put "$home/metrics/audit.prom" 644
    own "$home/metrics"
}

# shellcheck disable=SC2016 # jq's variables
audit_metrics() {
    jq -r --argjson now "$EPOCHSECONDS" '
        "# HELP checkout_audit_broken_rows Rows that broke the invariant at the newest audit",
        "# TYPE checkout_audit_broken_rows gauge",
        (.[] | "checkout_audit_broken_rows{invariant=\"\(.id)\"} \(.rows | length)"),
        "# HELP checkout_audit_time_seconds When the newest audit was made, in seconds since 1970",
        "# TYPE checkout_audit_time_seconds gauge",
        "checkout_audit_time_seconds \($now)"'
}

audit_is_quiet() {
    [[ $(audit_sql "$top/shared/audit/I4_nothing_waits.sql" |
        database_psql inspector audit -q -A -t -f - | jq '.rows == []') == true ]]
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
