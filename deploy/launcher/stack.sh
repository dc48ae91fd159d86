# shellcheck shell=bash
# The stack: `up` and `down`.

readonly READY_SECONDS=60

# What is not a service; a service drains into these when all is stopped.
readonly stack_servers=(postgres broker edge bank-simulator)

command_up() {
    local detach=false install=true build=true no_restart=false option
    for option in "$@"; do
        case $option in
        --detach) detach=true ;;
        --no-install) install=false ;;
        --no-build) build=false ;;
        --no-restart) no_restart=true ;;
        *) usage_error "up takes --detach --no-install --no-build --no-restart, not '$option'." ;;
        esac
    done
    home_open
    home_check
    if [[ $install == true ]]; then
        install_for up
        # User postgres exists now, if it did not before: it may be the one to own the home.
        home_open
    fi
    [[ $build == false ]] || build
    home_create
    home_lock
    stack_check_move
    home_remember
    stack_start
    home_unlock
    stack_say_where
    [[ $detach == true ]] || stack_stay
}

stack_start() {
    local -A program_changed=()
    local -a restarts=()
    step "Preparing"
    stack_define
    stack_check_ports
    step_end
    supervisor_start
    stack_stop_changed
    tls_reload
    process_start postgres
    process_wait postgres "$READY_SECONDS" postgres_ready
    step "Preparing the databases, keys and logins"
    databases_make
    migrate
    keys_make_own
    broker_put_known_users
    step_end
    process_start broker
    process_start bank-simulator
    service_each stack_start_service
    process_wait broker "$READY_SECONDS" broker_ready
    service_each stack_wait_for_service
    process_wait bank-simulator "$READY_SECONDS" bank_is_ready
    process_start edge
    process_wait edge "$READY_SECONDS" edge_ready
}

