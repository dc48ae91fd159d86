#!/usr/bin/env bash
# Lint: what a compiler does not see. Each rule is a test: a sentence, and a function that prints
# every place where it does not hold.
set -euo pipefail
export LC_ALL=C.UTF-8
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cd "$here/../.."

# Files of the project with one of these endings; what is built or installed is not ours.
files() {
    local -a names=()
    local ending
    for ending in "$@"; do names+=(-o -name "*.$ending"); done
    find . \( -name 'build*' -o -name node_modules -o -name var -o -name .git \) -prune -o \
        -type f \( "${names[@]:1}" \) -printf '%P\n' | sort
}

# grep that finds nothing is good news.
search() {
    grep -nE "$@" /dev/null || true
}

passed=0 failed=0

# holds SENTENCE COMMAND...: offenders on standard output.
holds() {
    local offenders
    offenders=$("${@:2}")
    if [[ -z $offenders ]]; then
        passed=$((passed + 1))
        printf 'ok - %s\n' "$1"
    else
        failed=$((failed + 1))
        printf 'not ok - %s\n' "$1"
        # shellcheck disable=SC2001 # every line is indented
        sed 's/^/    /' <<< "$offenders"
    fi
}

for rules in "$here"/*_rules.sh; do
    # shellcheck source=/dev/null
    source "$rules"
done
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
