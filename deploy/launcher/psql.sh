# shellcheck shell=bash
# `psql`: the databases, as somebody who may read and not write.

# psql DATABASE [PSQL-ARGUMENT...]
command_psql() {
    local -a names
    mapfile -t names < <(database_names)
    [[ $# -gt 0 ]] || usage_error "psql takes a database: ${names[*]}."
    [[ " ${names[*]} " == *" $1 "* ]] || usage_unknown database "$1" "${names[@]}"
    postgres_require
    # Scripts know what they look for.
    [[ $# -gt 1 || ! -t 0 ]] || psql_say_views "$1"
    postgres_find
    PGPASSFILE=$home/secrets/pgpass exec "$postgres_bin/psql" \
        "host=$socket_dir port=$postgres_port user=inspector dbname=$1" "${@:2}"
}

# What was made for operators, and what each view is for.
psql_say_views() {
    local views
    views=$(database_query "$1" "
        SELECT 'ops.' || c.relname, coalesce(obj_description(c.oid, 'pg_class'), '')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'ops' AND c.relkind = 'v' ORDER BY c.relname")
    if [[ -z $views ]]; then
        say "There are no views in $1; \\d lists its tables."
    else
        say "Views of $1, as in SELECT * FROM ${views%%$'\t'*};"
        printf '%s\n' "$views" | table | sed 's/^/  /' >&2
    fi
    say "You may read everything but secrets, and write nothing; \\q leaves."
}
