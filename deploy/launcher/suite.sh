# shellcheck shell=bash
# `test`: the suites, each counted; the last line is the sum.

readonly all_suites=(lint unit analysis system browser faults asan tsan fuzz bare compose coverage)
readonly default_suites=(lint unit system browser faults)

# A test, and a file of them, that takes longer than this hangs.
readonly SYSTEM_TEST_MS_MAX=600000

command_test() {
    local -a suites=()
    local suite
    while [[ $# -gt 0 && $1 != --* ]]; do
        suites+=("$1")
        shift
    done
    [[ $# -eq 0 ]] || suite_take_options "$@"
    if [[ ${#suites[@]} -eq 0 ]]; then
        suites=("${default_suites[@]}")
        # A short round of what takes long.
        export TEST_ROUNDS=${TEST_ROUNDS:-1}
    fi
    for suite in "${suites[@]}"; do
        [[ " ${all_suites[*]} " == *" $suite "* ]] || usage_unknown suite "$suite" "${all_suites[@]}"
    done
    suites_run_all
}

# Options belong to one suite: fuzz has --minutes and --target, coverage --files, faults those of its
# matrix.
suite_take_options() {
    case "${suites[*]}" in
    fuzz) fuzz_take_options "$@" ;;
    faults) matrix_options=("$@") ;;
    coverage)
        [[ $# -eq 2 && $1 == --files ]] || usage_error "test coverage takes --files NAME,NAME,..."
        coverage_take_files "$2"
        ;;
    *) usage_error "$1 is for test fuzz, test faults or test coverage." ;;
    esac
}

suites_run_all() {
    local -i passed=0 failed=0 began=$EPOCHSECONDS
    install_for test
    machine_measure
    stage_make
    for suite in "${suites[@]}"; do
        printf '\n== %s\n' "$suite"
        if suites_have_time; then suite_timed "$suite"; else suite_left_out "$suite"; fi
    done
    printf '\n'
    suites_recall_failures
    # Nothing was run: that is no success.
    ((passed + failed > 0)) || failed=1
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0))
}

# What failed, once more where somebody looks first: at the end.
suites_recall_failures() {
    [[ ! -s $stage/failures ]] || printf '== what failed\n%s\n\n' "$(< "$stage/failures")"
}

# Whoever has only so many seconds says so: what would begin after them is left out, and says that.
suites_have_time() {
    [[ -z ${TEST_BUDGET_S:-} ]] || ((EPOCHSECONDS - began < TEST_BUDGET_S))
}

# The tests' times are promised on a machine that makes a process in 1.5 ms. One that takes longer - a
# virtual one that its hardware does not help, say - may miss them by as many times.
readonly PROCESS_US=1500
readonly SLOWDOWN_MAX=5
readonly SLOWDOWN_SANITIZED=10

# Files of tests that run at a time, each with stacks of its own: more than processors, because tests
# wait more than they work; where a process is slow to make, two keep the processors busy.
files_at_once=2
readonly FILES_AT_ONCE_FAST=4

machine_measure() {
    [[ -n ${TEST_SLOWDOWN:-} ]] || machine_measure_slowdown
    ((TEST_SLOWDOWN > 1)) || files_at_once=$FILES_AT_ONCE_FAST
}

machine_measure_slowdown() {
    local -i started=${EPOCHREALTIME/./} i slowdown
    for ((i = 0; i < 100; i++)); do /bin/true; done
    slowdown=$((1 + (${EPOCHREALTIME/./} - started) / (100 * PROCESS_US)))
    export TEST_SLOWDOWN=$((slowdown < SLOWDOWN_MAX ? slowdown : SLOWDOWN_MAX))
    ((slowdown == 1)) || say "This machine is slow: promised times may be missed by $TEST_SLOWDOWN times."
}

# Whose files no other suite plays may not be missing.
suite_left_out() {
    printf 'NOT RUN: the time is over.\n' | tee -a "$stage/failures"
    [[ -z ${TEST_ONCE:-} || " asan tsan " != *" $1 "* ]] || failed+=1
}

suite_timed() {
    local -i started=$EPOCHSECONDS
    "suite_$1"
    printf 'The suite %s took %d s.\n' "$1" $((EPOCHSECONDS - started))
}

# suite_count PASSED FAILED STATUS: a suite that ends badly without a failed test failed all the same.
suite_count() {
    local -i more_passed=$1 more_failed=$2
    passed+=$more_passed
    failed+=$more_failed
    if (($3 != 0 && more_failed == 0)) || ((more_passed + more_failed == 0)); then
        suite_fail "a suite that ended with status $3, after $more_passed tests"
    fi
}

# suite_fail WHAT: counts what failed and is no test.
suite_fail() {
    printf 'not ok - %s\n' "$1" >> "$stage/failures"
    failed+=1
}

suite_lint() {
    local output status=0
    step "Reading the sources"
    output=$("$top/tests/lint/lint.sh" 2>&1) || status=$?
    step_end
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
    meson test -C "$(build_dir)" --no-rebuild --print-errorlogs --timeout-multiplier "$TEST_SLOWDOWN" \
        < /dev/null || status=$?
    counts=$(jq -rs "$unit_counts" "$log" 2> /dev/null || echo '0 0')
    # shellcheck disable=SC2086 # two numbers
    suite_count $counts "$status"
    jq -r "$unit_failures" "$log" >> "$stage/failures" 2> /dev/null || true
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
readonly unit_failures='
    select(.result | IN("OK", "EXPECTEDFAIL") | not)
    | "not ok - unit test \(.name): \(.result) after \(.duration | floor) s"'

# Real processes: each file brings up stacks of its own, with the binaries that are built here. Those that
# promise a time have fewer beside them.
suite_system() {
    local -a files=() timed=()
    local file
    build
    while read -r file; do
        if file_promises_time "$file"; then timed+=("$file"); else files+=("$file"); fi
    done < <(files_without_sanitizer)
    files_run "${files[@]}"
    local -i files_at_once=2
    files_run "${timed[@]}"
}

file_promises_time() {
    [[ " $files_that_promise_time " == *" $(basename "$1" .test.js) "* ]]
}

# The console, in Debian's Chromium.
suite_browser() {
    build
    files_run "$top"/tests/browser/*.test.js
}

# files_run FILE...
files_run() {
    local status=0 report=$stage/report
    local built
    built=$(build_dir)
    local -x CHECKOUT_BUILD=$built TMPDIR=$stage TEST_HOME=$stage/home
    if ! suite_make_home; then
        suite_fail "making the home that the tests begin with"
        return 0
    fi
    tests_node --test \
        --test-concurrency="$files_at_once" \
        --test-timeout=$((SYSTEM_TEST_MS_MAX * TEST_SLOWDOWN)) --test-force-exit \
        --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=tap --test-reporter-destination="$report" \
        "$@" < /dev/null || status=$?
    suite_count "$(tap_total pass "$report")" \
        $(($(tap_total fail "$report") + $(tap_total cancelled "$report"))) "$status"
    tap_failures "$report" >> "$stage/failures"
    rm "$report"
    stage_clear || failed+=1
}

tests_node() {
    "$top/tests/node_modules/node/bin/node" "$@"
}

# What the stacks of all the files begin with is made once.
suite_make_home() {
    [[ ! -e $TEST_HOME ]] || return 0
    step "Making the home that the tests begin with"
    tests_node "$top/tests/support/make_home.js" "$TEST_HOME" < /dev/null || return
    step_end
}

# Nothing for a sanitizer: they look at the launcher, at nginx and at texts.
readonly files_without_service="audit audit_payments card_data comfort console containers edge_tls hardening keys \
launcher log_shipping monitoring operations readme reconcile rotation schema security stage suite_report \
surroundings systemd"

# The others run under one of the sanitizers, which take their time: those where many threads, processes
# or instances meet under tsan, all others under asan, and a few under both. TEST_EVERY_FILE=1 runs all
# of them under both.
readonly files_where_threads_meet="bus_faults crashes database_faults edge_instances edge_limits edge_payments \
edge_slow floods instances limits order_voucher_crashes order_vouchers_away payment_crashes \
payment_races slow_clients tracing_otlp voucher_orders voucher_races"
# libfaketime waits in a way that the thread sanitizer can not follow.
readonly files_not_for_tsan="clocks payment_clocks"
readonly files_for_both="consumer drain events idempotency payments vouchers"

# TEST_ONCE=1, for who runs the sanitizers as well (CI): what these play is not played without them too,
# but for promises of time, which mean little under a sanitizer, and what plays fewer rounds there.
readonly files_that_promise_time="bus_faults database_faults drain edge_payments edge_slow floods instances \
order_vouchers_away payment_faults slow_clients"
readonly files_of_many_rounds="crashes order_properties order_voucher_crashes payment_crashes payment_properties \
payment_races voucher_properties voucher_races"

files_without_sanitizer() {
    local file name
    for file in "$top"/tests/system/*.test.js; do
        name=$(basename "$file" .test.js)
        [[ -n ${TEST_ONCE:-} &&
            " $files_without_service $files_that_promise_time $files_of_many_rounds " != *" $name "* ]] ||
            printf '%s\n' "$file"
    done
}

# files_to_sanitize asan|tsan: prints their paths.
files_to_sanitize() {
    local file name
    for file in "$top"/tests/system/*.test.js; do
        name=$(basename "$file" .test.js)
        [[ " $files_without_service " == *" $name "* ]] || ! file_is_for "$1" "$name" || printf '%s\n' "$file"
    done
}

# file_is_for asan|tsan NAME
file_is_for() {
    local threads=asan
    [[ $1 != tsan || " $files_not_for_tsan " != *" $2 "* ]] || return 1
    [[ " $files_where_threads_meet " != *" $2 "* ]] || threads=tsan
    [[ -n ${TEST_EVERY_FILE:-} || $threads == "$1" || " $files_for_both " == *" $2 "* ]]
}

# The same again under the address and undefined behaviour sanitizers.
suite_asan() {
    local -x CHECKOUT_BUILD=build-asan
    local -x ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
    local -x UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
    build -Db_sanitize=address,undefined -Dbuildtype=debugoptimized
    suite_sanitized asan
}

# And under the thread sanitizer. At the end of a process it would wait a second for reports of
# threads that still run: longer than a service may take to stop.
suite_tsan() {
    local -x CHECKOUT_BUILD=build-tsan
    local -x TSAN_OPTIONS=${TSAN_OPTIONS:-atexit_sleep_ms=0:second_deadlock_stack=1}
    build -Db_sanitize=thread -Dbuildtype=debugoptimized
    suite_sanitized tsan
}

# suite_sanitized asan|tsan: slower by several times, and fewer rounds.
suite_sanitized() {
    local -a files
    local -x TEST_CRASHES=${TEST_CRASHES:-5}
    local -x TEST_VOUCHER_KILLS=${TEST_VOUCHER_KILLS:-10}
    local -x TEST_VOUCHER_RACES=${TEST_VOUCHER_RACES:-40}
    local -x TEST_PAYMENTS=${TEST_PAYMENTS:-300}
    local -x TEST_PAYMENT_RACES=${TEST_PAYMENT_RACES:-20}
    local -x TEST_PROPERTY_RUNS=${TEST_PROPERTY_RUNS:-8}
    local -x TEST_SLOWDOWN=$((TEST_SLOWDOWN > SLOWDOWN_SANITIZED ? TEST_SLOWDOWN : SLOWDOWN_SANITIZED))
    mapfile -t files < <(files_to_sanitize "$1")
    suite_unit
    files_run "${files[@]}"
}
