# shellcheck shell=bash
# `reconcile`: what the banks say moved on a day, against our own book, row by row. The report goes to
# the screen and, as JSON, to reports/ of the home.
#
# Rows are matched by gateway, account, operation and reference, whatever their days: what a bank
# settled shortly before midnight may be known here shortly after. So the settlements of the days
# around are read too, and what is found there is told apart, and is no difference.

readonly RECONCILE_USAGE="reconcile takes: --date YYYY-MM-DD [--json]."
readonly RECONCILE_SECONDS=60  # for one settlement file
readonly RECONCILE_DAYS_MAX=31 # how far back a bank may have settled what is known here on the day
readonly settlement_head=settled_at,account,operation,reference,authorization,amount,currency,direction

command_reconcile() {
    local date='' json=false
    while [[ $# -gt 0 ]]; do
        case $1 in
        --date)
            date=${2-}
            [[ $# -eq 1 ]] || shift
            ;;
        --json) json=true ;;
        *) usage_error "$RECONCILE_USAGE" ;;
        esac
        shift
    done
    [[ $date =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ && $(date -u -d "$date" +%F 2> /dev/null) == "$date" ]] ||
        usage_error "$RECONCILE_USAGE"
    postgres_require
    local work report
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # as it is now
    trap "rm -rf '$work'" EXIT
    step "Reading both books"
    reconcile_gather
    step_end
    report=$home/reports/reconciliation-$date.json
    mkdir -p "$home/reports"
    reconcile_compare > "$work/report" || fail "The two books could not be compared."
    file_put "$report" < "$work/report"
    own "$home/reports"
    if [[ $json == true ]]; then cat "$report"; else reconcile_show < "$report"; fi
    say "The report is in $report"
    jq -e '.differences == []' "$report" > /dev/null
}

# Both books, one JSON object per line, into $work.
reconcile_gather() {
    local name key_file path origins
    reconcile_gateways > "$work/gateways" ||
        fail "The gateways of payment-service can not be read." "./checkout up   defines them."
    reconcile_book > "$work/book" || fail "Our book can not be read." "./checkout status   tells what runs."
    # Every merchant may have an account at every bank: also one of which our book knows nothing.
    database_query access "SELECT id FROM merchants ORDER BY id" > "$work/accounts"
    reconcile_days > "$work/days"
    while IFS=$'\t' read -r -u 3 name key_file path origins; do
        reconcile_fetch
        reconcile_parse >> "$work/bank"
    done 3< "$work/gateways"
}

# The configuration that payment-service runs with: of each gateway its name, the file of its key, the
# path and the origins, blanks between them.
reconcile_gateways() {
    local env=$home/process/payment-service/env file
    file=$env/GATEWAYS
    [[ -s $file ]] || file=$(file_read "$env/GATEWAYS_FILE")
    [[ -s $file ]] || return 1
    jq -r '.[] | [.name, .key_file, (.path | sub("(/v1)?$"; "/v1")), (.origins | gsub(", *"; " "))] | @tsv' "$file"
}

# The day, the days around it, and those at which a bank may have settled what is known here since that
# day.
reconcile_days() {
    local -i first last earliest
    first=$(date -u -d "$date - 1 day" +%s)
    last=$(date -u -d "$date + 1 day" +%s)
    earliest=$(jq -s --arg date "$date" '
        map(select(.known_at[:10] == $date) | .asked_at[:10] + "T00:00:00Z" | fromdate) | min // empty' "$work/book")
    ((earliest == 0 || earliest >= first)) || first=$earliest
    earliest=$(date -u -d "$date - $RECONCILE_DAYS_MAX days" +%s)
    ((first >= earliest)) || first=$earliest
    while ((first <= last)); do
        date -u -d "@$first" +%F
        first+=86400
    done
}

# Every account's settlements of all those days from one bank, into $work/settlements: one curl, one
# connection. Another origin is asked when one does not give all of them.
reconcile_fetch() {
    local origin
    for origin in $origins; do
        rm -rf "$work/settlements"
        mkdir "$work/settlements"
        reconcile_urls "$origin" > "$work/urls"
        ! curl -q -sS --fail --fail-early -m "$RECONCILE_SECONDS" --noproxy '*' -K "$work/urls" \
            -H @<(printf 'Authorization: Bearer %s\n' "$(file_read "$key_file")") 2> "$work/said" ||
            return 0
    done
    fail "$name does not give its settlements:" "$(< "$work/said")"
}

reconcile_urls() {
    local account day
    while read -r account; do
        while read -r day; do
            printf 'url = "%s%s/accounts/%s/settlements/%s"\noutput = "%s/settlements/%s.%s"\n' \
                "$1" "$path" "$account" "$day" "$work" "$day" "$account"
        done < "$work/days"
    done < "$work/accounts"
}

# No field of a settlement has a comma or a quote in it. A file that was cut off, or that looks otherwise
# than those we know, is not read past.
reconcile_parse() {
    find "$work/settlements" -type f -print0 | sort -z | xargs -0 -r awk -F, \
        -v gateway="$name" -v head="$settlement_head" "$settlement_rows" ||
        fail "What $name gave as its settlements can not be read."
}

# shellcheck disable=SC2016 # awk's own
readonly settlement_rows='
    { sub(/\r$/, "") }
    FNR == 1 {
        day = substr(FILENAME, match(FILENAME, /[^\/]*$/), 10)
        heads += $0 == head
        next
    }
    NF != 8 || $1 !~ /^[0-9]+-[0-9][0-9]-[0-9][0-9]T/ || $6 !~ /^[0-9]+$/ { wrong = 1; exit }
    {
        printf "{\"gateway\":\"%s\",\"account\":\"%s\",\"operation\":\"%s\",\"reference\":\"%s\",", gateway, $2, $3, $4
        printf "\"amount\":%s,\"currency\":\"%s\",\"day\":\"%s\",\"settled_at\":\"%s\"}\n", $6, $7, day, $1
    }
    END { exit wrong || heads != ARGC - 1 }'

# What moved by our book, as far as it may have to do with the day: what became known within a day of
# it. `status` is the attempt's; only what was approved moved anything. A refund that came back is
# another row, under the refund's reference.
reconcile_book() {
    database_psql inspector payments -q -A -t -v date="$date" -f - <<'SQL'
WITH rows AS (
    SELECT a.gateway, a.merchant_id AS account, a.id AS reference, a.payment_id, a.status, a.amount, a.currency,
           a.created_at AS asked_at, a.updated_at AS known_at, r.status AS refund_status, r.updated_at AS refund_known_at,
           CASE a.operation WHEN 'authorize' THEN CASE p.capture_method WHEN 'automatic' THEN 'capture' END
                            WHEN 'void' THEN NULL ELSE a.operation END AS operation
    FROM attempts a
    JOIN payments p ON (p.stream, p.id) = (a.stream, a.payment_id)
    LEFT JOIN refunds r ON (r.stream, r.id) = (a.stream, a.refund_id)
), moved AS (
    SELECT gateway, account, operation, reference, payment_id, status, amount, currency, asked_at, known_at
    FROM rows WHERE operation IS NOT NULL
    UNION ALL
    SELECT gateway, account, 'refund_return', reference, payment_id, 'approved', amount, currency, asked_at,
           refund_known_at
    FROM rows WHERE operation = 'refund' AND status = 'approved' AND refund_status = 'failed'
)
SELECT json_build_object('gateway', gateway, 'account', account, 'operation', operation, 'reference', reference,
                         'payment_id', payment_id, 'status', status, 'amount', amount, 'currency', currency,
                         'asked_at', to_char(asked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                         'known_at', to_char(known_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
FROM moved
WHERE asked_at < :'date'::date::timestamptz + interval '2 days'
  AND known_at >= :'date'::date::timestamptz - interval '1 day';
SQL
}

# Every row of either book that is of the day, with its counterpart. What a bank settled twice has none
# the second time.
reconcile_compare() {
    jq -n --arg date "$date" --slurpfile bank "$work/bank" --slurpfile book "$work/book" \
        --rawfile gateways "$work/gateways" "$reconcile_rules"
}

# shellcheck disable=SC2016 # jq's variables
readonly reconcile_rules='
    def id: "\(.gateway) \(.account) \(.operation) \(.reference)";
    def moved: .status == "approved";
    def difference($bank; $book):
        if $bank == null then "missing_at_bank"
        elif $book == null then "missing_in_book"
        elif ($book | moved | not) then "status"
        elif $bank.currency != $book.currency then "currency"
        elif $bank.amount != $book.amount then "amount"
        else null end;
    ($bank | group_by(id) | map({key: (.[0] | id), value: .}) | from_entries) as $banks
    | ($book | INDEX(id)) as $books
    | [($banks | keys[]), ($books | to_entries[] | select(.value | moved) | .key)] | unique
    | map(. as $id | $books[$id] as $b
          | ($banks[$id] // [null] | to_entries[]
             | {bank: .value, book: (if .key == 0 then $b else null end), day: .value.day, known: $b.known_at[:10]}))
    | map(select(.day == $date or ((.book // {} | moved) and .known == $date)))
    | map(. + {kind: difference(.bank; .book)})
    | map((.bank // .book) as $one
          | {kind, gateway: $one.gateway, account: $one.account, operation: $one.operation, reference: $one.reference,
             payment_id: .book.payment_id,
             bank: (.bank // null | if . then {amount, currency, settled_at} else . end),
             book: (.book // null | if . then {amount, currency, status, known_at} else . end),
             other_day: (.bank != null and .book != null and .day != .known)})
    | {date: $date, made_at: (now | todate), gateways: ($gateways | split("\n")[:-1] | map(split("\t")[0])),
       rows: length, equal: map(select(.kind == null)) | length,
       sums: (group_by([.gateway, .account, .operation, (.bank // .book).currency])
              | map({gateway: .[0].gateway, account: .[0].account, operation: .[0].operation,
                     currency: (.[0].bank // .[0].book).currency,
                     bank: {rows: map(select(.bank)) | length, amount: (map(.bank.amount // 0) | add)},
                     book: {rows: map(select(.book.status == "approved")) | length,
                            amount: (map(select(.book.status == "approved") | .book.amount) | add // 0)},
                     differences: (map(select(.kind)) | length)})),
       differences: map(select(.kind)),
       other_days: map(select(.other_day and .kind == null))}'

readonly RECONCILE_ROWS_SHOWN=50

reconcile_show() {
    local report
    report=$(cat)
    printf 'Settlement of %s (amounts in minor units)\n\n' "$date"
    jq -r '(["GATEWAY", "ACCOUNT", "OPERATION", "CURRENCY", "BANK ROWS", "AMOUNT", "OUR ROWS", "AMOUNT", ""],
            (.sums[] | [.gateway, .account, .operation, .currency, .bank.rows, .bank.amount, .book.rows, .book.amount,
                        if .differences == 0 then "equal" else "DIFFERENT" end])) | @tsv' <<< "$report" | table
    printf '\n'
    jq -e '.differences == []' <<< "$report" > /dev/null || reconcile_show_differences <<< "$report"
    jq -r '"\(.rows) rows, \(.equal) equal, \(.differences | length) different; \(.other_days | length) of them on another day at the bank."' \
        <<< "$report"
}

reconcile_show_differences() {
    jq -r --argjson most "$RECONCILE_ROWS_SHOWN" '
        def side: if . == null then "-" else "\(.currency) \(.amount)\(.status | if . then " " + . else "" end)" end;
        (["DIFFERENCE", "GATEWAY", "ACCOUNT", "OPERATION", "REFERENCE", "BANK", "OURS"],
         (.differences[:$most][] | [.kind, .gateway, .account, .operation, .reference, (.bank | side), (.book | side)]),
         (.differences | length | select(. > $most) | ["... and \(. - $most) more"])) | @tsv' | table
    printf '\n'
}
