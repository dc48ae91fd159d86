# shellcheck shell=bash
# `env`: where this stack is and how to get in, as NAME=value lines for scripts.

command_env() {
    [[ $# -eq 0 ]] || usage_error "env takes no arguments."
    home_require
    local name
    printf 'CHECKOUT_URL=%s\n' "$(edge_url)"
    printf 'CHECKOUT_HTTPS_URL=%s\n' "$(edge_https_url)"
    printf 'CHECKOUT_CERTIFICATE=%s\n' "$home/tls/certificate.pem"
    for name in $(service_names); do
        printf '%s_URL=%s\n' "$(upper "${name%-service}")" "$(service_url "$name")"
    done
    printf 'BANK_URL=%s\n' "$(bank_url)"
    printf 'MQTT_URL=mqtt://127.0.0.1:%s\n' "$broker_port"
    printf 'MQTTS_URL=mqtts://%s:%s\n' "$(tls_name)" "$mqtts_port"
    printf 'MQTT_WS_URL=ws://127.0.0.1:%s\n' "$broker_websocket_port"
    printf 'MQTT_USERNAME=%s\n' "$(key_id "$(secret_read key-demo)")"
    printf 'MQTT_PASSWORD=%s\n' "$(key_secret "$(secret_read key-demo)")"
    printf 'CHECKOUT_API_KEY=%s\n' "$(secret_read key-demo)"
    printf 'CHECKOUT_OPERATOR_KEY=%s\n' "$(secret_read key-operator)"
    # For tests and the demo: to be a customer of the simulated bank, and to order it about with faults,
    # transfers that are paid, disputes.
    printf 'BANK_KEY=%s\n' "$(secret_read bank-key)"
    printf 'BANK_CONTROL_KEY=%s\n' "$(secret_read bank-control-key)"
    for name in $(database_names); do
        printf '%s_DATABASE_URL=%s\n' "$(upper "$name")" "$(database_url inspector "$name" tcp)"
    done
}

# The name as environment variables spell it.
upper() {
    local name=${1^^}
    printf '%s\n' "${name//-/_}"
}
