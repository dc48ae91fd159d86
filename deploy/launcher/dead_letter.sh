# shellcheck shell=bash
# `dead-letters`: events that a service put aside, to look at, replay or discard.

readonly DEAD_LETTERS_USAGE="dead-letters takes: list | replay ID | discard ID, and --service NAME (voucher)."

command_dead_letters() {
    local service_name=voucher verb='' id=''
    while [[ $# -gt 0 ]]; do
        case $1 in
        --service)
            [[ $# -gt 1 ]] || usage_error "$DEAD_LETTERS_USAGE"
            service_name=${2%-service}
            shift
            ;;
        list | replay | discard) verb=$1 ;;
        *) id=$1 ;;
        esac
        shift
    done
    dead_letters_check
    home_require
    if [[ $verb == list ]]; then
        dead_letters_list
    else
        api_call operator POST "$service_name-service" "/v1/dead_letters/$id/$verb" | jq .
    fi
}

dead_letters_check() {
    service_names | grep -qxF -- "$service_name-service" ||
        usage_error "There is no service '$service_name'; there are: $(service_names | paste -sd' ')."
    case $verb in
    list) [[ -z $id ]] || usage_error "$DEAD_LETTERS_USAGE" ;;
    replay | discard)
        [[ $id =~ ^[0-9a-f-]{36}$ ]] || usage_error "$verb takes the id that list prints."
        ;;
    *) usage_error "$DEAD_LETTERS_USAGE" ;;
    esac
}

dead_letters_list() {
    local rows
    rows=$(dead_letters_rows)
    if [[ -z $rows ]]; then
        say "There are no dead letters at the $service_name-service."
    else
        printf '%s\n' $'ID\tSTATE\tSOURCE\tSEQUENCE\tREASON\tDETAIL' "$rows" | table
    fi
}

dead_letters_rows() {
    local answer cursor=''
    while
        answer=$(api_call operator GET "$service_name-service" "/v1/dead_letters?limit=100$cursor") || exit
        jq -r '.data[] | [.id, .status, .source, .sequence // "-", .reason, .detail] | @tsv' <<< "$answer"
        cursor=$(jq -r '.next_cursor // empty | "&cursor=" + @uri' <<< "$answer")
        [[ -n $cursor ]]
    do :; done
}
