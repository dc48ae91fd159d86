# shellcheck shell=bash
# `events tail`: what goes over the bus, one line per event, as it happens.

readonly EVENTS_USAGE="events takes: tail [MERCHANT] [--type TYPE] [--subject ID] [--json]."

# What there are events of, and which.
readonly event_types=(
    "order created updated paid sent delivered returned canceled expired"
    "payment processing requires_action authorized succeeded failed canceled expired orphaned updated"
    "refund created succeeded failed"
    "voucher issued reserved released redeemed rolled_back expired voided"
)

command_events() {
    local merchant=+ noun=+ event=+ subject=+ json=false
    [[ ${1:-} == tail ]] || usage_error "$EVENTS_USAGE"
    shift
    events_take_options "$@"
    home_require
    stack_require broker port_open "$broker_port"
    events_log_in
    say "Events as they happen (checkout/v1/$merchant/$noun/$subject/$event); Ctrl-C ends it."
    events_follow | events_show ||
        fail "The bus has gone." "./checkout status   tells what runs."
}

# Sets the levels of the topic.
events_take_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --json) json=true ;;
        --type | --subject)
            [[ $# -gt 1 ]] || usage_error "$EVENTS_USAGE"
            "events_take_${1#--}" "$2"
            shift
            ;;
        -*) usage_error "$EVENTS_USAGE" ;;
        *)
            [[ $merchant == + ]] || usage_error "$EVENTS_USAGE"
            merchant_check "$1"
            merchant=$1
            ;;
        esac
        shift
    done
}

# events_take_type NOUN|NOUN.EVENT
events_take_type() {
    local -a types
    mapfile -t types < <(events_types)
    [[ " ${types[*]} " == *" $1 "* ]] || usage_unknown type "$1" "${types[@]}"
    IFS=. read -r noun event <<< "$1"
    event=${event:-+}
}

events_types() {
    local row noun events
    for row in "${event_types[@]}"; do
        read -r noun events <<< "$row"
        printf '%s\n' "$noun"
        # shellcheck disable=SC2086 # words
        printf "$noun.%s\n" $events
    done
}

events_take_subject() {
    [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]] ||
        usage_error "--subject takes the id of an order, a payment, a refund or a voucher, not '$1'."
    subject=$1
}

# mosquitto_sub reads its options from a file too: a password does not belong in the process list.
events_log_in() {
    local key
    key=$(secret_read key-operator)
    mkdir -p "$home/secrets/events-tail"
    printf -- '-u %s\n-P %s\n' "$(key_id "$key")" "$(key_secret "$key")" |
        file_put "$home/secrets/events-tail/mosquitto_sub"
    own "$home/secrets/events-tail"
}

events_follow() {
    XDG_CONFIG_HOME=$home/secrets/events-tail mosquitto_sub -V mqttv5 -h "$broker_host" \
        -p "$broker_port" -q 1 -t "checkout/v1/$merchant/$noun/$subject/$event" -F %p
}

# As they came, or for people.
events_show() {
    if [[ $json == true ]]; then
        cat
    else
        jq --unbuffered -Rr -f "$top/deploy/launcher/event.jq"
    fi
}
