# shellcheck shell=bash
# The stage: the temporary directory of a run of tests. Whatever a file of tests leaves behind there,
# because it hung and was killed, is ended with the run: a stack must not outlive its test.

# Sets `stage`. Root's servers run as another user, who must be able to get there.
stage_make() {
    stage=$(mktemp -d "${TMPDIR:-/tmp}/ct-XXXXXX")
    chmod 755 "$stage"
    trap 'stage_clear || true; rm -rf "$stage"' EXIT
}

# False if anything still ran. What is being killed takes a moment.
stage_clear() {
    local -a left=()
    if ! wait_until 3 stage_is_empty; then
        mapfile -t left < <(stage_processes)
        say "These were left behind by a test, and are ended now:" "${left[@]/#/$'\n'  }"
        stage_end_all
    fi
    [[ -n ${CHECKOUT_TEST_KEEP:-} ]] || rm -rf "$stage"/checkout-*
    ((${#left[@]} > 0)) || return 0
    printf 'not ok - left behind by a test: %s\n' "${left[@]}" >> "$stage/failures"
    return 1
}

stage_is_empty() {
    [[ -z $(stage_processes) ]]
}

# Stacks go down in order; then what a test had started itself, in place of a supervisor.
stage_end_all() {
    local home
    local -a left=()
    for home in "$stage"/checkout-*/home; do
        [[ ! -e $home/settings ]] || CHECKOUT_HOME=$home "$top/checkout" down > /dev/null 2>&1 ||
            say "The stack in $home did not go down."
    done
    mapfile -t left < <(stage_processes)
    kill -KILL "${left[@]%% *}" 2> /dev/null || true
}

# "<id> <program> in <directory>" of all that run in or from the stage.
stage_processes() {
    local process program directory
    for process in /proc/[0-9]*; do
        program=$(readlink "$process/exe") || continue
        directory=$(readlink "$process/cwd") || continue
        if [[ $program == "$stage"/* || $directory == "$stage"/* ]]; then
            printf '%s %s in %s\n' "${process#/proc/}" "$program" "$directory"
        fi
    done 2> /dev/null
}
