# shellcheck shell=bash
# `test bare`: the README's commands on a Debian 12 on which nothing was installed by hand, as root
# and as a user with sudo.
#
# The machine is a directory with Debian's smallest system (debootstrap), entered with processes and
# mounts of its own, so that nothing of it can outlive the test. What this machine needs to reach
# its mirrors - addresses, proxies, certificates, npm's configuration - is handed in.

readonly bare_release=bookworm

# What a story is made of is in tests/bare.
suite_bare() {
    local base clone=$stage/clone
    base=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/checkout/bare-$bare_release.tar
    packages_install debootstrap git
    bare_make_base || { suite_fail "making a bare machine"; return; }
    bare_make_clone || { suite_fail "cloning the project"; return; }
    # Both at once: each waits for mirrors most of the time.
    bare_tell root 32300 test lint unit > "$stage/bare-root" 2>&1 &
    # shellcheck disable=SC2086 # the names of suites
    bare_tell user 32100 test ${TEST_BARE:-} 2>&1 | tee "$stage/bare-user" || true
    wait $! || true
    cat "$stage/bare-root"
    bare_count user
    bare_count root
    rm -rf "$clone"
}

# What a clone would have: what is not committed is not there. The checkout may be somebody else's,
# from whom git would not clone for root.
bare_make_clone() (
    umask 022
    mkdir "$clone"
    git -c safe.directory="$top" -C "$top" archive HEAD | tar -x -C "$clone"
)

# bare_tell WHO PORTS TEST-COMMAND...: each command is a test; ports are looked for from there on.
bare_tell() {
    local status=0
    bare_run machine.sh "$base" "$clone" "${HOME:-}/.npmrc" "$1" "$(bare_port_base "$2")" "${@:3}" < /dev/null || status=$?
    printf 'The story of %s ended with status %d.\n' "$1" "$status"
}

# bare_count WHO
bare_count() {
    local report=$stage/bare-$1 status
    status=$(sed -n "s/^The story of $1 ended with status \([0-9]*\)\.$/\1/p" "$report")
    suite_count "$(grep -c "^ok - $1: " "$report" || true)" \
        "$(grep -c "^not ok - $1: " "$report" || true)" "${status:-1}"
    rm "$report"
}

# bare_run SCRIPT...: one of tests/bare as root, whose environment sudo would clean.
bare_run() {
    local -a proxies
    mapfile -t proxies < <(env | grep -iE '^(https?|no)_proxy=' || true)
    as_root env "TMPDIR=$stage" "${proxies[@]}" bash "$top/tests/bare/$1" "${@:2}"
}

# Made once, and again when it is a week old: installing on a Debian of last year tells little. Two suites
# want it, which may run at the same time.
bare_make_base() (
    mkdir -p "$(dirname "$base")"
    exec 7> "$base.lock"
    flock 7
    bare_base_is_new || bare_make_base_anew
)

bare_base_is_new() {
    [[ -n $(find "$base" -mtime -7 2> /dev/null) ]]
}

bare_make_base_anew() {
    local log=$stage/debootstrap
    say "Making a minimal Debian ($bare_release), which takes half a minute."
    bare_run base.sh "$bare_release" "$base" > "$log" 2>&1 ||
        { tail -n 20 "$log" >&2; return 1; }
}

# The network is this machine's, and so are its ports.
bare_port_base() {
    local -i base=$1
    while port_open "$base" || port_open $((base + 1)) || port_open $((base + 5)); do
        base+=40
    done
    echo "$base"
}
