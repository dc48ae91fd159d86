# shellcheck shell=bash
# `test fuzz`: each parser is fed with made-up input for a while (tests/fuzz), two at a time. A target
# is a test. What makes one fail is kept in build-fuzz/fuzz/<target>, and tried first the next time;
# so is what was found on the way to new branches, from which the next run goes on.

# Seconds of a processor that each target gets, and targets that run at a time.
FUZZ_CPU_S=10
readonly FUZZERS_AT_ONCE=2

# One input must be done with in this time, and in this memory.
readonly FUZZ_INPUT_S_MAX=20
readonly FUZZ_MB_MAX=1024

# Targets that are fuzzed: all of them, when none are named.
fuzz_targets=()

# fuzz_take_options --minutes N --target NAME,NAME,...
fuzz_take_options() {
    while [[ $# -gt 0 ]]; do
        case "$1 ${2:-}" in
        "--minutes "[1-9]*) fuzz_take_minutes "$2" ;;
        "--target "[a-z]*) fuzz_take_targets "$2" ;;
        *) usage_error "test fuzz takes --minutes N and --target NAME,NAME,..." ;;
        esac
        shift 2
    done
}

fuzz_take_minutes() {
    [[ $1 =~ ^[1-9][0-9]{0,3}$ ]] || usage_error "--minutes takes a number of minutes."
    FUZZ_CPU_S=$(($1 * 60))
}

fuzz_take_targets() {
    local -a names
    local name
    mapfile -t names < <(fuzz_names)
    mapfile -t fuzz_targets < <(tr ',' '\n' <<< "$1" | sort -u)
    for name in "${fuzz_targets[@]}"; do
        [[ " ${names[*]} " == *" $name "* ]] || usage_unknown target "$name" "${names[@]}"
    done
}

# Each has a corpus to begin with.
fuzz_names() {
    find "$top/tests/fuzz/corpus" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort
}

suite_fuzz() {
    local -x CHECKOUT_BUILD=build-fuzz
    local -x CC=clang
    local -a build_targets=(fuzzers)
    local -i fuzz_passed=0 fuzz_failed=0
    install_for fuzz
    build -Dfuzz=true -Db_sanitize=address,undefined -Dbuildtype=debugoptimized
    fuzz_run_all
    suite_count "$fuzz_passed" "$fuzz_failed" 0
}

fuzz_run_all() {
    local name
    ((${#fuzz_targets[@]} > 0)) || mapfile -t fuzz_targets < <(fuzz_names)
    for name in "${fuzz_targets[@]}"; do
        # As many as may run at a time do: one has to end first.
        while (($(jobs -pr | wc -l) >= FUZZERS_AT_ONCE)); do wait -n || true; done
        fuzz_run "$name" &
    done
    wait
    for name in "${fuzz_targets[@]}"; do
        if [[ $(cat "$(build_dir)/fuzz/$name/status") == 0 ]]; then
            fuzz_passed+=1
        else
            fuzz_failed+=1
        fi
    done
}

# Says in a line what came of it, and writes its status.
fuzz_run() {
    local name=$1 home status=0
    home=$(build_dir)/fuzz/$name
    mkdir -p "$home/corpus"
    echo running > "$home/status"
    fuzz_again > "$home/log" 2>&1 || status=$?
    ((status != 0)) || fuzz_on >> "$home/log" 2>&1 || status=$?
    fuzz_tell
    echo "$status" > "$home/status"
}

# What made it fail before.
fuzz_again() {
    local -a found=()
    mapfile -t found < <(fuzz_found)
    ((${#found[@]} == 0)) || fuzz_program "${found[@]}"
}

fuzz_found() {
    find "$home" -maxdepth 1 -regex '.*/\(crash\|leak\|oom\|timeout\)-[^/]*' | sort
}

fuzz_on() {
    local -x FUZZ_CPU_S=$FUZZ_CPU_S
    fuzz_program -dict="$top/tests/fuzz/$name.dict" -print_final_stats=1 \
        "$home/corpus" "$top/tests/fuzz/corpus/$name"
}

fuzz_program() {
    "$(build_dir)/tests/fuzz/fuzz_$name" -artifact_prefix="$home/" -timeout="$FUZZ_INPUT_S_MAX" \
        -rss_limit_mb="$FUZZ_MB_MAX" "$@" < /dev/null
}

# "ok - order_draft: 73661 inputs, 363 branches"; else what is wrong, and where the input is.
fuzz_tell() {
    local inputs branches
    inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$home/log")
    branches=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$home/log" | tail -n 1)
    if ((status == 0)); then
        printf 'ok - %s: %s inputs, %s branches\n' "$name" "$inputs" "$branches"
    else
        printf 'not ok - %s: %s\n' "$name" "$(fuzz_reason)"
        printf '    %s\n' "$home/log"
        fuzz_found | sed 's/^/    /'
    fi
}

fuzz_reason() {
    grep -m 1 -E 'Assertion|runtime error:|ERROR: ' "$home/log" || echo "it ended with status $status"
}
