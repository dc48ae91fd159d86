# shellcheck shell=bash
# `test`: the suites, each counted; the last line is the sum.

readonly all_suites=(lint unit system faults asan tsan bare)
readonly default_suites=(lint unit system faults)
files_at_once=3

# A test, and a file of them, that takes longer than this hangs.
readonly SYSTEM_TEST_MS_MAX=600000

command_test() {
    local -a suites=("$@")
    local suite
    if [[ $# -eq 0 ]]; then
        suites=("${default_suites[@]}")
        # A short round of what takes long.
        export TEST_ROUNDS=${TEST_ROUNDS:-1}
    fi
    for suite in "${suites[@]}"; do
        [[ " ${all_suites[*]} " == *" $suite "* ]] ||
            usage_error "There is no suite '$suite'; there are: ${all_suites[*]}."
    done
    suites_run_all
}

suites_run_all() {
    local -i passed=0 failed=0
    install_for test
    stage_make
    for suite in "${suites[@]}"; do
        printf '\n== %s\n' "$suite"
        suite_timed "$suite"
    done
    printf '\n'
    # Nothing was run: that is no success.
    ((passed + failed > 0)) || failed=1
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0))
}

suite_timed() {
    local -i started=$EPOCHSECONDS
    "suite_$1"
    printf 'The suite %s took %d s.\n' "$1" $((EPOCHSECONDS - started))
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
    build
    files_run "$top"/tests/system/*.test.js
}

# Crashes at named points, in a build that has them; TEST_ROUNDS of each.
suite_faults() {
    local -x CHECKOUT_BUILD=build-faults
    local -x TEST_ROUNDS=${TEST_ROUNDS:-20}
    build -Dcrash_points=true
    files_run "$top"/tests/faults/*.test.js
}

# files_run FILE...
files_run() {
    local status=0 report=$stage/report
    local built
    built=$(build_dir)
    local -x CHECKOUT_BUILD=$built TMPDIR=$stage TEST_HOME=$stage/home
    if ! suite_make_home; then
        suite_count 0 1 1
        return 0
    fi
    tests_node --test \
        --test-concurrency="$files_at_once" \
        --test-timeout="$SYSTEM_TEST_MS_MAX" --test-force-exit \
        --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=tap --test-reporter-destination="$report" \
        "$@" < /dev/null || status=$?
    suite_count "$(tap_total pass "$report")" \
        $(($(tap_total fail "$report") + $(tap_total cancelled "$report"))) "$status"
    rm "$report"
    stage_clear || suite_count 0 1 1
}

tests_node() {
    "$top/tests/node_modules/node/bin/node" "$@"
}

# What the stacks of all the files begin with is made once.
suite_make_home() {
    [[ -e $TEST_HOME ]] || tests_node "$top/tests/support/make_home.js" "$TEST_HOME" < /dev/null
}

# The totals at the end of a TAP report: "# pass 12".
tap_total() {
    local total
    total=$(sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$2" | tail -n 1)
    printf '%s\n' "${total:-0}"
}

# system_files_for_sanitizers [NAMES]: without those that look at the launcher, nginx and texts, where
# no sanitizer has anything to say, and without NAMES.
system_files_for_sanitizers() {
    local file
    for file in "$top"/tests/system/*.test.js; do
        [[ " $files_without_service ${1:-} " == *" $(basename "$file" .test.js) "* ]] ||
            printf '%s\n' "$file"
    done
}

readonly files_without_service="audit audit_payments card_data edge_tls keys launcher readme reconcile schema stage surroundings"

# Long tables of one request after the other, where no two threads meet: for asan only.
readonly files_without_race="bank_faults bank_soap order_timeline payment_faults payment_input \
provider_webhooks test_cards"

# The same again under the address and undefined behaviour sanitizers.
suite_asan() {
    local -x CHECKOUT_BUILD=build-asan
    local -x ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
    local -x UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
    build -Db_sanitize=address,undefined -Dbuildtype=debugoptimized
    suite_sanitized
}

# And under the thread sanitizer. At the end of a process it would wait a second for reports of
# threads that still run: longer than a service may take to stop.
suite_tsan() {
    local -x CHECKOUT_BUILD=build-tsan
    local -x TSAN_OPTIONS=${TSAN_OPTIONS:-atexit_sleep_ms=0:second_deadlock_stack=1}
    build -Db_sanitize=thread -Dbuildtype=debugoptimized
    suite_sanitized "$files_without_race"
}

# suite_sanitized [NAMES]: without the files of these names. Slower by several times, so fewer at a
# time: what must be there within seconds still has to.
suite_sanitized() {
    local -a files
    local -x TEST_CRASHES=${TEST_CRASHES:-5}
    local -x TEST_VOUCHER_KILLS=${TEST_VOUCHER_KILLS:-10}
    local -x TEST_VOUCHER_RACES=${TEST_VOUCHER_RACES:-40}
    local -x TEST_PAYMENTS=${TEST_PAYMENTS:-300}
    local -x TEST_PAYMENT_RACES=${TEST_PAYMENT_RACES:-20}
    local -x TEST_SLOWDOWN=${TEST_SLOWDOWN:-10}
    local files_at_once=2
    mapfile -t files < <(system_files_for_sanitizers "${1:-}")
    suite_unit
    files_run "${files[@]}"
}
