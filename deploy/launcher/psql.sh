# shellcheck shell=bash
# `psql`: the databases, as somebody who may read and not write.

# psql DATABASE [PSQL-ARGUMENT...]
command_psql() {
    [[ $# -gt 0 ]] || usage_error "psql takes a database: $(database_names | paste -sd' ')."
    database_names | grep -qxF -- "$1" ||
        usage_error "There is no database '$1'; there are: $(database_names | paste -sd' ')."
    postgres_require
    postgres_find
    PGPASSFILE=$home/secrets/pgpass exec "$postgres_bin/psql" \
        "host=$socket_dir port=$postgres_port user=inspector dbname=$1" "${@:2}"
}
