# shellcheck shell=bash
# Layers: arrows point one way, and a library is used in its room only.

# A room may include what has a lower rank, and its own. Within a layer of the design, the log
# writes JSON and makes trace ids, and API keys are read from a database.
room_rank() {
    case $1 in
    shared/base) echo 0 ;;
    shared/json | shared/crypto | shared/soap) echo 1 ;;
    shared/runtime) echo 2 ;;
    shared/db | shared/bus) echo 3 ;;
    shared/http) echo 4 ;;
    shared/events) echo 5 ;;
    *-service*) echo 6 ;;
    *) echo 9 ;;
    esac
}

# "file<tab>included file" for every #include "..." of the program.
included() {
    files c h | grep -v '^tests/' | xargs -r -d '\n' grep -HoP '^\s*#\s*include\s+"\K[^"]+' |
        sed 's/:/\t/'
}

arrows_that_point_up() {
    local file target from to
    included | while IFS=$'\t' read -r file target; do
        from=$(dirname "$file") to=$(dirname "$target")
        [[ $from != "$to" ]] || continue
        (($(room_rank "$to") < $(room_rank "$from"))) || echo "$file includes $target"
    done
}

rooms_that_need_each_other() {
    local pairs
    pairs=$(included | awk -F'\t' '{ sub("/[^/]*$", "", $1); sub("/[^/]*$", "", $2)
                                     if ($1 != $2) print $1, $2 }' | sort -u)
    awk 'NR == FNR { arrow[$0]; next } ($2 " " $1) in arrow && $1 < $2 { print $1 " and " $2 }' \
        <(printf '%s\n' "$pairs") <(printf '%s\n' "$pairs")
}

libraries_outside_their_room() {
    library_outside '(postgresql/)?libpq' '^shared/db/'
    library_outside 'mosquitto' '^shared/bus/'
    library_outside '(civetweb|curl/)' '^shared/http/'
    library_outside 'sodium' '^shared/crypto/'
    library_outside 'jansson' '^shared/json/'
    library_outside 'libxml' '^shared/soap/'
}

library_outside() {
    files c h | grep -v '^tests/' | grep -vE "$2" |
        xargs -r -d '\n' grep -nE "^\s*#\s*include\s*<$1" /dev/null || true
}

libraries_in_the_domain() {
    files c h |
        grep -E '^shared/base/|^(order|voucher|payment)-service/(order|voucher|payment|card|card_brands|circuit_breaker)\.[ch]$' |
        xargs -r -d '\n' grep -nE \
            '^\s*#\s*include\s*(<(libpq|postgresql|mosquitto|civetweb|curl|sodium|jansson|libxml)|"shared/(json|crypto|soap|runtime|db|bus|http|events)/)' \
            /dev/null || true
}

holds "an include points to a lower layer or stays in its room" arrows_that_point_up
holds "no two rooms need each other" rooms_that_need_each_other
holds "a library is included in its room only" libraries_outside_their_room
holds "the domain and shared/base need nothing but libc and shared/base" libraries_in_the_domain
