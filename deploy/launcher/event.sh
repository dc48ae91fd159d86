# shellcheck shell=bash
# `events tail`: what goes over the bus, one line per event, as it happens.

command_events() {
    [[ ${1:-} == tail && $# -le 2 ]] || usage_error "events takes: tail [MERCHANT]."
    [[ $# -eq 1 ]] || merchant_check "$2"
    home_require
    stack_require broker port_open "$broker_port"
    local key
    key=$(secret_read key-operator)
    # mosquitto_sub reads its options from a file too: a password does not belong in the process list.
    mkdir -p "$home/secrets/events-tail"
    printf -- '-u %s\n-P %s\n' "$(key_id "$key")" "$(key_secret "$key")" |
        file_put "$home/secrets/events-tail/mosquitto_sub"
    own "$home/secrets/events-tail"
    say "Events of ${2:-every merchant}, as they happen; Ctrl-C ends it."
    XDG_CONFIG_HOME=$home/secrets/events-tail mosquitto_sub -V mqttv5 -h "$broker_host" \
        -p "$broker_port" -q 1 -t "checkout/v1/${2:-+}/+/+/+" -F %p |
        jq --unbuffered -Rr "$event_line" ||
        fail "The bus has gone." "./checkout status   tells what runs."
}

# Time, type, merchant, subject and version, and the money that is in it.
# shellcheck disable=SC2016 # $event is jq's
readonly event_line='
    def money: if .currency then
        "\(.currency) \((.total_amount // .value_amount // .amount // 0) as $n
            | "\($n / 100 | floor).\("0\($n % 100)"[-2:])")" else "" end;
    . as $line | try (fromjson | [.time, (.type + "                "[:16 - (.type | length)]),
        .merchantid, .subject, "v\(.subjectversion)", (.data | money)] | join("  "))
    catch "not an event: \($line)"'
