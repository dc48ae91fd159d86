# shellcheck shell=bash
# TLS: the certificate that the edge and the broker show. EDGE_CERTIFICATE and EDGE_KEY name a real
# one; without them the launcher makes one for this machine, which whoever wants to believe it is
# given as a file (`env` names it).

readonly TLS_DAYS=397          # how long one of ours is good for; clients refuse longer ones
readonly TLS_RENEW_DAYS=30     # ... and how long before its end there is another
readonly TLS_NAMES=DNS:localhost,IP:127.0.0.1,IP:::1

# A real certificate was given.
tls_is_real() {
    [[ -e $home/tls/real ]]
}

# Puts tls/certificate.pem (with what stands behind it) and tls/key.pem into the home. They are
# copies: those who show them may not be able to read the originals.
tls_put() {
    mkdir -p "$home/tls"
    if [[ -n ${EDGE_CERTIFICATE:-}${EDGE_KEY:-} ]]; then
        tls_check_real
        file_put "$home/tls/certificate.pem" 644 < "$EDGE_CERTIFICATE"
        file_put "$home/tls/key.pem" < "$EDGE_KEY"
        touch "$home/tls/real"
    elif tls_is_real || ! tls_lasts; then
        tls_make
        rm -f "$home/tls/real"
    fi
    own "$home/tls"
}

# What nginx would say later, and in other words.
tls_check_real() {
    local name
    for name in EDGE_CERTIFICATE EDGE_KEY; do
        [[ -n ${!name:-} ]] || usage_error "EDGE_CERTIFICATE and EDGE_KEY belong together: $name is not set."
        [[ -r ${!name} ]] || usage_error "$name is '${!name}', which can not be read."
    done
    openssl x509 -noout -checkend 0 -in "$EDGE_CERTIFICATE" > /dev/null 2>&1 ||
        usage_error "EDGE_CERTIFICATE is '$EDGE_CERTIFICATE', which is no certificate or has ended."
    [[ $(openssl x509 -noout -pubkey -in "$EDGE_CERTIFICATE" 2> /dev/null) == \
        "$(openssl pkey -pubout -in "$EDGE_KEY" -passin pass: 2> /dev/null)" ]] ||
        usage_error "EDGE_KEY is '$EDGE_KEY', which is not the key of that certificate."
}

tls_lasts() {
    [[ -s $home/tls/key.pem ]] &&
        openssl x509 -noout -checkend $((TLS_RENEW_DAYS * 86400)) -in "$home/tls/certificate.pem" \
            > /dev/null 2>&1
}

# The key first: who dies in between begins again.
tls_make() {
    local dir=$home/tls
    rm -f "$dir/certificate.pem"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -sha256 -days "$TLS_DAYS" \
        -subj "/O=Checkout, for development/CN=localhost" -addext "subjectAltName=$TLS_NAMES" \
        -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
        -addext extendedKeyUsage=serverAuth \
        -keyout "$dir/key.pem.new" -out "$dir/certificate.pem.new" 2> /dev/null ||
        fail "openssl could not make a certificate."
    file_install "$dir/key.pem" 600
    file_install "$dir/certificate.pem" 644
}

# The host that the certificate is for: its first name, or an address where that is all it has.
tls_name() {
    local names name
    if ! tls_is_real; then
        echo 127.0.0.1
        return 0
    fi
    names=$(openssl x509 -noout -ext subjectAltName -in "$home/tls/certificate.pem" 2> /dev/null || true)
    name=$(grep -oE '(DNS|IP Address):[^, ]+' <<< "$names" | head -n 1)
    name=${name#*:}
    printf '%s\n' "${name/#\*/checkout}"
}

tls_stamp() {
    cat "$home/tls/certificate.pem" "$home/tls/key.pem" | sha256sum | cut -c1-16
}

# Those who run and show another one read it anew: nobody who is connected, or connects, notices.
# tls/shown remembers what they have; who dies before that does it again.
tls_reload() {
    local stamp
    stamp=$(tls_stamp)
    [[ $(file_read "$home/tls/shown") != "$stamp" ]] || return 0
    tls_reload_process edge "$https_port"
    tls_reload_process broker "$mqtts_port"
    file_put "$home/tls/shown" <<< "$stamp"
}

# tls_reload_process NAME PORT
tls_reload_process() {
    local id
    id=$(recorded "$1") || return 0
    kill -HUP "$id"
    wait_until 10 tls_is_shown "$2" || fail "$1 does not show the new certificate." \
        "./checkout logs $1   tells why."
}

tls_is_shown() {
    local shown
    shown=$(timeout 5 openssl s_client -connect "${EDGE_ADDRESS:-127.0.0.1}:$1" < /dev/null 2> /dev/null |
        openssl x509 -noout -fingerprint -sha256 2> /dev/null) || return 1
    [[ $shown == "$(openssl x509 -noout -fingerprint -sha256 -in "$home/tls/certificate.pem")" ]]
}
