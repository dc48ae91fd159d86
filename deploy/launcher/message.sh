# shellcheck shell=bash
# What the launcher says: progress on standard error, so that answers on standard output stay clean.

say() {
    printf '%s\n' "$*" >&2
}

# fail MESSAGE [WHAT TO DO]: ends the launcher with status 1.
fail() {
    printf 'checkout: %s\n' "$1" >&2
    [[ $# -lt 2 ]] || printf '%s\n' "${@:2}" | sed 's/^/  /' >&2
    exit 1
}

# A command line that makes no sense: status 2.
usage_error() {
    printf 'checkout: %s\n' "$1" >&2
    exit 2
}

# On a terminal only, and on none whose owner wants it plain. Asked here, where standard output is
# the launcher's: words are put together in pipes.
bold_is_shown=false
[[ ! -t 1 || -n ${NO_COLOR:-} || ${TERM:-dumb} == dumb ]] || bold_is_shown=true

# bold TEXT
bold() {
    if [[ $bold_is_shown == true ]]; then
        printf '\033[1m%s\033[0m' "$*"
    else
        printf '%s' "$*"
    fi
}

# table: standard input is rows with tabs between their columns, headings first.
table() {
    jq -Rrs '
        split("\n")[:-1] | map(split("\t"))
        | (transpose | map(map(length) | max)) as $widths
        | .[] | [range(length) as $i | .[$i] + " " * ($widths[$i] - (.[$i] | length))]
        | join("  ") | sub(" +$"; "")'
}

# wait_until SECONDS COMMAND...: polls every 50 ms; false when the time is over.
wait_until() {
    local -i deadline_us=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/./} < deadline_us)) || return 1
        sleep 0.05
    done
}
