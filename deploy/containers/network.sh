# shellcheck shell=bash
# Where everything is when each process has a container of its own: the launcher's parts, told so. Each
# container's name is a host's, and ports are the usual ones.

export LC_ALL=C.UTF-8
umask 077
top=/opt/checkout
for part in "$top"/deploy/launcher/*.sh; do
    # shellcheck source=/dev/null
    source "$part"
done

readonly container_home=/run/checkout

# In place of a home on a disk: what a container has to write goes with it.
home_open() {
    home=$container_home owner=$(id -un) port_base=8080 instances=1
    home_set_ports
    edge_host=edge bank_host=bank-simulator broker_host=broker database_host=postgres
    # Whatever takes a socket's directory takes a host too.
    socket_dir=$database_host postgres_port=5432
    broker_port=1883 broker_websocket_port=9001
    mkdir -p "$home"
}

home_require() {
    home_open
}

# What runs is compose's to know.
home_require_running() {
    :
}

# service_each COMMAND...: once per container that runs, as far as there is more than one.
service_each() {
    local row name address
    local -i instance
    local service service_port service_health_port service_database service_role
    local service_instance service_process service_host
    for row in "${services[@]}"; do
        name=${row%% *} instance=0
        for address in $(container_addresses "$name"); do
            service_row "$row" 0
            service_host=$address
            ((instance == 0)) || service_process=$service-$instance
            "$@"
            instance+=1
        done
    done
}

# Its name would be looked up once; and without it nginx would not start.
edge_broker() {
    local address servers=''
    for address in $(container_addresses "$broker_host"); do
        servers+="    server $address:$broker_websocket_port;"$'\n'
    done
    printf '%s\n' "${servers:-$edge_nobody}"
}

# container_addresses NAME: of all its containers; none if nothing of that name runs.
container_addresses() {
    getent ahostsv4 "$1" | awk '!seen[$1]++ { print $1 }' | sort || true
}
