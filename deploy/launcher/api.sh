# shellcheck shell=bash
# api_call: the HTTP API as everybody sees it, through the edge, with one of the home's own keys.

# Who has patience makes this larger: what may be asked twice - it reads, or has a key - is asked again when
# the answer is "not now", a second apart, until so many were sent.
api_tries=1

# api_call KEY METHOD SERVICE PATH [JSON [IDEMPOTENCY-KEY]]: prints the answer's body. An answer that
# is not a 2xx ends the launcher with what the problem says.
api_call() {
    local answer code secret
    local -i tries=0
    secret_load "key-$1"
    while
        answer=$(api_request "$@" 2>&1) || api_complain "$answer"
        code=${answer##*$'\n'}
        answer=${answer%$'\n'*}
        [[ $code == 503 && "$2${6:+GET}" == *GET ]] && ((++tries < api_tries))
    do sleep 1; done
    [[ $code == 2?? ]] || api_refused "$1" "$2 $4 was answered $code" "$answer"
    printf '%s\n' "$answer"
}

# api_refused KEY MESSAGE ANSWER: the stack's own keys are made anew by a start.
api_refused() {
    local why code
    why=$(jq -r '.detail // .title // .' <<< "$3" 2> /dev/null || true)
    code=$(jq -r '.code // empty' <<< "$3" 2> /dev/null || true)
    set -- "$1" "$2: $why"
    case $code in
    key_invalid)
        fail "$2" "The stack's own key '$1' was revoked or changed." \
            "./checkout up   makes another."
        ;;
    missing_scope)
        fail "$2" "The stack's own key '$1' has lost a scope." "./checkout up   gives it back."
        ;;
    *) fail "$2" ;;
    esac
}

# api_complain OUTPUT: there was no answer; curl's reason is on a line of its own.
api_complain() {
    home_require_running
    fail "There is no answer from $(edge_url): $(sed -n 's/^curl: ([0-9]*) //p' <<< "$1" | head -n 1)" \
        "./checkout status   tells what runs, ./checkout up starts what does not."
}

# What every service has is found below its name.
api_path() {
    case $2 in
    /v1/events* | /v1/dead_letters*) printf '/services/%s%s\n' "$1" "$2" ;;
    *) printf '%s\n' "$2" ;;
    esac
}

# With the caller's `secret`. The key goes to curl as a file: the process list is public. And to no
# proxy: the edge is here, whatever host its certificate is for.
api_request() {
    local -a body=() idempotency=()
    [[ -z ${5:-} ]] || body=(--data-binary "$5" -H 'Content-Type: application/json')
    [[ -z ${6:-} ]] || idempotency=(-H "Idempotency-Key: $6")
    curl -q -sS -m 10 --noproxy '*' --connect-to "::$edge_host:" --cacert "$home/tls/certificate.pem" -w '\n%{http_code}' -X "$2" \
        -H @<(printf 'Authorization: Bearer %s\n' "$secret") \
        "${idempotency[@]}" "${body[@]}" "$(edge_url)$(api_path "$3" "$4")"
}