stack_stop_changed() {
    local name running=''
    for name in "${restarts[@]}"; do
        ! process_running "$name" || running+=" $name"
    done
    [[ ${#restarts[@]} -gt 0 ]] || return 0
    [[ -z $running ]] || say "What changed is started anew:$running."
    step "Stopping what changed"
    process_stop "${restarts[@]}"
    step_end
}

# All that can be said before anything runs: secrets, configurations, processes. `restarts` collects
# the processes that are not any more what they should be.
stack_define() {
    edge_check_address
    stack_define_all
    own_all
    # Its server has made its files before it is told about them.
    postgres_make_cluster
    postgres_configure
    postgres_define
    [[ $process_changed == false ]] || restarts+=(postgres)
    stack_remove_others
}

stack_define_all() {
    local owning_later=true
    secrets_make
    databases_put_passwords
    tls_put
    broker_define
    [[ $process_changed == false ]] || restarts+=(broker)
    service_copy_programs
    gateways_put
    bank_define
    service_each service_define
    edge_define
    [[ $process_changed == false ]] || restarts+=(edge)
}

# stack_require PROCESS COMMAND...: a command of ours can do nothing without the process; the COMMAND
# tells whether it answers.
stack_require() {
    ! "${@:2}" || return 0
    home_require_running
    fail "$1 does not answer." "./checkout status   tells what runs, ./checkout up starts what does not."
}

stack_start_service() {
    process_start "$service_process"
}

stack_wait_for_service() {
    process_wait "$service_process" "$READY_SECONDS" service_is_ready
}

# What runs stays where it is.
stack_check_move() {
    local before
    before=$(remembered port_base "$port_base")
    [[ $before == "$port_base" ]] || process_gone supervisor ||
        fail "This stack runs on port base $before, not $port_base." "./checkout down   first."
}

# A port that somebody else has would show as a process that dies and dies.
stack_check_ports() {
    ! process_gone edge || edge_end_workers "$home/edge"
    local process ports port taken
    local -A wanted=()
    while read -r process ports; do
        process_gone "$process" || continue
        for port in $ports; do wanted[$port]=$process; done
    done < <(stack_ports)
    taken=$(ports_taken "${!wanted[@]}")
    for port in $taken; do
        # Its supervisor may have started it meanwhile, and then the port is its own.
        ! process_gone "${wanted[$port]}" || stack_port_taken "$port" "${wanted[$port]}"
    done
}

# Whose ports they are: a process and its ports per line.
stack_ports() {
    printf 'edge %d %d\n' "$edge_port" "$https_port"
    printf 'postgres %d\n' "$postgres_port"
    printf 'broker %d %d %d\n' "$broker_port" "$broker_websocket_port" "$mqtts_port"
    printf 'bank-simulator %d %d\n' "$bank_port" "$bank_health_port"
    service_each stack_service_ports
}

stack_service_ports() {
    printf '%s %d %d\n' "$service_process" "$service_port" "$service_health_port"
}

# Ends the launcher. Our own processes are clients too: any of them may be given a port that another
# one is to listen on.
stack_port_taken() {
    local first last
    local -a advice=("Set CHECKOUT_PORT_BASE to another base (it is $port_base) and start again.")
    read -r first last < /proc/sys/net/ipv4/ip_local_port_range || first=0 last=0
    (($1 < first || $1 > last)) ||
        advice+=("This system hands out ports $first to $last to clients: keep the base below or above them.")
    fail "Port $1, for $2, is taken by another program." "${advice[@]}"
}

# Instances that are no longer asked for.
stack_remove_others() {
    local name wanted
    wanted=" ${stack_servers[*]} $(service_each stack_say_process)"
    for name in $(process_names); do
        [[ $wanted == *" $name "* ]] || process_remove "$name"
    done
}

stack_say_process() {
    printf '%s ' "$service_process"
}

stack_say_where() {
    say "Ready."
    say "  $(printf '%-18s' edge) $(edge_url), $(edge_https_url): $(console_mention)the API, /mqtt, /docs/"
    service_each stack_say_service
    say "  $(printf '%-18s' bank-simulator) $(bank_url)"
    say "  $(printf '%-18s' bus) mqtt://127.0.0.1:$broker_port, mqtts://$(tls_name):$mqtts_port, ws://127.0.0.1:$broker_websocket_port"
    say "  $(printf '%-18s' PostgreSQL) 127.0.0.1:$postgres_port"
    say "  $(printf '%-18s' home) $home"
    say "./checkout demo shows what it does, ./checkout env prints keys and addresses."
}

stack_say_service() {
    say "  $(printf '%-18s' "$service_process") http://127.0.0.1:$service_port"
}

# In the foreground: until Ctrl-C, or until somebody else takes the stack down.
stack_stay() {
    say "Ctrl-C stops it."
    local stop=false
    trap 'stop=true' INT TERM HUP
    while [[ $stop == false ]] && process_running supervisor; do
        sleep 1 &
        wait $! || true
    done
    trap '' INT TERM HUP
    stack_stop
}

# A home of an earlier version has none.
stack_stop_edge() {
    [[ ! -L $home/service/edge ]] || process_stop edge
    edge_end_workers "$home/edge"
}

command_down() {
    [[ $# -eq 0 ]] || usage_error "down takes no arguments."
    home_open
    if [[ ! -e $home ]]; then
        say "There is no stack in $home."
        return 0
    fi
    home_require
    stack_stop
}

stack_stop() {
    home_lock
    say "Stopping."
    local -a names=()
    local name
    for name in $(process_names); do
        [[ " ${stack_servers[*]} " == *" $name "* ]] || names+=("$name")
    done
    # Nothing new comes in; then the services drain into what the others keep, or pay for them.
    step "Stopping"
    stack_stop_edge
    [[ ${#names[@]} -eq 0 ]] || process_stop "${names[@]}"
    [[ ! -L $home/service/bank-simulator ]] || process_stop bank-simulator
    process_stop broker postgres
    supervisor_stop
    [[ $socket_dir == "$home"/* ]] || rm -rf "$socket_dir"
    step_end
    home_unlock
}
