# shellcheck shell=bash
# Migrations: dbmate, once per database, as its owner. dbmate takes no lock of its own; the home's
# lock is held here.

dbmate_program() {
    local -a found=("$top"/tests/node_modules/@dbmate/linux-*/bin/dbmate)
    [[ -x ${found[0]} ]] || fail "dbmate is not installed." \
        "./checkout up   without --no-install brings it from npm."
    printf '%s\n' "${found[0]}"
}

# All databases at a time: they know nothing of each other.
migrate() {
    local row database database_owner database_service folders
    local -a running=()
    for row in "${databases[@]}"; do
        database_row "$row"
        migrate_database &
        running+=($!)
    done
    local failed=false process
    for process in "${running[@]}"; do wait "$process" || failed=true; done
    [[ $failed == false ]] || fail "The migrations did not go through; dbmate's messages are above." \
        "Of one that failed nothing is kept. What was to be started anew stays down:" \
        "mend it and run this again, or go back (docs/operations.md, Upgrade)."
}

migrate_database() {
    local -a where=()
    local folder output
    for folder in $folders; do where+=(--migrations-dir "$top/migrations/$folder"); done
    if ! output=$(DATABASE_URL="$(database_url "$database_owner" "$database" tcp)?sslmode=disable" \
        "$(dbmate_program)" --env-file /dev/null "${where[@]}" --no-dump-schema migrate 2>&1); then
        printf '%s: %s\n' "$database" "$output" >&2
        return 1
    fi
    # dbmate makes its table before any migration can say who may read it.
    database_psql "$database_owner" "$database" -q \
        -c "GRANT SELECT ON schema_migrations TO ${database_service:-inspector}, inspector"
}
