# shellcheck shell=bash
# `status`: each process, whether it is ready, and how far it is behind.

command_status() {
    local json=false
    case "$*" in
    '') ;;
    --json) json=true ;;
    *) usage_error "status takes --json." ;;
    esac
    home_require
    local processes
    step "Asking the processes"
    processes=$(status_lines | jq -s .)
    step_end
    if [[ $json == true ]]; then
        printf '%s\n' "$processes"
    else
        status_table <<< "$processes"
    fi
    jq -e 'all(.ready)' <<< "$processes" > /dev/null
}

# One JSON object per line.
status_lines() {
    status_server edge "$edge_port" edge_ready
    status_server postgres "$postgres_port" postgres_ready
    status_server broker "$broker_port" broker_ready
    service_each status_service
    status_server bank-simulator "$bank_port" bank_is_ready
}

status_server() {
    local ready=false
    ! "${@:3}" || ready=true
    jq -nc --arg name "$1" --arg pid "$(recorded "$1" || true)" --argjson port "$2" \
        --argjson ready "$ready" \
        '{name: $name, service: $name, instance: 0,
          pid: (if $pid == "" then null else $pid | tonumber end), port: $port, ready: $ready, position: null, lag: null}'
}

# A service's position is how far its relay has announced its log or, for one that lives on another's
# events, how far it has read that; its lag is what is missing to the head. The order-service, which
# lives on what shops ask for and reads the payments' log beside it, has both.
status_service() {
    local answer code
    answer=$(http_get "$service_health_port" /readyz)
    code=$(tail -n 1 <<< "$answer")
    jq -nc --arg name "$service_process" --arg service "$service" --argjson instance "$service_instance" \
        --arg pid "$(recorded "$service_process" || true)" --argjson port "$service_port" \
        --argjson health_port "$service_health_port" --arg code "$code" \
        --arg readiness "$(sed '$d' <<< "$answer")" --argjson positions "$(status_positions)" \
        '{name: $name, service: $service, instance: $instance,
          pid: (if $pid == "" then null else $pid | tonumber end), port: $port, health_port: $health_port, ready: ($code == "200"),
          position: $positions.main.position, lag: $positions.main.lag,
          relay: $positions.relay, consumer: $positions.consumer,
          readiness: (try ($readiness | fromjson) catch null)}'
}

# {"relay": {position, lag}, "consumer": {position, lag}, "main": the one of both that tells most}, over
# all streams.
status_positions() {
    local relay consumer main
    relay=$(status_query "$service_database" \
        "SELECT json_build_object('position', sum(position), 'lag', sum(lag)) FROM ops.relay_lag")
    case $service in
    order-service) consumer=$(status_consumer payments) ;;
    payment-service | voucher-service) consumer=$(status_consumer orders) ;;
    esac
    main=$consumer
    [[ $service != order-service ]] || main=$relay
    printf '{"relay": %s, "consumer": %s, "main": %s}\n' "${relay:-null}" "${consumer:-null}" "${main:-null}"
}

# status_consumer DATABASE: this service's position in that database's log, and its lag.
status_consumer() {
    local position head
    position=$(status_query "$service_database" \
        "SELECT coalesce(sum(position), 0) FROM ops.consumer_lag")
    head=$(status_query "$1" "SELECT coalesce(sum(head), 0) FROM ops.relay_lag")
    [[ -n $position && -n $head ]] || return 0
    printf '{"position": %s, "lag": %s}' "$position" $((head - position))
}

# Empty where the database does not answer.
status_query() {
    PGCONNECT_TIMEOUT=2 database_query "$1" "$2" 2> /dev/null || true
}

status_table() {
    jq -r '
        def shown: if . == null then "-" else tostring end;
        (["PROCESS", "PID", "PORT", "READY", "POSITION", "LAG"],
         (.[] | [.name, (.pid | shown), (.port | shown),
                 (if .ready then (if .readiness.status == "degraded" then "degraded" else "yes" end)
                  elif .pid then "no" else "down" end),
                 (.position | shown), (.lag | shown)])) | @tsv' |
        while IFS=$'\t' read -r name pid port ready position lag; do
            printf '%-18s %8s %6s  %-9s %10s %8s\n' "$name" "$pid" "$port" "$ready" "$position" "$lag"
        done
}
