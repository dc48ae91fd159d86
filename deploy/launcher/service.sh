# shellcheck shell=bash
# The services: the one table of them, and what each process is told through its environment.

# name, port and health port (after the base, + 10 per instance), database, its role
readonly services=(
    "order-service   1 15 orders   orders_service"
    "payment-service 2 16 payments payments_service"
    "voucher-service 3 17 vouchers vouchers_service"
)

# Splits a row into the caller's service, service_host, service_port, ..., for an instance.
service_row() {
    read -r service service_port service_health_port service_database service_role <<< "$1"
    service_instance=${2:-0}
    service_host=127.0.0.1
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
    local service_instance service_process service_host
    for row in "${services[@]}"; do
        for ((instance = 0; instance < instances; instance++)); do
            service_row "$row" "$instance"
            "$@"
        done
    done
}

service_names() {
    printf '%s\n' "${services[@]%% *}"
}

# service_url NAME: of its first instance.
service_url() {
    service_each service_url_of "$1" | head -n 1
}

# service_urls NAME: of all its instances, with commas between them.
service_urls() {
    local urls
    urls=$(service_each service_url_of "$1")
    printf '%s\n' "${urls//$'\n'/,}"
}

service_url_of() {
    [[ $service != "$1" ]] ||
        printf 'http://%s:%s\n' "$service_host" "$service_port"
}

service_copy_programs() {
    local service
    for service in $(service_names); do program_copy "$service" "$service"; done
}

service_define() {
    program_define "$service_process" "$service" service_decided_settings
}

service_decided_settings() {
    printf '%s\n' \
        "PORT=$service_port" \
        "HEALTH_PORT=$service_health_port" \
        "INSTANCE=$service_instance" \
        "DATABASE_URL_FILE=$home/secrets/url-$service_role" \
        "ACCESS_DATABASE_URL_FILE=$home/secrets/url-access_reader" \
        MQTT_HOST=127.0.0.1 \
        "MQTT_PORT=$broker_port" \
        "MQTT_USERNAME=$service" \
        "MQTT_PASSWORD_FILE=$home/secrets/broker-$service" \
        "TRUSTED_PROXIES=127.0.0.1${TRUSTED_PROXIES:+,$TRUSTED_PROXIES}"
    service_own_settings
}

# Where the others are, and the key to read their logs with.
service_own_settings() {
    case $service in
    order-service)
        echo "PAYMENT_URL=$(service_urls payment-service)"
        echo "VOUCHER_URL=$(service_urls voucher-service)"
        ;;
    payment-service)
        echo "ORDER_URL=$(service_urls order-service)"
        echo "PAYMENT_KEY_FILE=$home/secrets/payment-key"
        [[ -n ${GATEWAYS:-}${GATEWAYS_FILE:-} ]] || echo "GATEWAYS_FILE=$home/gateways.json"
        ;;
    voucher-service) echo "ORDER_URL=$(service_urls order-service)" ;;
    esac
    echo "SERVICE_KEY_FILE=$home/secrets/key-$service"
}

service_is_ready() {
    http_is_ok "$service_health_port" /readyz
}
