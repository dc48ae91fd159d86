# shellcheck shell=bash
# The services: the one table of them, and what each process is told through its environment.

# name, port and health port (after the base, + 10 per instance), database, its role
readonly services=(
    "order-service   1 15 orders   orders_service"
    "voucher-service 3 17 vouchers vouchers_service"
)

# Settings that the launcher decides. All others that a service knows are passed on from the
# launcher's own environment; ORDER_SERVICE_<NAME> passes any NAME to the order-service alone.
readonly decided_settings=" PORT HEALTH_PORT INSTANCE DATABASE_URL ACCESS_DATABASE_URL MQTT_HOST \
MQTT_PORT MQTT_USERNAME MQTT_PASSWORD TRUSTED_PROXIES ORDER_URL VOUCHER_URL SERVICE_KEY "

# Splits a row into the caller's service, service_port, service_health_port, ..., for an instance.
service_row() {
    read -r service service_port service_health_port service_database service_role <<< "$1"
    service_instance=${2:-0}
    service_port=$((port_base + service_port + 10 * service_instance))
    service_health_port=$((port_base + service_health_port + 10 * service_instance))
    # The first instance has the plain name.
    service_process=$service
    ((service_instance == 0)) || service_process=$service-$service_instance
}

# service_each COMMAND...: once per process, with the variables of service_row.
service_each() {
    local row instance
    local service service_port service_health_port service_database service_role
    local service_instance service_process
    for row in "${services[@]}"; do
        for ((instance = 0; instance < instances; instance++)); do
            service_row "$row" "$instance"
            "$@"
        done
    done
}

service_names() {
    printf '%s\n' "${services[@]}" | cut -d' ' -f1
}

# service_url NAME: of its first instance.
service_url() {
    service_each service_url_of "$1" | head -n 1
}

# service_urls NAME: of all its instances, with commas between them.
service_urls() {
    service_each service_url_of "$1" | paste -sd,
}

service_url_of() {
    [[ $service != "$1" ]] ||
        printf 'http://127.0.0.1:%s\n' "$service_port"
}

service_copy_programs() {
    local service
    for service in $(service_names); do service_copy_program; done
}

# The processes run a copy: a build does not change what runs, and user postgres may not be able to
# read the checkout.
service_copy_program() {
    local built
    built=$(build_dir)/$service/$service
    [[ -x $built ]] || fail "$built is not there." "./checkout up   builds it."
    if ! cmp -s "$built" "$home/bin/$service"; then
        cp "$built" "$home/bin/$service.new"
        file_install "$home/bin/$service" 755
        service_changed["$service"]=true
    fi
}

# Defines the process; `restarts` collects those that run and are not what they should be.
service_define() {
    local env=$home/process/$service_process/env
    mkdir -p "$env"
    rm -rf "$env.new"
    mkdir "$env.new"
    service_write_settings "$env.new"
    process_define "$service_process" TERM <<EOF
# settings $(cd "$env.new" && sha256sum -- * | sha256sum | cut -c1-16)
ulimit -c 0
ulimit -n "\$(ulimit -H -n)"
exec chpst -e ./env '$home/bin/$service'
EOF
    rm -rf "$env"
    mv "$env.new" "$env"
    own "$env"
    if [[ $process_changed == true || ${service_changed[$service]:-} == true ]]; then
        restarts+=("$service_process")
    fi
}

# service_write_settings DIRECTORY: one file per variable. Secrets go in as the names of files.
service_write_settings() {
    local dir=$1
    (
        cd "$dir" || exit
        service_pass_settings
        service_decided_settings | while IFS='=' read -r name value; do
            printf '%s\n' "$value" > "$name"
        done
        service_pass_own_settings
    )
}

service_decided_settings() {
    cat <<EOF
PORT=$service_port
HEALTH_PORT=$service_health_port
INSTANCE=$service_instance
DATABASE_URL_FILE=$home/secrets/url-$service_role
ACCESS_DATABASE_URL_FILE=$home/secrets/url-access_reader
MQTT_HOST=127.0.0.1
MQTT_PORT=$(broker_port)
MQTT_USERNAME=$service
MQTT_PASSWORD_FILE=$home/secrets/broker-$service
TRUSTED_PROXIES=127.0.0.1${TRUSTED_PROXIES:+,$TRUSTED_PROXIES}
EOF
    case $service in
    order-service)
        echo "VOUCHER_URL=$(service_urls voucher-service)"
        ;;
    voucher-service)
        echo "ORDER_URL=$(service_urls order-service)"
        echo "SERVICE_KEY_FILE=$home/secrets/key-$service"
        ;;
    esac
}

# What `<service> --settings` names, as far as it is set here and not the launcher's to say; and what
# the sanitizers listen to.
service_pass_settings() {
    local setting name value
    for setting in $("$home/bin/$service" --settings 2> /dev/null | awk '{ print $1 }') {A,UB,L,T}SAN_OPTIONS; do
        [[ $decided_settings != *" $setting "* ]] || continue
        for name in "$setting" "${setting}_FILE"; do
            value=${!name:-}
            [[ -z $value ]] || printf '%s\n' "$value" > "$name"
        done
    done
}

# ORDER_SERVICE_X=y here is X=y for the order-service.
service_pass_own_settings() {
    local prefix name
    prefix=$(upper "$service")_
    for name in $(compgen -e "$prefix" || true); do
        rm -f "${name#"$prefix"}_FILE"
        printf '%s\n' "${!name}" > "${name#"$prefix"}"
    done
}

# service_get PATH: from the health port; the status code on the last line.
service_get() {
    curl -q -sS -m 2 --noproxy '*' -w '\n%{http_code}\n' \
        "http://127.0.0.1:$service_health_port$1" 2> /dev/null || true
}

service_is_ready() {
    [[ $(service_get /readyz | tail -n 1) == 200 ]]
}
