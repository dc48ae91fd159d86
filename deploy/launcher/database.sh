# shellcheck shell=bash
# The databases: the one table of them, what makes them, and who may look into them.

# name, owner, the services' role (- for none), folders of migrations
readonly databases=(
    "access   access_owner   access_reader    access"
    "orders   orders_owner   orders_service   service,orders"
    "payments payments_owner payments_service service,payments"
    "vouchers vouchers_owner vouchers_service service,vouchers"
    "bank     bank_owner     bank_service     bank"
    "audit    audit_owner    -                audit"
)

# What the audit reads through postgres_fdw.
readonly audited_databases=(orders payments vouchers bank)

# Splits a row of the table into the caller's database, database_owner, database_service, folders.
database_row() {
    read -r database database_owner database_service folders <<< "$1"
    database_service=${database_service#-} folders=${folders//,/ }
}

database_names() {
    printf '%s\n' "${databases[@]%% *}"
}

# database_url ROLE DATABASE [tcp]: services take the Unix socket, people and tools TCP.
database_url() {
    local secret
    secret_load "role-$1"
    if [[ ${3:-} == tcp ]]; then
        printf 'postgresql://%s:%s@%s:%s/%s' "$1" "$secret" "$database_host" "$postgres_port" "$2"
    else
        printf 'postgresql://%s:%s@/%s?host=%s&port=%s' "$1" "$secret" "$2" \
            "${socket_dir//\//%2F}" "$postgres_port"
    fi
}

# database_psql ROLE DATABASE PSQL-ARGUMENT...
database_psql() {
    postgres_find
    PGPASSFILE=$home/secrets/pgpass "$postgres_bin/psql" -X -v ON_ERROR_STOP=1 \
        "host=$socket_dir port=$postgres_port user=$1 dbname=$2 application_name=launcher" "${@:3}"
}

# database_query DATABASE SQL: rows as the inspector sees them, columns between tabs.
database_query() {
    database_psql inspector "$1" -q -A -t -F $'\t' -c "$2"
}

# Passwords for all roles, and what services connect with.
databases_make_secrets() {
    local role
    for role in $(database_roles); do secret_make "role-$role"; done
    databases_put_urls
}

database_roles() {
    local row database database_owner database_service folders
    printf 'postgres\ninspector\n'
    for row in "${databases[@]}"; do
        database_row "$row"
        printf '%s\n' "$database_owner" ${database_service:+"$database_service"}
    done
}

# The same passwords as psql reads them.
databases_put_passwords() {
    local role secret
    for role in $(database_roles); do
        secret_load "role-$role"
        printf '*:*:*:%s:%s\n' "$role" "$secret"
    done | file_put "$home/secrets/pgpass"
}

# secrets/url-<role>: what a service connects with.
databases_put_urls() {
    local row database database_owner database_service folders
    for row in "${databases[@]}"; do
        database_row "$row"
        [[ -z $database_service ]] ||
            database_url "$database_service" "$database" |
            file_put "$home/secrets/url-$database_service"
    done
}

# Roles, databases and rights: run at every start, so that a new row of the table is enough.
databases_make() {
    local row database database_owner database_service folders sql
    IFS= read -r -d '' sql < "$top/deploy/postgres/database.sql" || true
    {
        database_set_password inspector inspector
        cat "$top/deploy/postgres/roles.sql"
        for row in "${databases[@]}"; do
            database_row "$row"
            printf "\\\\set database %s\n\\\\set owner %s\n\\\\set service '%s'\n" \
                "$database" "$database_owner" "$database_service"
            database_set_password owner "$database_owner"
            [[ -z $database_service ]] || database_set_password service "$database_service"
            printf '%s' "$sql"
        done
        audit_servers_sql
    } | database_psql postgres postgres -q -f - > /dev/null
}

# database_set_password WHOSE ROLE: for psql, by the way that the SQL goes and no command line has.
database_set_password() {
    local secret
    secret_load "role-$2"
    printf '\\set %s_password %s\n' "$1" "$secret"
}

# The audit looks through postgres_fdw, as inspector, at the databases where they are now.
audit_servers_sql() {
    local database sql
    printf '\\connect audit\n'
    cat "$top/deploy/postgres/audit.sql"
    IFS= read -r -d '' sql < "$top/deploy/postgres/audit_server.sql" || true
    for database in "${audited_databases[@]}"; do
        printf '\\set server %s\n\\set host %s\n\\set port %s\n' \
            "$database" "$socket_dir" "$postgres_port"
        printf '%s' "$sql"
    done
}
