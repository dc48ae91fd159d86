# shellcheck shell=bash
# The bank to pay against: bank-simulator, a process of its own kind. It knows nothing of the
# services: it has a database, keys that it is given, and a place to post its webhooks to.

bank_url() {
    printf 'http://%s:%d\n' "$bank_host" "$bank_port"
}

# What its customers know it by, and what tests order it about with. A webhook secret is spelled as
# Standard Webhooks say.
bank_make_secrets() {
    secret_make bank-key
    secret_make bank-control-key
    secret_make payment-key
    [[ -s $home/secrets/bank-webhook-secret ]] ||
        printf 'whsec_%s\n' "$(head -c 32 /dev/urandom | base64 -w0)" |
        file_put "$home/secrets/bank-webhook-secret"
}

bank_define() {
    program_copy bank-simulator payment-service/bank-simulator
    program_define bank-simulator bank-simulator bank_decided_settings
}

bank_decided_settings() {
    cat <<END
PORT=$bank_port
HEALTH_PORT=$bank_health_port
PUBLIC_URL=$(bank_url)
DATABASE_URL_FILE=$home/secrets/url-bank_service
BANK_KEY_FILE=$home/secrets/bank-key
CONTROL_KEY_FILE=$home/secrets/bank-control-key
WEBHOOK_SECRET_FILE=$home/secrets/bank-webhook-secret
WEBHOOK_URL=$(bank_webhook_origin)/v1/provider_webhooks/{bank}/{account}
END
}

# Of several instances any may get a webhook: the edge finds one that is there. It speaks plain HTTP
# only where its certificate is one of ours.
bank_webhook_origin() {
    if ((instances > 1)) && ! tls_is_real; then
        edge_url
    else
        service_url payment-service
    fi
}

bank_is_ready() {
    http_is_ok "$bank_health_port" /readyz
}
