# shellcheck shell=bash
# Nearest: what somebody may have meant who wrote a name that there is none of.

# What others call it.
readonly other_names="start up
run up
stop down
log logs
tail events
sql psql
db psql
key keys
merchant merchants
benchmark bench"

# nearest WORD NAME...: prints the name that others call so, that begins so, or that is written almost
# so; nothing where none is.
nearest() {
    local word name
    while read -r word name; do
        [[ $word != "$1" || " ${*:2} " != *" $name "* ]] || { printf '%s\n' "$name" && return 0; }
    done <<< "$other_names"
    printf '%s\n' "${@:2}" | awk -v word="$1" "$nearest_program"
}

# usage_unknown WHAT WORD NAME...: ends the launcher; says what there is, and what is near.
usage_unknown() {
    local near
    near=$(nearest "${@:2}")
    usage_error "There is no $1 '$2'${near:+ (did you mean $near?)}; there are: ${*:3}."
}

# The edits that make one of the other, a swap of two neighbours being one: a third of the word at
# most.
# shellcheck disable=SC2016 # awk's variables
readonly nearest_program='
    function least(a, b) { return a < b ? a : b }
    function edits(a, b,    i, j, d) {
        for (i = 0; i <= length(a); i++) d[i, 0] = i
        for (j = 0; j <= length(b); j++) d[0, j] = j
        for (i = 1; i <= length(a); i++)
            for (j = 1; j <= length(b); j++) {
                d[i, j] = least(least(d[i - 1, j], d[i, j - 1]) + 1,
                                d[i - 1, j - 1] + (substr(a, i, 1) != substr(b, j, 1)))
                if (i > 1 && j > 1 && substr(a, i, 1) == substr(b, j - 1, 1) &&
                    substr(a, i - 1, 1) == substr(b, j, 1))
                    d[i, j] = least(d[i, j], d[i - 2, j - 2] + 1)
            }
        return d[length(a), length(b)]
    }
    {
        far = length(word) > 1 && index($0, word) == 1 ? 0.5 : edits(word, $0)
        if (NR == 1 || far < nearest_far) { nearest_far = far; name = $0 }
    }
    END { if (nearest_far <= length(word) / 3) print name }'
