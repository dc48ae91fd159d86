# shellcheck shell=bash
# `bench`: how fast it is, as ratios to the same work in plain pgbench (tests/bench), on a stack of its
# own. What it finds is kept in build/bench, as JSON and as a table.

command_bench() {
    local -x CHECKOUT_BUILD TMPDIR
    install_for bench
    build
    CHECKOUT_BUILD=$(build_dir)
    stage_make
    TMPDIR=$stage
    bench_warn
    tests_node "$top/tests/bench/bench.mjs" --out "$CHECKOUT_BUILD/bench" "$@" < /dev/null
}

bench_warn() {
    local load
    load=$(cut -d ' ' -f 1 /proc/loadavg)
    [[ ${load%.*} -lt 1 ]] || say "This machine is busy (load $load): its figures will say little."
}
