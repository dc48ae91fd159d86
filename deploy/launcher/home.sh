# shellcheck shell=bash
# The home: one directory that holds a stack (cluster, broker, secrets, logs), the user it runs as,
# and what it remembers. Globals, set by home_open: home, owner, port_base, instances, socket_dir, and
# where everything is, <what listens>_host and _port.

# A Unix socket's path has at most 107 bytes; "/.s.PGSQL.65535" takes 15 of them.
readonly SOCKET_DIR_MAX=90

text_hash() {
    local hash
    hash=$(sha256sum <<< "$1")
    printf '%s\n' "${hash:0:12}"
}

# stamp_of FILE...: sets `stamp`, which is another one when what they say is.
stamp_of() {
    stamp=$(cat "$@" | sha256sum)
    stamp=${stamp:0:16}
}

# Root does not run servers: what it starts runs as `owner`.
as_owner() {
    local -a as=()
    [[ $EUID -ne 0 || $owner == root ]] ||
        as=(setpriv --reuid="$owner" --regid="$(id -g "$owner")" --init-groups --)
    ${exec:-} "${as[@]}" "$@"
}

# The same in place of this shell.
exec_as_owner() {
    local exec=exec
    as_owner "$@"
}

# own PATH...: what root wrote belongs to the user who will read it. Where much is written, own_all
# does it for all of it, before anybody reads it; `owning_later` tells that it will.
own() {
    if [[ $EUID -eq 0 && $owner != root && ${owning_later:-false} == false ]]; then
        chown -hR "$owner:" "$@"
    fi
}

own_all() {
    local owning_later=false
    own "$home"/{settings,gateways.json,secrets,run,bin,log,process,service,broker,edge,tls}
}

# Where the home is and whose. Root's stacks belong to postgres; where that user cannot reach the
# asked-for path (/root, say), the home is in /var/lib/checkout instead.
home_locate() {
    home=$(realpath -m "${CHECKOUT_HOME:-$top/var}")
    owner=$(id -un)
    [[ $EUID -eq 0 ]] || return 0
    local moved
    moved=/var/lib/checkout/$(text_hash "$home")
    owner=postgres
    if [[ -e $moved/settings ]]; then
        home=$moved
    elif [[ -e $home/settings ]]; then
        owner=$(stat -c %U "$home")
    elif id postgres > /dev/null 2>&1 && ! home_reachable "$home"; then
        home=$moved
    fi
}

home_reachable() {
    local ancestor
    ancestor=$(dirname "$1")
    while [[ ! -d $ancestor ]]; do ancestor=$(dirname "$ancestor"); done
    as_owner test -x "$ancestor"
}

# Only an empty directory, or one that is a home already, is taken: it changes hands.
home_check() {
    local place=$home
    while [[ ! -e $place ]]; do place=$(dirname "$place"); done
    [[ -d $place ]] || fail "$home can not be made: $place is no directory." "Set CHECKOUT_HOME to another place."
    [[ -r $place && -w $place && -x $place ]] ||
        fail "$home can not be made or used: $place belongs to user $(stat -c %U "$place")." \
            "Run this as that user, or set CHECKOUT_HOME to a place of your own."
    if [[ $place == "$home" && ! -e $home/settings && -n $(ls -A "$home") ]]; then
        fail "$home is not empty and not a home of checkout." \
            "Set CHECKOUT_HOME to a directory that is empty or does not exist yet."
    fi
}

home_create() {
    home_check
    (umask 022 && mkdir -p "$(dirname "$home")")
    local -a parts=("$home"/{secrets,run,bin,log,process,service})
    mkdir -p "${parts[@]}"
    [[ -e $home/settings ]] || : > "$home/settings"
    chmod 700 "$home"
    if [[ $EUID -eq 0 && $owner != root ]]; then
        chown "$owner:" "$home" "$home/settings" "${parts[@]}"
    fi
    home_make_socket_dir
}

home_remember() {
    file_put "$home/settings" <<< "port_base=$port_base"$'\n'"instances=$instances"
}

# remembered NAME DEFAULT: what this home was last started with.
remembered() {
    local line value=$2
    while IFS= read -r line; do
        [[ ! $line =~ ^"$1"=([0-9]+)$ ]] || value=${BASH_REMATCH[1]}
    done 2> /dev/null < "$home/settings" || true
    printf '%s\n' "$value"
}

