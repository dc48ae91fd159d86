# shellcheck shell=bash
# What Node's test runner reports in TAP (Test Anything Protocol) version 13.

# The totals at the end of a report: "# pass 12".
tap_total() {
    local total
    total=$(sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$2" | tail -n 1)
    printf '%s\n' "${total:-0}"
}

# tap_failures REPORT: prints the blocks of what failed by itself - not of what a part of it fails - and,
# in front of a whole file that failed, what it wrote to its standard error.
tap_failures() {
    awk "$tap_failures" "$1"
}

# shellcheck disable=SC2016 # awk's variables
readonly tap_failures='
    /^# (Subtest: |tests |suites |pass |fail |cancelled |skipped |todo |duration_ms )/ { next }
    /^# / { said = (length(said) < 4000 ? said : "") $0 "\n"; next }
    /^(not )?ok / { whole = said; said = "" }
    /^ *not ok / { block = $0; sub(/^ +/, "", block); lines = 0; inside = 1; next }
    !inside { next }
    /^ *\.\.\.$/ {
        inside = 0
        if (block !~ /subtestsFailed/) { printf "%s%s\n", whole, block }
        whole = ""
        next
    }
    lines++ < 40 && !/^ *(---|duration_ms: .*|type: .*|code: .*)$/ { block = block "\n" $0 }'
