# shellcheck shell=bash
# Style: what is refused on sight, as far as a pattern can see it.

program_files() {
    files c h | grep -v '^tests/'
}

# search_program PATTERN [EXCEPT-FILES]: comments may speak of everything.
search_program() {
    program_files | grep -vE "${2:-^$}" | xargs -r -d '\n' grep -nE "$1" /dev/null |
        grep -vE '^[^:]+:[0-9]+:\s*(/?\*|//)' || true
}

select_star() {
    # What unnest() returns has its columns named right there.
    search_program '(SELECT|RETURNING) ([a-z]+\.)?\*' | grep -v 'SELECT \* FROM unnest(' || true
    files sql | xargs -r -d '\n' grep -niE '(select|returning) \*' /dev/null || true
}

sql_by_format() {
    search_program '(snprintf|asprintf|append_format)[^;]*"[^"]*\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b'
}

floating_point() {
    search_program '\b(double|float)\b' '^shared/runtime/metrics'
}

columns_by_number() {
    search_program 'PQ(getvalue|getisnull|getlength)\([^,]+,[^,]+, *[0-9]+\)'
}

publishing_elsewhere() {
    search_program 'mosquitto_publish' '^shared/bus/'
    search_program '\bmqtt_publish' '^shared/bus/|^shared/events/'
}

acknowledging_loops() {
    search_program 'mosquitto_(loop|loop_start|loop_forever|connect_async)\('
}

reading_bodies_elsewhere() {
    search_program '\bmg_[a-z_]+\(' '^shared/http/'
}

ddl_elsewhere() {
    search_program '"[^"]*\b(CREATE|ALTER|DROP) (TABLE|INDEX|VIEW|ROLE|SCHEMA|TYPE)\b'
}

notify_in_transactions() {
    search_program '"[^"]*\b(NOTIFY |pg_notify)' '^shared/events/|^shared/db/'
}

decisions_on_error_texts() {
    search_program 'str(str|cmp|casestr)\([^)]*PQ(resultErrorMessage|errorMessage)'
}

banned_calls() {
    search_program '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|system|popen|alloca)\('
    program_files | xargs -r -d '\n' grep -nE '\b(TODO|FIXME)\b' /dev/null || true
}

houses_without_nouns() {
    program_files | grep -E '(^|/)(utils?|helpers?|misc|common|stuff)\.[ch]$' || true
    find . -path ./tests/node_modules -prune -o -type d -name src -not -path '*/node_modules/*' -print
}

simulators_by_ifdef() {
    search_program '^\s*#\s*(ifdef|ifndef|if)\b.*(SIMULAT|FAKE|MOCK|TEST)'
}

crash_points_by_one_name() {
    local -r call='CRASH_POINT\("[^"]*"\)'
    program_files | xargs -r -d '\n' grep -HnoE "$call" /dev/null |
        grep -vE 'CRASH_POINT\("[a-z]+:[a-z_]+"\)$' | sed 's/$/ is no <room>:<moment>/' || true
    program_files | grep -v '^shared/runtime/crash_point' |
        xargs -r -d '\n' grep -hoE "$call" /dev/null | sort | uniq -d | sed 's/$/ is there twice/'
}

missing_include_guards() {
    local file
    files h | while read -r file; do
        grep -qE '^#ifndef CHECKOUT_' "$file" || echo "$file"
    done
}

unregistered_sources() {
    local file dir stem
    files c | grep -vE '^tests/(fuzz|bench|support)/' | while read -r file; do
        dir=$(dirname "$file")
        while [[ ! -e $dir/meson.build ]]; do dir=$(dirname "$dir"); done
        stem=$(basename "$file" .c)
        grep -qE "\b${stem%_test}(_test)?(\.c)?'" "$dir/meson.build" || echo "$file is in no meson.build"
    done
}

# What is released by itself is released on every way out: before it may return, a function begins it.
released_before_begun() {
    # shellcheck disable=SC2016 # awk's variables
    files c | grep -v '^tests/' | xargs -r -d '\n' awk '
        /^}/ { split("", open) }
        {
            for (name in open)
                if ($0 ~ "(^|[^a-z_])" name "([^a-z_]|$)")
                    delete open[name]
                else if (/(^|[^a-z_])(return|continue|break|goto)([^a-z_]|$)/)
                    print FILENAME ":" FNR ": leaves before " name " was begun"
        }
        /AUTO\([a-z_]+\)[^=(]*;$/ {
            name = $NF
            gsub(/[*;]|\[.*\]/, "", name)
            open[name] = 1
        }'
}

# Nothing of the machine where this was written.
foreign_traces() {
    files c h js json sql sh md yml conf build acl | grep -v '^tests/lint/' |
        xargs -r -d '\n' grep -nE '(^|[^.])/work/|"resolved":' /dev/null || true
}

# What it shows is text (console/element.js); markup would be somebody's script one day.
markup_in_the_console() {
    files js html | grep '^console/' |
        xargs -r -d '\n' grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|<[^>]+ (style|on[a-z]+)=' /dev/null || true
}

package_files_elsewhere() {
    find . -name package.json -not -path '*/node_modules/*' -not -path ./tests/package.json \
        -not -path ./console/package.json
}

shell_complaints() {
    command -v shellcheck > /dev/null || return 0
    shell_files | xargs -r -d '\n' shellcheck -f gcc || true
}

unexplained_invariants() {
    local file
    for file in shared/audit/*.sql; do
        head -n 3 "$file" | grep -qE '^-- .' && sed -n '2p' "$file" | grep -qx -- '--' ||
            echo "$file has no title and explanation"
    done
}

holds "no statement selects *" select_star
holds "no statement is made by a format" sql_by_format
holds "floating point is for metrics only" floating_point
holds "columns are read by name" columns_by_number
holds "only shared/bus and the relay publish" publishing_elsewhere
holds "nobody uses a loop that acknowledges first" acknowledging_loops
holds "only shared/http talks to civetweb" reading_bodies_elsewhere
holds "tables are made in migrations only" ddl_elsewhere
holds "no writing transaction notifies" notify_in_transactions
holds "nobody decides on the text of an error" decisions_on_error_texts
holds "no banned call, and nothing left to do" banned_calls
holds "every file is called after its noun" houses_without_nouns
holds "no simulator hides behind an #ifdef" simulators_by_ifdef
holds "a crash point has a name of its own" crash_points_by_one_name
holds "every header has its guard" missing_include_guards
holds "what is released by itself was begun" released_before_begun
holds "every source is in a meson.build" unregistered_sources
holds "no file names a machine or a registry" foreign_traces
holds "the console makes no markup" markup_in_the_console
holds "package.json is in tests and console only" package_files_elsewhere
holds "shellcheck has nothing to say" shell_complaints
holds "every invariant says what it means" unexplained_invariants
