# shellcheck shell=bash
# `demo`: the story on one screen, over the public API and with a shop's key: an order earns a voucher, the
# next one uses it.

readonly DEMO_VOUCHER_SECONDS=10

# EUR 137.00: a coffee grinder and two bags of beans.
readonly demo_order='{
    "customer": {"id": "ada", "email": "ada@example.com"},
    "currency": "EUR",
    "payment_terms": "invoice",
    "client_reference": "demo",
    "lines": [
        {"sku": "grinder-01", "name": "Hand grinder", "quantity": 1, "unit_amount": 10900},
        {"sku": "beans-250", "name": "Coffee beans, 250 g", "quantity": 2, "unit_amount": 1400}
    ]
}'

command_demo() {
    [[ $# -eq 0 ]] || usage_error "demo takes no arguments."
    home_require
    stack_require edge port_open "$(edge_port)"
    local order id voucher
    demo_earn
    demo_spend
}

demo_earn() {
    printf '\n%s\n\n' "$(bold 'From an order to its voucher')"
    order=$(api_call demo POST order-service /v1/orders "$demo_order" "$(secret_random)")
    id=$(jq -r .id <<< "$order")
    demo_step 1 "Ada orders" "$(demo_lines "$order")"
    demo_tell "total" "$(demo_money "$order" total_amount)" "order" "$id" \
        "status" "$(jq -r '"\(.status), by \(.payment_terms)"' <<< "$order")"
    order=$(api_call demo PATCH order-service "/v1/orders/$id" '{"status": "sent"}')
    demo_step 2 "The shop marks it sent" ""
    demo_tell "status" "$(jq -r .status <<< "$order")"
    wait_until "$DEMO_VOUCHER_SECONDS" demo_find_voucher ||
        fail "No voucher came within $DEMO_VOUCHER_SECONDS s." \
            "./checkout status   shows who is behind, ./checkout logs voucher-service why."
    demo_step 3 "A voucher is there" "$(demo_milliseconds) ms later, over the bus"
    demo_tell_voucher
}

# The same order once more, with the voucher's code.
demo_spend() {
    order=$(api_call demo POST order-service /v1/orders \
        "$(jq --arg code "$(jq -r .code <<< "$voucher")" '.voucher_code = $code' <<< "$demo_order")" \
        "$(secret_random)")
    demo_step 4 "Ada orders again" "with the voucher"
    demo_tell "total" "$(demo_money "$order" total_amount)" "order" "$(jq -r .id <<< "$order")" \
        "due" "$(bold "$(demo_money "$order" amount_due)")"
    wait_until "$DEMO_VOUCHER_SECONDS" demo_voucher_is redeemed ||
        fail "The voucher was not redeemed within $DEMO_VOUCHER_SECONDS s." \
            "./checkout logs voucher-service   shows why."
    demo_step 5 "The voucher is redeemed" "and good for no other order"
    printf '\n'
}

demo_voucher_is() {
    voucher=$(api_call demo GET voucher-service "/v1/vouchers/$(jq -r .id <<< "$voucher")")
    [[ $(jq -r .status <<< "$voucher") == "$1" ]]
}

# Sets voucher, once the order has one.
demo_find_voucher() {
    voucher=$(api_call demo GET voucher-service "/v1/vouchers?order_id=$id" | jq -ce '.data[0] // empty')
}

# The list masks the code; the voucher itself shows it to its merchant.
demo_tell_voucher() {
    voucher=$(api_call demo GET voucher-service "/v1/vouchers/$(jq -r .id <<< "$voucher")")
    demo_tell "worth" "$(demo_money "$voucher" value_amount)" \
        "code" "$(bold "$(jq -r .code <<< "$voucher")")" \
        "until" "$(jq -r '.expires_at[:10]' <<< "$voucher")"
}

# From the order's row to the voucher's, by the services' clocks.
demo_milliseconds() {
    jq -nr --arg sent "$(jq -r .updated_at <<< "$order")" \
        --arg issued "$(jq -r .created_at <<< "$voucher")" '
        def milliseconds: (.[:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber);
        ($issued | milliseconds) - ($sent | milliseconds)'
}

demo_step() {
    printf '  %s  %s  %s\n' "$(bold "$1")" "$(bold "$2")" "$3"
}

# demo_tell NAME VALUE...
demo_tell() {
    while [[ $# -gt 0 ]]; do
        printf '       %-8s %s\n' "$1" "$2"
        shift 2
    done
}

demo_lines() {
    jq -r '[.lines[] | "\(.quantity) x \(.name)"] | join(", ")' <<< "$1"
}

demo_money() {
    jq -r --arg amount "$2" '(.[$amount]) as $n
        | "\(.currency) \($n / 100 | floor).\("0\($n % 100)"[-2:])"' <<< "$1"
}
