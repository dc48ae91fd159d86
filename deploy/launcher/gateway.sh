# shellcheck shell=bash
# The gateways: the banks that payment-service asks, in their order. This is the configuration that a
# stack has where the operator gives none (GATEWAYS, GATEWAYS_FILE): all of them the simulator's. What
# may stand in it is told in payment-service/gateway_config.h.

# What bank-b takes; what is not here, Iceland's crown or Tunisia's dinar, only bank-c does.
readonly gateway_currencies="EUR USD GBP CHF SEK NOK DKK PLN CZK HUF RON TRY UAH CAD AUD NZD JPY CNY \
HKD SGD KRW TWD INR IDR THB MYR PHP VND AED SAR QAR KWD BHD OMR ILS EGP ZAR NGN KES MAD BRL MXN ARS COP PEN"

gateways_put() {
    file_put "$home/gateways.json" <<END
[
$(gateway_entry bank-a json /bank-a/v1 '["EUR", "USD", "GBP"]'),
$(gateway_entry bank-b json /bank-b/v1 "[\"${gateway_currencies// /\", \"}\"]"),
$(gateway_entry bank-c soap /bank-c '"*"')
]
END
}

# gateway_entry NAME PROTOCOL PATH CURRENCIES
gateway_entry() {
    cat <<END
{"name": "$1", "protocol": "$2", "origins": "$(bank_url)", "path": "$3",
 "currencies": $4,
 "methods": ["card", "bank_transfer"],
 "key_file": "$home/secrets/bank-key", "webhook_secret_files": ["$home/secrets/bank-webhook-secret"]}
END
}
