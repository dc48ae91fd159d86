# shellcheck shell=bash
# `test coverage`: the unit and the system suite over programs that count which lines and branches they
# come by. A program writes its counters when it ends of itself, as services do when they are told to;
# what is killed leaves none. Counters are atomic: threads share them. Nothing is optimized.
#
# Prints how much of each folder was reached, then the functions and the lines that never were; what of
# that is meant to be so is said in docs/coverage.md.

# System tests that are run; all of them, when none are named.
coverage_files=()

# coverage_take_files NAME,NAME,... ("none": the unit tests alone)
coverage_take_files() {
    local name
    IFS=, read -ra coverage_files <<< "$1"
    [[ $1 != none ]] || return 0
    for name in "${coverage_files[@]}"; do
        [[ -e $top/tests/system/$name.test.js ]] || usage_error "There is no tests/system/$name.test.js."
    done
}

suite_coverage() {
    local -x CHECKOUT_BUILD=build-coverage
    local -x CC=gcc
    local -x TEST_SLOWDOWN=$((TEST_SLOWDOWN > SLOWDOWN_SANITIZED ? TEST_SLOWDOWN : SLOWDOWN_SANITIZED))
    local -a paths=("$top"/tests/system/*.test.js)
    install_for coverage
    build -Db_coverage=true -Dbuildtype=debug -Dc_args=-fprofile-update=atomic
    find "$(build_dir)" -name '*.gcda' -delete
    suite_unit
    coverage_share
    if ((${#coverage_files[@]} > 0)); then
        mapfile -t paths < <(printf "$top/tests/system/%s.test.js\n" "${coverage_files[@]}")
    fi
    [[ ${coverage_files[*]} == none ]] || files_run "${paths[@]}"
    coverage_report
}

# Started by root, services run as another user, who adds to the same counters; whoever would make their
# file first, and for itself, would lock the others out.
coverage_share() {
    local notes
    while IFS= read -r notes; do
        touch "${notes%.gcno}.gcda"
    done < <(find "$(build_dir)" -name '*.gcno')
    chmod -R a+rwX "$(build_dir)"
}

# From what has been counted up to now.
coverage_report() {
    local report
    report=$(build_dir)/coverage.json
    find "$(build_dir)" -name '*.gcda' -empty -delete
    (cd "$top" && gcovr --root . --gcov-ignore-parse-errors -j 2 \
        --filter '(order|payment|voucher)-service/' --filter shared/ \
        --exclude-branches-by-pattern '.*\bassert\(.*' --exclude-throw-branches \
        --json "$report" "$(build_dir)"/{order,payment,voucher}-service "$(build_dir)/shared" \
        < /dev/null) || return 1
    jq -r "$coverage_of_folders" "$report" | column -t -s $'\t'
    printf '\nFunctions that were never reached:\n'
    jq -r "$coverage_functions" "$report"
    printf '\nLines of other functions that were never reached:\n'
    jq -r "$coverage_lines" "$report"
}

# shellcheck disable=SC2016 # jq's variables
readonly coverage_of_folders='
    def percent($part; $all): if $all == 0 then "-" else "\($part * 1000 / $all | floor / 10) %" end;
    def counts:
        [.[].lines[] | select(."gcovr/noncode" | not)] as $lines
        | [$lines[].branches[]] as $branches
        | ([$lines[] | select(.count > 0)] | length) as $reached
        | ([$branches[] | select(.count > 0)] | length) as $taken
        | [percent($reached; $lines | length), "\($reached) of \($lines | length)",
           percent($taken; $branches | length), "\($taken) of \($branches | length)"];
    ["folder", "lines", "", "branches", ""],
    (.files | group_by(.file | split("/")[:-1])[]
        | [(.[0].file | split("/")[:-1] | join("/"))] + counts),
    (["all"] + (.files | counts))
    | @tsv'

# shellcheck disable=SC2016 # jq's variables
readonly coverage_functions='
    .files[] | .file as $file
    | .functions[] | select(.execution_count == 0) | "\($file):\(.lineno) \(.name)"'

# Neighbours as one range. Lines of functions that were never reached are not told again: a function
# ends where the next one begins.
# shellcheck disable=SC2016 # jq's variables
readonly coverage_lines='
    def ranges: reduce .[] as $n ([]; if length > 0 and .[-1][1] + 1 >= $n
        then .[-1][1] = $n else . + [[$n, $n]] end);
    .files[] | .file as $file
    | ([.functions[] | [.lineno, .execution_count]] | sort) as $functions
    | [.lines[] | select(.count == 0 and (."gcovr/noncode" | not)) | .line_number as $n
        | select(([$functions[] | select(.[0] <= $n)] | last | .[1]) != 0) | $n]
    | ranges[] | "\($file):\(.[0])" + (if .[1] > .[0] then "-\(.[1])" else "" end)'
