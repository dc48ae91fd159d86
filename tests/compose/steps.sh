# shellcheck shell=bash
# Steps: each is a test, told by a line "ok - ..." or "not ok - ..." as it ends.

failed=0

# step WHAT COMMAND...
step() {
    local started=$EPOCHSECONDS verdict=ok status=0
    "${@:2}" || { verdict='not ok' status=1 failed=1; }
    printf '%s - compose: %s (%d s)\n' "$verdict" "$1" $((EPOCHSECONDS - started))
    return "$status"
}

# within SECONDS COMMAND...: until it is true; longer on a slow machine.
within() {
    local -i deadline=$((EPOCHSECONDS + $1 * ${TEST_SLOWDOWN:-1}))
    until "${@:2}"; do
        ((EPOCHSECONDS < deadline)) || return 1
        sleep 0.2
    done
}
