# shellcheck shell=bash
# The story: what the README says of containers, and what an operator does to them. In the clone, with the
# images built; `ours` names them.

export CHECKOUT_IMAGE=localhost/checkout

# Ports that nobody has.
free_port() {
    local -i port=$1
    while (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do port+=10; done
    printf '%d\n' "$port"
}
CHECKOUT_PORT=$(free_port 32600) CHECKOUT_HTTPS_PORT=$(free_port 32601) BANK_PORT=$(free_port 32602)
export CHECKOUT_PORT CHECKOUT_HTTPS_PORT BANK_PORT
readonly url=http://127.0.0.1:$CHECKOUT_PORT
readonly most_bytes=150000000

container_of() {
    docker-compose ps -q "$1"
}

# ---- images --------------------------------------------------------------------------------------

image_small() {
    local -i bytes
    bytes=$(podman image inspect -f '{{.Size}}' "$CHECKOUT_IMAGE/$1")
    printf '%s: %d MB\n' "$1" $((bytes / 1000000))
    # The broker's is the one that it is made from, which is not ours.
    [[ $1 == broker ]] || ((bytes < most_bytes))
}

image_runs_as_user() {
    local user
    user=$(podman image inspect -f '{{.User}}' "$CHECKOUT_IMAGE/$1")
    [[ -n $user && $user != root && $user != 0* ]]
}

image_has_no_tools() {
    podman run --rm --network none --entrypoint /bin/sh "$CHECKOUT_IMAGE/$1" -c \
        '! command -v gcc && ! command -v cc && ! command -v meson && ! command -v npm && ! command -v git' > /dev/null
}

images_are() {
    local name
    for name in $ours; do "$1" "$name" || return; done
}

# ---- the stack -----------------------------------------------------------------------------------

up() {
    ./checkout secrets && timeout $((300 * ${TEST_SLOWDOWN:-1})) docker-compose up --detach --no-build
}

root_is_read_only() {
    local id
    for id in $(docker-compose ps -q); do
        [[ $(podman inspect -f '{{.HostConfig.ReadonlyRootfs}}' "$id") == true ]] || return
        [[ $(podman inspect -f '{{len .EffectiveCaps}}' "$id") == 0 ]] || return
    done
}

answers() {
    [[ $(curl -q -s -m 60 --noproxy '*' -o "$work/answer" -w '%{http_code}' "$url$1") == "$2" ]]
}

pages_are_shown() {
    answers / 200 && answers /console/main.js 200 && answers /console/packages/mqtt.js 200 &&
        answers /docs/ 200 && answers /problems/validation_failed 200 && answers /v1/orders 401
}

# call METHOD PATH [JSON]: as a shop; the answer is in $answer.
call() {
    local -a body=()
    [[ $# -lt 3 ]] || body=(-H 'Content-Type: application/json' --data-binary "$3")
    answer=$(curl -q -sS -m 60 --fail-with-body --noproxy '*' -X "$1" -H "Authorization: Bearer $(< secrets/key-demo)" \
        -H "Idempotency-Key: $SRANDOM-$SRANDOM" "${body[@]}" "$url$2") || { printf '%s\n' "$answer"; return 1; }
}

has() {
    jq -e "$1" <<< "$answer" > /dev/null
}

order_is() {
    call GET "/v1/orders/$order" && has ".status == \"$1\""
}

voucher_is_there() {
    call GET "/v1/vouchers?order_id=$order" && has '.data | length == 1'
}

# An order of EUR 137.00 is paid, sent, and earns a voucher.
an_order_earns_a_voucher() {
    call POST /v1/orders '{"customer": {"id": "ada"}, "currency": "EUR",
        "lines": [{"sku": "grinder-01", "name": "Hand grinder", "quantity": 1, "unit_amount": 13700}]}' || return
    order=$(jq -r .id <<< "$answer")
    call POST /v1/payments "$(jq -n --arg order "$order" '{order_id: $order, payment_method: {type: "card", card:
        {number: "4242424242424242", exp_month: 12, exp_year: 2037, cvc: "123", name: "Ada Lovelace"}}}')" || return
    within 10 order_is paid || return
    call PATCH "/v1/orders/$order" '{"status": "sent"}' || return
    within 10 voucher_is_there
}

