#!/usr/bin/env bash
# assemble.sh FOLDER: what images have in them that is made of the sources, in the place of its build.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
top=$PWD
for part in deploy/launcher/*.sh; do
    # shellcheck source=/dev/null
    source "$part"
done

main() {
    made=$1 owner=$(id -un) port_base=8080 instances=1
    home_set_ports
    bank_host=bank-simulator
    mkdir -p "$made/bin" "$made/home"
    assemble_programs
    assemble_pages
    assemble_broker > "$made/mosquitto.conf"
    # Secrets are in /run/secrets there.
    home=/run
    gateways_put
    mv /run/gateways.json "$made/gateways.json"
    chmod -R a+rX "$made"
}

assemble_programs() {
    local name
    for name in order-service voucher-service payment-service payment-service/bank-simulator; do
        install -m 755 -s "build/$name/${name##*/}" "$made/bin/"
    done
}

assemble_pages() {
    home=$made/home
    pages_put
    console_put
    mv "$home/edge/pages" "$made/pages"
}

assemble_broker() {
    cat deploy/broker/mosquitto.conf
    printf '\nlistener 1883\n\nlistener 9001\nprotocol websockets\n'
    printf '\npassword_file /var/lib/checkout/broker/passwords\nacl_file /var/lib/checkout/broker/acl\n'
    printf 'persistence_location /mosquitto/data/\n'
}

main "$1"
