# shellcheck shell=bash
# `demo`: the story on one screen, over the public API and with a shop's key. An order is paid, sent and
# earns a voucher; the next one uses it, and pays the rest at the second attempt; the first is refunded.
# The banks are the simulated ones, and so are the cards (payment-service/bank-simulator/README.md).

readonly DEMO_SECONDS=10 # for what comes over the bus, or from a bank
readonly DEMO_TRIES=20   # of what can not be done yet: services that just started, say

# EUR 137.00: a coffee grinder and two bags of beans.
readonly demo_order='{
    "customer": {"id": "ada", "email": "ada@example.com"},
    "currency": "EUR",
    "client_reference": "demo",
    "lines": [
        {"sku": "grinder-01", "name": "Hand grinder", "quantity": 1, "unit_amount": 10900},
        {"sku": "beans-250", "name": "Coffee beans, 250 g", "quantity": 2, "unit_amount": 1400}
    ]
}'

# What the bank does with each: takes it, finds too little on it, asks its owner first.
readonly demo_card=4242424242424242
readonly demo_empty_card=4000000000009995
readonly demo_secure_card=4000002760003184

command_demo() {
    [[ $# -eq 0 ]] || usage_error "demo takes no arguments."
    home_require
    stack_require edge port_open "$edge_port"
    [[ -s $home/process/payment-service/env/GATEWAYS_FILE &&
        $(file_read "$home/process/payment-service/env/GATEWAYS_FILE") == "$home/gateways.json" ]] ||
        fail "This stack pays at banks of its operator's, and the demo's cards are none of theirs."
    local order payment voucher first_order first_payment api_tries=$DEMO_TRIES
    demo_earn
    demo_spend
    demo_refund
}

demo_earn() {
    printf '\n%s\n\n' "$(bold 'From an order to its voucher, and back')"
    order=$(api_call demo POST order-service /v1/orders "$demo_order" "$(secret_random)")
    demo_step 1 "Ada orders" "$(demo_lines "$order")"
    demo_tell "total" "$(demo_money "$order" total_amount)" "order" "$(demo_order_id)" \
        "status" "$(jq -r .status <<< "$order")"
    demo_pay "$demo_card"
    demo_step 2 "She pays by card" "$(demo_face)"
    demo_tell_payment
    first_order=$order first_payment=$payment
    order=$(api_call demo PATCH order-service "/v1/orders/$(demo_order_id)" '{"status": "sent"}')
    demo_step 3 "The shop marks it sent" ""
    demo_tell "status" "$(jq -r .status <<< "$order")"
    demo_wait "No voucher came" voucher-service demo_find_voucher
    demo_step 4 "A voucher is there" "$(demo_milliseconds) ms later, over the bus"
    demo_tell_voucher
}

# The same order once more, with the voucher's code.
demo_spend() {
    order=$(api_call demo POST order-service /v1/orders \
        "$(jq --arg code "$(jq -r .code <<< "$voucher")" '.voucher_code = $code' <<< "$demo_order")" \
        "$(secret_random)")
    demo_step 5 "Ada orders again" "with the voucher"
    demo_tell "total" "$(demo_money "$order" total_amount)" "order" "$(demo_order_id)" \
        "due" "$(bold "$(demo_money "$order" amount_due)")"
    demo_pay "$demo_empty_card"
    demo_step 6 "A card is declined" "$(demo_face)"
    demo_tell_payment
    demo_pay "$demo_secure_card"
    demo_step 7 "Another bank asks her first" "3-D Secure, $(demo_face)"
    demo_tell "status" "$(jq -r .status <<< "$payment")"
    demo_pass_challenge
    demo_tell_payment
    demo_wait "The voucher was not redeemed" voucher-service demo_voucher_is redeemed
    demo_step 8 "The voucher is redeemed" "and good for no other order"
}

# The first order was not what she wanted.
demo_refund() {
    local refund
    refund=$(api_call demo POST payment-service "/v1/payments/$(jq -r .id <<< "$first_payment")/refunds" \
        '{"reason": "not what she wanted"}' "$(secret_random)")
    demo_step 9 "The shop gives the first money back" "to $(payment=$first_payment demo_face)"
    order=$first_order
    demo_wait "The order does not know that it was refunded" order-service demo_order_is payment_status refunded
    demo_tell "refund" "$(demo_money "$refund" amount)" \
        "order" "$(jq -r '"\(.status), \(.payment_status)"' <<< "$order")"
    printf '\n'
}

# ---- paying -----------------------------------------------------------------------------------

# demo_pay CARD: pays what is due of the order, and waits until the bank has said what it thinks of it.
demo_pay() {
    payment=$(api_call demo POST payment-service /v1/payments "$(jq -n --arg order "$(demo_order_id)" --arg number "$1" '
        {order_id: $order, payment_method: {type: "card", card: {
            number: $number, exp_month: 12, exp_year: 2037, cvc: "123", name: "Ada Lovelace"}}}')" "$(secret_random)")
    demo_wait "The bank does not answer" payment-service demo_payment_moved processing
}

# As her browser does when she presses the button on the bank's page.
demo_pass_challenge() {
    curl -q -sS --fail -m 10 --noproxy '*' -o /dev/null -X POST "$(jq -r .next_action.url <<< "$payment")/pass" ||
        fail "The bank's page does not answer." "./checkout logs bank-simulator   shows why."
    demo_wait "The bank did not tell that she passed" payment-service demo_payment_moved requires_action
}

# demo_payment_moved STATUS: it is not there any more.
demo_payment_moved() {
    payment=$(api_call demo GET payment-service "/v1/payments/$(jq -r .id <<< "$payment")")
    [[ $(jq -r .status <<< "$payment") != "$1" ]]
}

# What became of the payment, and of the order by it.
demo_tell_payment() {
    demo_tell "status" "$(jq -r '.status + if .failure then ": \(.failure.code), \(.failure.decline_code)"
        else " at \(.gateway)" end' <<< "$payment")"
    [[ $(jq -r .status <<< "$payment") != succeeded ]] || {
        demo_wait "The order does not know that it was paid" order-service demo_order_is status paid
        demo_tell "order" "$(jq -r .status <<< "$order")"
    }
}

demo_face() {
    jq -r '.payment_method.card | "\(.brand) \(.number)"' <<< "$payment"
}

# ---- what is waited for -----------------------------------------------------------------------

# demo_wait WHAT PROCESS COMMAND...: asks often enough by itself.
demo_wait() {
    local api_tries=1
    step "Waiting for the $2"
    wait_until "$DEMO_SECONDS" "${@:3}" ||
        fail "$1 within $DEMO_SECONDS s." \
            "./checkout status   shows who is behind, ./checkout logs $2 why."
    step_end
}

# demo_order_is MEMBER VALUE
demo_order_is() {
    order=$(api_call demo GET order-service "/v1/orders/$(demo_order_id)")
    [[ $(jq -r --arg member "$1" '.[$member]' <<< "$order") == "$2" ]]
}

demo_voucher_is() {
    voucher=$(api_call demo GET voucher-service "/v1/vouchers/$(jq -r .id <<< "$voucher")")
    [[ $(jq -r .status <<< "$voucher") == "$1" ]]
}

# Sets voucher, once the order has one.
demo_find_voucher() {
    voucher=$(api_call demo GET voucher-service "/v1/vouchers?order_id=$(demo_order_id)" | jq -ce '.data[0] // empty')
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

# ---- the screen -------------------------------------------------------------------------------

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

demo_order_id() {
    jq -r .id <<< "$order"
}

demo_lines() {
    jq -r '[.lines[] | "\(.quantity) x \(.name)"] | join(", ")' <<< "$1"
}

demo_money() {
    jq -r --arg amount "$2" '(.[$amount]) as $n
        | "\(.currency) \($n / 100 | floor).\("0\($n % 100)"[-2:])"' <<< "$1"
}
