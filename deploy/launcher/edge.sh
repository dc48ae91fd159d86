# shellcheck shell=bash
# The edge: nginx in front of everything, one origin for what clients see. What it does is in
# deploy/edge; here is what depends on the home.

readonly EDGE_WORKERS_MAX=4

# Where clients go. In plain where nothing but the machine itself listens in.
edge_url() {
    if tls_is_real; then
        edge_https_url
    else
        printf 'http://127.0.0.1:%s\n' "$edge_port"
    fi
}

edge_https_url() {
    printf 'https://%s:%s\n' "$(tls_name)" "$https_port"
}

edge_define() {
    mkdir -p "$home/edge/reports"
    edge_put
    pages_put
    console_put
    own "$home/edge"
    edge_define_process
}

# What nginx is told.
edge_put() {
    local file name
    mkdir -p "$home/edge/temporary"
    for file in "$top"/deploy/edge/*.conf; do
        name=${file##*/}
        file_put "$home/edge/$name" < "$file"
    done
    edge_workers=$(nproc)
    ((edge_workers <= EDGE_WORKERS_MAX)) || edge_workers=$EDGE_WORKERS_MAX
    edge_main | file_put "$home/edge/main.conf"
    edge_upstreams | file_put "$home/edge/upstreams.conf"
    edge_origins | file_put "$home/edge/origins.conf"
    edge_listeners | file_put "$home/edge/listeners.conf"
}

# Whose it is, and how many workers: one per processor, a few at most.
edge_main() {
    [[ $EUID -ne 0 || $owner != root ]] || printf 'user root;\n'
    printf 'worker_processes %d;\n' "$edge_workers"
}

# Every instance of every service. What a worker keeps open to an instance holds a thread there: half
# of the threads at most, so that whoever comes without a kept connection is served too. And it lets
# go of them earlier than the service does, so that no request meets a close.
edge_upstreams() {
    local name
    for name in $(service_names); do
        printf 'upstream %s {\n    zone %s 64k;\n    random two least_conn;\n' "$name" "$name"
        edge_servers "$name"
        printf '    keepalive %d;\n' \
            $(($(edge_setting "$name" HTTP_THREADS 256) / 2 / edge_workers + 1))
        printf '    keepalive_timeout %dms;\n    keepalive_time 1h;\n    keepalive_requests 1000000;\n}\n' \
            $(($(edge_setting "$name" KEEP_ALIVE_MS 15000) * 2 / 3))
    done
    edge_timeouts
    # shellcheck disable=SC2016 # nginx's own
    printf 'map $measured $metrics_address {\n    default "";\n'
    service_each edge_metrics_address
    printf '}\n'
    # A variable that is always the same.
    printf "map \$host \$processes {\n    default '%s';\n}\n" "$(edge_processes)"
    printf 'upstream broker {\n'
    edge_broker
    printf '}\n'
}

# edge_servers NAME: its instances. Nginx wants one at least, also where none runs now.
edge_servers() {
    local servers
    servers=$(service_each edge_server "$1")
    printf '%s\n' "${servers:-$edge_nobody}"
}

readonly edge_nobody='    server 127.0.0.1:1 down;'

edge_broker() {
    printf '    server %s:%d;\n' "$broker_host" "$broker_websocket_port"
}

# Whose metrics there are, as a JSON array.
edge_processes() {
    printf '[%s]' "$(service_each edge_process | paste -s -d , -)"
}

edge_process() {
    printf '"%s"\n' "$service_process"
}

edge_metrics_address() {
    printf '    %s %s:%d;\n' "$service_process" "$service_host" "$service_health_port"
}

# Later than a service gives a request up by itself; and that another one may still be asked.
edge_timeouts() {
    local name
    local -i timeout longest=0
    for name in $(service_names); do
        timeout=$(edge_setting "$name" REQUEST_TIMEOUT_MS 5000)
        ((timeout <= longest)) || longest=timeout
    done
    printf 'proxy_read_timeout %dms;\nproxy_next_upstream_timeout %dms;\n' \
        $((longest + 3000)) $((longest + 5000))
}

# Whoever has the fewest requests under way is asked, which one that hangs soon is not. Nobody is
# written off (max_fails): asking one that is away costs nothing here, and when two are restarted
# shortly one after the other, there would be none left to ask.
edge_server() {
    [[ $service != "$1" ]] ||
        printf '    server %s:%d max_fails=0;\n' "$service_host" "$service_port"
}

