# shellcheck shell=bash
# PostgreSQL: a private cluster under the home.

# The newest Postgres of this machine, or the one that made this home's cluster. Its programs are
# called from there, `postgres_bin`: what Debian has in /usr/bin is a script that chooses between
# clusters.
postgres_find() {
    [[ -z ${postgres_bin:-} ]] || return 0
    local version
    if read -r version 2> /dev/null < "$home/postgres/PG_VERSION"; then
        postgres_bin=/usr/lib/postgresql/$version/bin
    else
        postgres_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    fi
    [[ -x $postgres_bin/postgres ]] || fail "There is no PostgreSQL here (looked for $postgres_bin)." \
        "./checkout up   without --no-install installs it."
}

# initdb into a side directory: a cluster that is there is whole.
postgres_make_cluster() {
    [[ ! -e $home/postgres/PG_VERSION ]] || return 0
    say "Making the database cluster in $home/postgres."
    rm -rf "$home/postgres.new"
    mkdir "$home/postgres.new"
    own "$home/postgres.new"
    postgres_find
    # From where its user may be.
    (cd / && as_owner "$postgres_bin/initdb" -D "$home/postgres.new" -U postgres -E UTF8 \
        --locale=C.UTF-8 -A scram-sha-256 --pwfile="$home/secrets/role-postgres" \
        < /dev/null > /dev/null)
    mv "$home/postgres.new" "$home/postgres"
}

# Written at every start: the cluster follows its home and port base.
postgres_configure() {
    {
        cat "$top/deploy/postgres/postgresql.conf"
        printf "\nport = %s\nlisten_addresses = '127.0.0.1'\n" "$postgres_port"
        printf "unix_socket_directories = '%s'\nunix_socket_permissions = 0700\n" "$socket_dir"
    } | file_put "$home/postgres/postgresql.conf"
    file_put "$home/postgres/pg_hba.conf" < "$top/deploy/postgres/pg_hba.conf"
}

# SIGINT is Postgres's fast stop: SIGTERM would wait for every client to go by itself. After a kill
# -9, postmaster.pid may name a process id that somebody else has now; when no process works in the
# data directory any more it is stale.
postgres_define() {
    local stamp
    postgres_find
    stamp_of "$home"/postgres/{postgresql,pg_hba}.conf
    process_define postgres INT <<EOF
# $stamp
for waited in 1 2 3 4 5 6 7 8 9 10; do
    readlink /proc/[0-9]*/cwd 2> /dev/null | grep -qxF '$home/postgres' || break
    sleep 0.3
done
[ "\$waited" = 10 ] || rm -f '$home/postgres/postmaster.pid' '$socket_dir'/.s.PGSQL.*
exec '$postgres_bin/postgres' -D '$home/postgres'
EOF
}

# For commands that are nothing but questions to it.
postgres_require() {
    home_require
    stack_require postgres postgres_ready
}

postgres_ready() {
    postgres_find
    "$postgres_bin/pg_isready" -q -h "$socket_dir" -p "$postgres_port"
}
