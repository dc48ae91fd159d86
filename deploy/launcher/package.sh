# shellcheck shell=bash
# Packages: what Debian and npm give us. Installing says what it does first, and starts nothing.

readonly packages_to_run=(
    gcc libc6-dev meson ninja-build pkg-config python3-yaml
    libmosquitto-dev libpq-dev libjansson-dev libcivetweb-dev libcurl4-openssl-dev libsodium-dev
    libxml2-dev libcmocka-dev postgresql mosquitto mosquitto-clients nginx openssl runit curl jq ca-certificates
)
readonly packages_to_test=(universal-ctags shellcheck libfaketime systemd chromium prometheus rsyslog)
readonly packages_to_analyze=(clang-tidy cppcheck)
readonly packages_to_bench=(wrk)
readonly packages_to_cover=(gcovr bsdextrautils)
readonly packages_to_fuzz=(clang libclang-rt-dev llvm)

# packages_install NAME...: does nothing, quickly, when all are there. One at a time on a machine: each
# puts back what it changed.
packages_install() {
    command -v dpkg-query > /dev/null ||
        fail "This is not Debian: install these by hand, then use --no-install:" "$*"
    exec 6< /var/lib/dpkg
    flock 6
    packages_install_missing "$@"
    exec 6<&-
}

packages_install_missing() {
    local missing
    missing=$(packages_missing "$@")
    if [[ -z $missing ]]; then
        ! packages_left_open || packages_get
        return 0
    fi
    say "Installing Debian packages, which takes a minute or two and starts nothing:" \
        "${missing//$'\n'/ }"
    local -a names
    mapfile -t names <<< "$missing"
    packages_get "${names[@]}"
}

# An installation that was cut off left its changes behind.
packages_left_open() {
    [[ -e /usr/sbin/policy-rc.d.checkout || -e /etc/postgresql-common/createcluster.conf.checkout ]]
}

packages_missing() {
    local there
    there=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2> /dev/null |
        sed -n 's/^ii *//p' || true)
    printf '%s\n' "$@" | grep -vxF -f <(printf '%s\n' "${there:-none}") || true
}

as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    else
        command -v sudo > /dev/null ||
            fail "Installing needs root, and there is no sudo." "As root: apt-get install $missing"
        sudo "$@"
    fi
}

# In a shell of its own, as root, so that its trap puts everything back whatever happens.
packages_get() {
    local log
    log=$(mktemp)
    step "Installing Debian packages"
    if ! as_root bash -c "$(declare -f packages_get_quietly); packages_get_quietly \"\$@\"" - "$@" \
        < /dev/null > "$log" 2>&1; then
        tail -n 40 "$log" >&2
        rm "$log"
        fail "apt-get could not install: $*" "The end of its messages is above."
    fi
    step_end
    rm "$log"
}

# Servers that Debian would start on install stay off: no service policy allows a start, no cluster
# is made, and what was new is not started at the next boot either. What this changes for the time
# being it remembers in files beside (.checkout), so that a run that was cut off is made good by the
# next.
packages_get_quietly() {
    set -euo pipefail
    umask 022
    export DEBIAN_FRONTEND=noninteractive
    policy=/usr/sbin/policy-rc.d
    cluster=/etc/postgresql-common/createcluster.conf
    # shellcheck disable=SC2317 # the trap calls it
    restore() {
        [[ ! -e $policy.checkout ]] || rm -f "$policy" "$policy.checkout"
        [[ ! -e $cluster.checkout ]] || mv "$cluster.checkout" "$cluster"
    }
    get() {
        local -a apt=(apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
        "${apt[@]}" --no-install-recommends install "$@" ||
            { "${apt[@]}" update && "${apt[@]}" --no-install-recommends install "$@"; }
    }
    trap restore EXIT
    if [[ ! -e $policy ]]; then
        touch "$policy.checkout"
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod 755 "$policy"
    fi
    if [[ " $* " == *" postgresql "* ]]; then
        get postgresql-common
        [[ -e $cluster.checkout ]] || cp -p "$cluster" "$cluster.checkout"
        sed -i '/create_main_cluster/d' "$cluster"
        echo 'create_main_cluster = false' >> "$cluster"
    fi
    get "$@"
    for server in mosquitto nginx prometheus rsyslog; do
        if [[ " $* " == *" $server "* ]] && command -v systemctl > /dev/null; then
            systemctl disable "$server.service" || true
        fi
    done
}

# npm_install FOLDER production|all: what FOLDER/package.json lists. The launcher needs dbmate of tests,
# the edge needs console, the tests all of tests. The stamp remembers for which lock file; no package's
# own scripts are run.
npm_install() {
    local stamp=$top/$1/node_modules/.checkout what=$2 lock there_what='' there_lock=''
    lock=$(sha256sum < "$top/$1/package-lock.json" | cut -d' ' -f1)
    [[ ! -e $stamp ]] || read -r there_what there_lock _ < "$stamp"
    # Who has tested here will test again.
    [[ $there_what != all ]] || what=all
    [[ "$there_what $there_lock" != "$what $lock" ]] || return 0
    # Debian's npm is made of more than 300 packages; any other does as well.
    command -v npm > /dev/null || packages_install nodejs npm
    say "Installing npm packages into $1/node_modules."
    local output
    step "Installing npm packages"
    if ! output=$(npm_get "$1" "$what" 2>&1); then
        printf '%s\n' "$output" >&2
        fail "npm could not install what $1/package.json asks for." "Its messages are above."
    fi
    step_end
    printf '%s %s\n' "$what" "$lock" > "$stamp"
}

npm_get() (
    umask 022
    cd "$top/$1" || exit
    omit=--omit=dev
    [[ $2 == production ]] || omit=--include=dev
    npm ci "$omit" --ignore-scripts --no-audit --no-fund < /dev/null || exit
    # The one package whose script is needed: it brings the Node that the tests run on.
    [[ $2 == production ]] ||
        (cd node_modules/node && node installArchSpecificPackage.js < /dev/null)
)

# install_for up|test|analysis|bench|coverage|fuzz, one at a time per checkout.
install_for() {
    exec 8< "$top"
    flock 8
    case $1 in
    up)
        packages_install "${packages_to_run[@]}"
        npm_install tests production
        npm_install console production
        ;;
    test)
        packages_install "${packages_to_run[@]}" "${packages_to_test[@]}"
        npm_install tests all
        npm_install console production
        ;;
    analysis) packages_install "${packages_to_analyze[@]}" ;;
    bench)
        packages_install "${packages_to_run[@]}" "${packages_to_bench[@]}"
        npm_install tests all
        npm_install console production
        ;;
    coverage) packages_install "${packages_to_cover[@]}" ;;
    fuzz) packages_install "${packages_to_fuzz[@]}" ;;
    esac
    exec 8<&-
}