# edge_setting SERVICE NAME DEFAULT: what the service is told, as far as it is a number.
edge_setting() {
    local own
    own=$(upper "$1")_$2
    local value=${!own:-${!2:-$3}}
    [[ $value =~ ^[0-9]{1,9}$ ]] || value=$3
    printf '%d\n' "$value"
}

# Browsers that may read a service's answers may read what is refused here. What no browser would send
# as its origin is left out.
edge_origins() {
    local origin
    local -a origins
    IFS=', ' read -r -a origins <<< "${CORS_ORIGINS:-}"
    # shellcheck disable=SC2016 # nginx's own
    printf 'map $http_origin $allowed_origin {\n    default "";\n'
    for origin in "${origins[@]}"; do
        [[ ! $origin =~ ^[a-z]+://[][A-Za-z0-9.:-]+$ ]] || printf '    "%s" "%s";\n' "$origin" "$origin"
    done
    printf '}\n'
}

# The rules are the same on all listeners. With a real certificate, plain HTTP is only the way to
# the other.
edge_listeners() {
    local body_max
    body_max=$(edge_setting order-service BODY_MAX 65536)
    printf 'client_max_body_size %d;\n' "$body_max"
    # shellcheck disable=SC2016 # nginx's own
    printf 'map $host $body_max {\n    default %d;\n}\n' "$body_max"
    printf 'include tls.conf;\nserver {\n'
    edge_listen "$https_port" ' ssl http2'
    if tls_is_real; then
        # shellcheck disable=SC2016 # nginx's own
        printf '    include site.conf;\n}\nmap $https $hsts {\n    on "max-age=31536000";\n}\nserver {\n'
        edge_listen "$edge_port" ''
        # shellcheck disable=SC2016
        printf '    include redirect.conf;\n    location / {\n        return 308 https://$host:%d$request_uri;\n    }\n}\n' \
            "$https_port"
    else
        edge_listen "$edge_port" ''
        # shellcheck disable=SC2016
        printf '    include site.conf;\n}\nmap $https $hsts {\n    default "";\n}\n'
    fi
}

# edge_listen PORT OPTIONS: on loopback, and where EDGE_ADDRESS says.
edge_listen() {
    local address
    for address in $(edge_addresses); do
        printf '    listen %s:%d backlog=4096%s;\n' "$address" "$1" "$2"
    done
}

edge_addresses() {
    local address=${EDGE_ADDRESS:-127.0.0.1}
    if [[ $address == 0.0.0.0 ]]; then
        printf '0.0.0.0\n'
        ! edge_has_ipv6 || printf '[::]\n'
        return 0
    fi
    printf '127.0.0.1\n'
    ! edge_has_ipv6 || printf '[::1]\n'
    [[ $address == 127.0.0.1 ]] || printf '%s\n' "$address"
}

# Containers often have none.
edge_has_ipv6() {
    local address rest
    while read -r address rest; do
        [[ ! $address =~ ^0{31}1$ ]] || return 0
    done 2> /dev/null < /proc/net/if_inet6
    return 1
}

edge_check_address() {
    [[ ${EDGE_ADDRESS:-127.0.0.1} =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] ||
        usage_error "EDGE_ADDRESS is '$EDGE_ADDRESS', but must be an IPv4 address; 0.0.0.0 is all of them."
}

# Workers outlive a master that was killed, and keep its ports: they end before there is another.
edge_define_process() {
    local stamp
    stamp_of "$home"/edge/*.conf
    process_define edge QUIT <<EOF
# $stamp
$(declare -f edge_workers_left edge_end_workers)
edge_end_workers '$home/edge'
ulimit -c 0
ulimit -n "\$(ulimit -H -n)"
cd '$home/edge'
exec /usr/sbin/nginx -e stderr -p '$home/edge/' -c nginx.conf
EOF
}

# They are found by the folder that they work in; prints /proc/<id>/cwd.
edge_workers_left() {
    find -L /proc/[0-9]*/cwd -maxdepth 0 -samefile "$1" 2> /dev/null || true
}

# Asked first: what is under way has two seconds. (The process's run script has this too, so it is
# for any shell.)
edge_end_workers() {
    for signal in QUIT KILL; do
        for waited in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            left=$(edge_workers_left "$1")
            [ -n "$left" ] || return 0
            for worker in $left; do
                worker=${worker#/proc/}
                kill -s "$signal" "${worker%/cwd}" 2> /dev/null || true
                kill -s CONT "${worker%/cwd}" 2> /dev/null || true
            done
            sleep 0.1
        done
    done
}

edge_ready() {
    process_running edge && port_open "$edge_port" && port_open "$https_port"
}