home_make_socket_dir() {
    if [[ ! -e $socket_dir ]]; then
        mkdir "$socket_dir"
        own "$socket_dir"
    fi
    # A name in /tmp can be somebody else's trap.
    [[ ! -L $socket_dir && $(stat -c %U "$socket_dir") == "$owner" ]] ||
        fail "$socket_dir belongs to somebody else." "Choose a shorter CHECKOUT_HOME."
}

# The services' are in the table of them (service.sh). Everything is on this machine: what else there is
# (deploy/containers) says so afterwards.
home_set_ports() {
    edge_host=127.0.0.1 bank_host=127.0.0.1 broker_host=127.0.0.1 database_host=127.0.0.1
    edge_port=$port_base
    bank_port=$((port_base + 4))
    postgres_port=$((port_base + 5))
    broker_port=$((port_base + 6))
    broker_websocket_port=$((port_base + 7))
    https_port=$((port_base + 8))
    mqtts_port=$((port_base + 9))
    bank_health_port=$((port_base + 18))
}

home_open() {
    home_locate
    port_base=${CHECKOUT_PORT_BASE:-$(remembered port_base 8080)}
    instances=${CHECKOUT_INSTANCES:-$(remembered instances 1)}
    [[ $port_base =~ ^[0-9]{4,5}$ && $port_base -ge 1024 && $port_base -le 65000 ]] ||
        usage_error "CHECKOUT_PORT_BASE is '$port_base', but must be a number from 1024 to 65000."
    [[ $instances =~ ^[1-9]$ ]] ||
        usage_error "CHECKOUT_INSTANCES is '$instances', but must be a number from 1 to 9."
    home_set_ports
    [[ $home != *[\'$'\n']* ]] || usage_error "CHECKOUT_HOME may not have quotes or line breaks in it."
    # Connection strings have this in them: nothing that would need quoting.
    socket_dir=$home/socket
    [[ $socket_dir =~ ^[A-Za-z0-9/._-]{1,$SOCKET_DIR_MAX}$ ]] ||
        socket_dir=/tmp/checkout-$(text_hash "$home")
}

# For every command but `up`: the home must be there, and readable.
home_require() {
    home_open
    [[ -d $home ]] || fail "There is no stack in $home." "./checkout up   starts one."
    [[ -r $home/settings ]] ||
        fail "$home belongs to user $(stat -c %U "$home"), or holds no stack." \
            "Run this as that user or as root, or start a stack with ./checkout up."
}

# What a command misses is no wonder where nothing runs: that is told instead.
home_require_running() {
    ! process_gone supervisor || fail "Nothing runs in $home." "./checkout up   starts it."
}

# One launcher at a time changes a home. What is started under it must close descriptor 9.
home_lock() {
    exec 9>> "$home/run/lock"
    own "$home/run/lock"
    flock -w 120 9 || fail "Another ./checkout has been at work on $home for two minutes."
}

home_unlock() {
    exec 9>&-
}

# file_put PATH [MODE [LIST]]: standard input, text, becomes the file in one step. `file_changed` tells
# whether it was another one before. A start comes here more than a hundred times, so as few programs
# as can be are called for it: none where nothing changes. A file that was not there goes into the
# caller's LIST, if it has one, and gets its mode from there, with others.
file_put() {
    local new='' old=''
    IFS= read -r -d '' new || true
    file_changed=false
    if [[ ! -e $1 ]]; then
        # Nobody has it yet, and one that was cut off is not what it should be at the next start.
        printf '%s' "$new" > "$1"
        if [[ $# -eq 3 ]]; then
            local -n list=$3
            list+=("$1")
            file_adopt "$1" 600
        else
            file_adopt "$1" "${2:-600}"
        fi
        return 0
    fi
    IFS= read -r -d '' old < "$1" || true
    if [[ $new != "$old" ]]; then
        printf '%s' "$new" > "$1.new"
        file_install "$1" "${2:-600}"
    fi
}

# file_install PATH MODE: PATH.new takes its place.
file_install() {
    file_adopt "$1.new" "$2"
    mv "$1.new" "$1"
}

# What was written is for its owner alone, so far.
file_adopt() {
    [[ $2 == 600 ]] || chmod "$2" "$1"
    own "$1"
    file_changed=true
}

# file_read PATH: its text without the line's end, if it is there.
file_read() {
    local text=''
    [[ ! -r $1 ]] || IFS= read -r text < "$1" || true
    printf '%s\n' "$text"
}
