# shellcheck shell=bash
# `test faults`: crashes at named points, and the matrix - every fault of a list, under load, round
# after round, until nothing waits any more and every invariant holds (tests/faults).

# What a run without a name plays of the matrix: it takes three minutes.
readonly matrix_short=(--row kill --rounds 1)

# What was asked for behind `test faults`; with it, the matrix alone is played.
matrix_options=()

suite_faults() {
    local -x CHECKOUT_BUILD=build-faults
    local -x TEST_ROUNDS=${TEST_ROUNDS:-20}
    build -Dcrash_points=true
    if ((${#matrix_options[@]} > 0)); then
        matrix_run "${matrix_options[@]}"
    else
        files_run "$top"/tests/faults/*.test.js
        if ((TEST_ROUNDS == 1)); then matrix_run "${matrix_short[@]}"; else matrix_run --at-once 2; fi
    fi
}

# matrix_run [OPTION...]: each row is a test. What was played is kept in build-faults/matrix.json, from
# which --resume goes on. With --endurance MINUTES it is the long run instead.
matrix_run() {
    if [[ ${1:-} == --endurance ]]; then
        faults_play endurance.mjs --minutes "${2:-}"
    else
        faults_play matrix.mjs --report "$(build_dir)/matrix.json" "$@"
    fi
}

# faults_play SCRIPT [OPTION...]: its lines are counted.
faults_play() {
    local status=0 said=$stage/matrix built
    built=$(build_dir)
    local -x CHECKOUT_BUILD=$built TMPDIR=$stage TEST_HOME=$stage/home
    suite_make_home || status=$?
    ((status != 0)) || apart "$top/tests/node_modules/node/bin/node" "$top/tests/faults/$1" "${@:2}" \
        < /dev/null | tee "$said" || status=$?
    suite_count "$(grep -c '^ok - ' "$said" || true)" "$(grep -c '^not ok - ' "$said" || true)" "$status"
    rm -f "$said"
    stage_clear || failed+=1
}

# apart COMMAND...: small disks are mounted for its eyes only, and end with it. Only root can mount any.
apart() {
    if ((EUID == 0)); then unshare --mount "$@"; else "$@"; fi
}