operator() {
    docker-compose run --rm -T --no-deps operator "$@"
}

audit() {
    operator audit --wait 20
}

# The bus, through the edge, believes the new login and not the old one.
keys_come_and_go() {
    local key
    key=$(operator keys create --merchant lamps --scopes orders:read,events:read | tr -d '\r') || return
    [[ $key == ck_* ]] || return
    within 10 key_is "$key" 200 || return
    operator keys revoke "$(cut -d_ -f2 <<< "$key")" || return
    within 10 key_is "$key" 401
}

key_is() {
    [[ $(curl -q -s -m 60 --noproxy '*' -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $1" "$url/v1/orders") == "$2" ]]
}

each_restarts() {
    local name
    for name in postgres broker order-service payment-service voucher-service bank-simulator edge; do
        docker-compose restart -t 10 "$name" || return
    done
    within 60 an_order_earns_a_voucher
}

# Each reload would end what is connected to the bus: none without a reason.
edge_stays() {
    local before
    before=$(edge_processes)
    # Three looks of the edge's.
    sleep 6
    [[ -n $before && $(edge_processes) == "$before" ]]
}

# shellcheck disable=SC2016 # the container's shell
edge_processes() {
    docker-compose exec -T edge bash -c 'for each in /proc/[0-9]*; do
        read -r name < "$each/comm"; [[ $name != nginx ]] || echo "${each#/proc/}"; done'
}

# Made anew, it has another address: the edge finds it.
a_service_moves() {
    docker-compose up --detach --no-build --no-deps --force-recreate order-service || return
    within 30 an_order_earns_a_voucher
}

two_instances() {
    docker-compose up --detach --no-build --no-deps --scale voucher-service=2 voucher-service || return
    within 30 an_order_earns_a_voucher && within 10 console_sees_both
}

console_sees_both() {
    answers /console/processes.json 200 && jq -e 'contains(["voucher-service", "voucher-service-1"])' "$work/answer" > /dev/null
}

# Each service, both instances of one, with what it measures.
prometheus_sees_all() {
    docker-compose up --detach --no-build --no-deps prometheus && within 90 prometheus_says 'count(up == 1)' 5 &&
        prometheus_says 'count(up)' 5 && within 60 prometheus_says 'count(checkout_relay_position) > 0' '[1-9]'
}

# prometheus_says EXPRESSION NUMBER: the value of an instant query, as promtool prints it: "{} => 5 @[...]".
prometheus_says() {
    docker-compose exec -T prometheus promtool query instant http://127.0.0.1:9090 "$1" | grep -q "=> $2 @"
}

no_secret_is_told() {
    docker-compose logs --no-color > "$work/logs" 2>&1
    local file
    for file in secrets/{role,key,bank,payment,broker}-*; do
        ! grep -qF -f "$file" "$work/logs" || { printf '%s is in a log\n' "$file"; return 1; }
    done
}

step "each image of ours is smaller than 150 MB" images_are image_small
step "none runs as root" images_are image_runs_as_user
step "none has what builds it" images_are image_has_no_tools
if ! step "docker-compose up starts all of it" up; then
    docker-compose ps
    docker-compose logs --no-color --tail 30
    exit 1
fi
step "no container may write to its root, or has a capability" root_is_read_only
step "console, documents and API are where they should be" pages_are_shown
step "an order is paid and sent, and its voucher arrives" an_order_earns_a_voucher
step "keys are made and revoked" keys_come_and_go
step "the edge goes on as it is while nothing moves" edge_stays
step "each container restarts, and it goes on" each_restarts
step "a service that moved is found" a_service_moves
step "two instances do as well as one" two_instances
step "Prometheus finds every instance and what it measures" prometheus_sees_all
step "the audit finds nothing" audit
step "no secret is in a log" no_secret_is_told
((failed == 0)) || docker-compose logs --no-color --tail 30
