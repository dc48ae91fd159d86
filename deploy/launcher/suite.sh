# shellcheck shell=bash
# `test`: the suites, each counted; the last line is the sum.

readonly default_suites=(lint unit system)
readonly SYSTEM_TEST_FILES_AT_ONCE=3

# A test, and a file of them, that takes longer than this hangs.
readonly SYSTEM_TEST_MS_MAX=600000

command_test() {
    local -a suites=("$@")
    [[ $# -gt 0 ]] || suites=("${default_suites[@]}")
    local suite
    for suite in "${suites[@]}"; do
        declare -F "suite_$suite" > /dev/null ||
            usage_error "There is no suite '$suite'; there are: lint unit system asan."
    done
    suites_run_all
}

suites_run_all() {
    local -i passed=0 failed=0
    install_for test
    for suite in "${suites[@]}"; do
        printf '\n== %s\n' "$suite"
        "suite_$suite"
    done
    printf '\n'
    # Nothing was run: that is no success.
    ((passed + failed > 0)) || failed=1
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0))
}

# suite_count PASSED FAILED STATUS: a suite that ends badly without a failed test failed all the same.
suite_count() {
    local -i more_passed=$1 more_failed=$2
    if (($3 != 0 && more_failed == 0)) || ((more_passed + more_failed == 0)); then
        printf 'The suite ended with status %d, after %d tests.\n' "$3" "$more_passed"
        more_failed+=1
    fi
    passed+=$more_passed
    failed+=$more_failed
}

suite_lint() {
    local output status=0
    output=$("$top/tests/lint/lint.sh" 2>&1) || status=$?
    grep -v '^ok - ' <<< "$output" || true
    suite_count "$(grep -c '^ok - ' <<< "$output" || true)" \
        "$(grep -c '^not ok - ' <<< "$output" || true)" "$status"
}

# Each row of a cmocka table is a test; a program that dies is one failed test more.
suite_unit() {
    local status=0 log counts
    build
    log=$(build_dir)/meson-logs/testlog.json
    rm -f "$log"
    meson test -C "$(build_dir)" --no-rebuild --print-errorlogs < /dev/null || status=$?
    counts=$(jq -rs "$unit_counts" "$log" 2> /dev/null || echo '0 0')
    # shellcheck disable=SC2086 # two numbers
    suite_count $counts "$status"
}

# shellcheck disable=SC2016 # jq's variables
readonly unit_counts='
    def sum_of(pattern): [scan(pattern) | .[0] | tonumber] | add // 0;
    map(((.stdout // "") + (.stderr // "")) as $said
        | ($said | sum_of("\\[  PASSED  \\] ([0-9]+) test")) as $passed
        | ($said | sum_of("\\[  FAILED  \\](?: tests:)? +([0-9]+) test")) as $failed
        | if .result == "OK" or .result == "EXPECTEDFAIL"
          then [([$passed, 1] | max), 0]
          else [$passed, ([$failed, 1] | max)] end)
    | "\(map(.[0]) | add // 0) \(map(.[1]) | add // 0)"'

# Real processes: each file brings up stacks of its own, with the binaries that are built here.
suite_system() {
    local status=0 report
    local -a files=("$top"/tests/system/*.test.js)
    build
    [[ -e ${files[0]} ]] || files=()
    report=$(mktemp)
    [[ ${#files[@]} -eq 0 ]] ||
        CHECKOUT_BUILD=$(build_dir) "$top/tests/node_modules/node/bin/node" --test \
            --test-concurrency="$SYSTEM_TEST_FILES_AT_ONCE" \
            --test-timeout="$SYSTEM_TEST_MS_MAX" --test-force-exit \
            --test-reporter=spec --test-reporter-destination=stdout \
            --test-reporter=tap --test-reporter-destination="$report" \
            "${files[@]}" < /dev/null || status=$?
    suite_count "$(tap_total pass "$report")" \
        $(($(tap_total fail "$report") + $(tap_total cancelled "$report"))) "$status"
    rm "$report"
}

# The totals at the end of a TAP report: "# pass 12".
tap_total() {
    local total
    total=$(sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$2" | tail -n 1)
    printf '%s\n' "${total:-0}"
}

# The same again under the address and undefined behaviour sanitizers.
suite_asan() {
    local -x CHECKOUT_BUILD=build-asan
    local -x ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
    local -x UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
    build -Db_sanitize=address,undefined -Dbuildtype=debugoptimized
    suite_unit
    suite_system
}
