# shellcheck shell=bash
# Problems: whatever code a client can be told has a section in docs/problems.md.

# What is wrong on our side alone is told as internal_error.
# shellcheck disable=SC2016 # perl's own
codes_of_services() {
    files c h | grep -v '^tests/' | xargs -r -d '\n' cat | perl -0777 -ne '
        while (/error_set\(\s*[^,;]+?,\s*(ERROR_\w+),\s*"(\w+)"/g) {
            print "$2\n" unless $1 =~ /^ERROR_(CONFIGURATION|INTERNAL|DATA)$/;
        }'
}

# shellcheck disable=SC2016 # nginx's own
codes_of_edge() {
    sed -n 's/^ *set \$problem_code \([a-z_]*\);.*/\1/p' deploy/edge/problems.conf
    sed -n '/^map .* \$\(key\|lost\)_problem {/,/^}/s/^ .* \([a-z_]*\);$/\1/p' deploy/edge/maps.conf
}

unexplained_problems() {
    { codes_of_services; codes_of_edge; } | sort -u |
        grep -vxF -f <(sed -n 's/^## //p' docs/problems.md) || true
}

problems_out_of_order() {
    diff <(sed -n 's/^## //p' docs/problems.md) <(sed -n 's/^## //p' docs/problems.md | sort -u) || true
}

unmade_edge_problems() {
    local code
    for code in key_missing key_malformed key_invalid service_unavailable outcome_unknown not_found; do
        codes_of_edge | grep -x "$code" > /dev/null || echo "$code is not found in deploy/edge any more"
    done
}

holds "every problem has a section that says what to do" unexplained_problems
holds "problems are in order, each once" problems_out_of_order
holds "the problems of the edge are found where they are looked for" unmade_edge_problems
