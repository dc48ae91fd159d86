#!/usr/bin/env bash
# story.sh WHO TEST-COMMAND...: what the README tells a newcomer to type, on the bare machine.
set -uo pipefail
cd ~/checkout || exit
who=$1
shift
failed=0

step() {
    local started=$EPOCHSECONDS verdict=ok
    printf '\n$ %s   (as %s)\n' "$*" "$who"
    "$@" || { verdict='not ok'; failed=1; }
    printf '%s - %s: %s (%d s)\n' "$verdict" "$who" "$*" $((EPOCHSECONDS - started))
}

# shellcheck disable=SC2317 # a step
# By name, because another user's programs can not be seen otherwise.
nothing_runs() {
    ! grep -lxE 'postgres|mosquitto|runsvdir|runsv|svlogd|nginx|(order|payment|voucher)-servic.*|bank-simulator' \
        /proc/[0-9]*/comm
}

step ./checkout up --detach
step ./checkout "$@"
step ./checkout status
step ./checkout demo
step ./checkout audit --wait 10
step ./checkout down
step nothing_runs
exit "$failed"
