# shellcheck shell=bash
# `test analysis`: what reads our C without running it - clang-tidy (.clang-tidy), cppcheck
# (tests/analysis/cppcheck.txt) and gcc's analyzer - over each folder of the program, two at a time. A
# tool that has nothing to say about a folder is a test. The tests' own C is left out: it runs under
# the sanitizers, and cmocka's macros are all that the tools would talk of.
#
# They read what an ordinary build would compile, from the list that meson makes of it; nothing is
# compiled.

readonly ANALYSES_AT_ONCE=2

suite_analysis() {
    local -x CHECKOUT_BUILD=build-analysis
    local -x CC=gcc
    local -a build_targets=(build.ninja)
    local -i analysis_passed=0 analysis_failed=0
    local home units
    install_for analysis
    build
    home=$(build_dir)/analysis
    units=$(build_dir)/compile_commands.json
    rm -rf "$home"
    mkdir -p "$home"
    analysis_run_all
    suite_count "$analysis_passed" "$analysis_failed" 0
}

analysis_run_all() {
    local tool folder
    while read -r folder; do
        for tool in clang_tidy cppcheck gcc_analyzer; do
            # As many as may run at a time do: one has to end first.
            while (($(jobs -pr | wc -l) >= ANALYSES_AT_ONCE)); do wait -n || true; done
            analysis_run "$tool" "$folder" &
        done
    done < <(analysis_folders)
    wait
    analysis_passed=$(find "$home" -name '*.ok' | wc -l)
    analysis_failed=$(find "$home" -name '*.not_ok' | wc -l)
}

# Those with the most files first, so that none of these is waited for alone at the end. What a build
# would make (`docs/api`: documents as texts of C) is not there to be read.
analysis_folders() {
    jq -r '.[].file | select(startswith("../")) | ltrimstr("../") | select(startswith("tests/") | not)
           | split("/")[:-1] | join("/")' "$units" | sort | uniq -c | sort -k1,1nr -k2 | awk '{ print $2 }'
}

# Says in a line what came of it; with what the tool said, if it did.
analysis_run() {
    local tool=$1 folder=$2 log=$home/$1-${2//\//-}
    if "analysis_$tool" > "$log" 2>&1 < /dev/null; then
        printf 'ok - %s has nothing to say about %s\n' "$tool" "$folder"
        touch "$log.ok"
    else
        touch "$log.not_ok"
        printf 'not ok - %s has nothing to say about %s\n%s\n' "$tool" "$folder" \
            "$(sed 's/^/    /' "$log")"
    fi
}

# A program that is built of a file of another folder names it a second time.
analysis_files() {
    jq -r --arg folder "$folder" \
        '.[].file | ltrimstr("../") | select((split("/")[:-1] | join("/")) == $folder)' "$units" |
        sort -u
}

analysis_clang_tidy() (
    cd "$top" || exit
    mapfile -t files < <(analysis_files)
    # It counts what it does not tell of system headers.
    clang-tidy -p "$(build_dir)" --quiet "${files[@]}" 2> >(grep -v 'warnings\? generated' >&2)
)

analysis_cppcheck() (
    cd "$top" || exit
    mapfile -t files < <(analysis_files)
    cppcheck --enable=warning,performance,portability --std=c11 --library=posix --quiet \
        --suppressions-list=tests/analysis/cppcheck.txt --error-exitcode=1 --template=gcc \
        -D_GNU_SOURCE -I. "${files[@]}"
)

# As it is compiled, warnings being errors, but to nowhere.
analysis_gcc_analyzer() (
    cd "$(build_dir)" || exit
    status=0
    while read -r command; do
        bash -c "$command -O1 -fanalyzer -fdiagnostics-color=never -o /dev/null" || status=1
    done < <(jq -r --arg folder "$folder" \
        '.[] | select((.file | ltrimstr("../") | split("/")[:-1] | join("/")) == $folder)
             | .command | sub(" -MD -MQ [^ ]+ -MF [^ ]+ "; " ") | sub(" -o [^ ]+ "; " ")' "$units")
    exit "$status"
)
