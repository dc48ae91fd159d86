#!/usr/bin/env bash
# The operator's container: the launcher's commands that look after a running stack, and `setup`, which
# goes before everything else: roles, databases, migrations, keys, the logins to the bus.
set -euo pipefail
# shellcheck source=/dev/null
source /opt/checkout/deploy/containers/network.sh

readonly commands="setup audit dead-letters keys merchants psql reconcile"
readonly DATABASE_SECONDS=60

main() {
    local name=${1:-help}
    [[ $# -eq 0 ]] || shift
    [[ " $commands help " == *" $name "* ]] || usage_error "There is no command '$name' here; there are: $commands."
    "command_${name//-/_}" "$@"
}

command_help() {
    say "docker compose run --rm operator COMMAND, with one of: $commands." \
        "./checkout help   tells what they take."
}

# May be run again at any time; what is there stays.
command_setup() {
    home_require
    wait_until "$DATABASE_SECONDS" postgres_ready || fail "PostgreSQL does not answer." "docker compose logs postgres   tells why."
    home_lock
    databases_make
    migrate
    keys_make_own
    broker_put_known_users
    say "Everything is set up."
}

# What is written stays in volumes: the bus's logins, which the broker reads, and reports, which the
# edge shows. Secrets are copied, because libpq reads no file that others may read too.
home_require() {
    home_open
    mkdir -p "$home"/{secrets,edge,process/payment-service/env}
    ln -sfn /var/lib/checkout/broker "$home/broker"
    ln -sfn /var/lib/checkout/reports "$home/edge/reports"
    ln -sfn /var/lib/checkout/reports "$home/reports"
    ln -sfn /var/lib/checkout/reports "$home/metrics"
    cp /run/secrets/* "$home/secrets/"
    chmod 600 "$home"/secrets/*
    databases_put_passwords
    file_put "$home/process/payment-service/env/GATEWAYS_FILE" <<< "${GATEWAYS_FILE:-/etc/checkout/gateways.json}"
}

# Commands of several containers at a time wait for each other at what they share.
home_lock() {
    exec 9>> "$home/broker/lock"
    flock -w 120 9 || fail "Another container has been at work on this for two minutes."
}

stack_require() {
    ! "${@:2}" || return 0
    fail "$1 does not answer." "docker compose ps   tells what runs."
}

postgres_find() {
    postgres_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
}

# The broker's processes are seen from here where docker-compose.yml says so.
broker_reload() {
    local process
    for process in /proc/[0-9]*; do
        [[ $(file_read "$process/comm") != mosquitto ]] || kill -s HUP "${process#/proc/}"
    done
}

# What a service was started with is not ours to change.
key_replace_own() {
    fail "The key of '$1' was revoked: remove secrets/key-$1." \
        "./checkout secrets   makes another, docker compose up --detach --force-recreate takes it."
}

main "$@"
