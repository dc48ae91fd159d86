# shellcheck shell=bash
# `restart`: what reads its settings and secrets when it starts is to read them anew. With several
# instances nobody notices: the next one is stopped when the one before is ready.

command_restart() {
    [[ $# -gt 0 ]] || usage_error "restart takes names of processes or services; status lists them."
    home_require
    local -a names=() of_service
    local name
    for name in "$@"; do
        mapfile -t of_service < <(service_each restart_instance "$name")
        names+=("${of_service[@]:-$name}")
    done
    for name in "${names[@]}"; do restart_check "$name"; done
    home_require_running
    home_lock
    for name in "${names[@]}"; do restart_process "$name"; done
    home_unlock
}

# All instances of the service; one that is named with its number is a process like others.
restart_instance() {
    [[ $service != "$1" ]] || printf '%s\n' "$service_process"
}

restart_check() {
    local -a there
    mapfile -t there < <(process_names)
    [[ " ${there[*]} " == *" $1 "* ]] || usage_unknown process "$1" "${there[@]}"
}

restart_process() {
    step "Stopping $1"
    process_stop "$1"
    process_start "$1"
    case $1 in
    postgres) process_wait postgres "$READY_SECONDS" postgres_ready ;;
    broker) process_wait broker "$READY_SECONDS" broker_ready ;;
    edge) process_wait edge "$READY_SECONDS" edge_ready ;;
    bank-simulator) process_wait bank-simulator "$READY_SECONDS" bank_is_ready ;;
    *) service_each restart_wait "$1" ;;
    esac
    say "$1 runs again."
}

restart_wait() {
    [[ $service_process != "$1" ]] || stack_wait_for_service
}
