# shellcheck shell=bash
# `secrets`: what docker-compose.yml gives its containers, one file each, made once. On the host only
# the owner gets into the folder; in a container each may be read by the one user that it has.

command_secrets() {
    [[ $# -eq 0 ]] || usage_error "secrets takes no arguments."
    home=$top owner=$(id -un) port_base=8080 instances=1
    home_set_ports
    # As the containers call it.
    socket_dir=postgres postgres_port=5432
    mkdir -p "$home/secrets"
    chmod 700 "$home/secrets"
    # Two at once would make two passwords of a role.
    exec 9< "$home/secrets"
    flock 9
    # One that was taken away was revoked, or may have been.
    local name
    for name in $(own_keys); do [[ -s $home/secrets/key-$name ]] || key_put_other "$name"; done
    secrets_make
    secret_make grafana-password
    chmod 444 "$home"/secrets/*
    say "The secrets are in $home/secrets, for docker compose."
}
