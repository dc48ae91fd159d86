#!/bin/bash
# What the Postgres image does before the server runs, as far as docker-compose.yml asks for it: a cluster with a
# password, open to those who have it.
set -euo pipefail
if [[ ! -s $PGDATA/PG_VERSION ]]; then
    # shellcheck disable=SC2086 # several options
    initdb -U postgres --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
    printf '%s\n' 'local all all trust' 'host all all all scram-sha-256' > "$PGDATA/pg_hba.conf"
fi
mkdir -p /run/postgresql
exec "$@"
