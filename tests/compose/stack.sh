#!/usr/bin/env bash
# stack.sh BASE-TAR CLONE KEEP NODE NPMRC: builds the images of the clone, starts docker-compose.yml, tells the
# story there (story.sh) and takes it away again. As root; its last lines are "ok - ..." and "not ok - ...".
# shellcheck disable=SC2317 # much of it is called by way of `step`
set -euo pipefail
umask 022
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
base=$1 clone=$2 keep=$3 node=$4 npmrc=$5
work=$(mktemp -d "${TMPDIR:-/tmp}/compose-XXXXXX")

# ---- podman, with folders of its own --------------------------------------------------------------

# No limit is higher than this shell's, and none than what podman itself is given.
limit() {
    local most
    most=$(ulimit -H "$1")
    if [[ $most == unlimited || $most -gt $2 ]]; then most=$2; fi
    printf '%d:%d' "$most" "$most"
}

configure() {
    mkdir -p "$keep" "$work/run" "$work/networks"
    cat > "$work/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$keep/graph"
runroot = "$work/run"
END
    cat > "$work/containers.conf" <<END
[containers]
cgroupns = "host"
log_driver = "k8s-file"
default_ulimits = ["nofile=$(limit -n 20000)", "nproc=$(limit -u "$(< /proc/sys/kernel/pid_max)")"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$work/tmp"
volume_path = "$keep/volumes"
[network]
network_backend = "netavark"
network_config_dir = "$work/networks"
END
    export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf
    export DOCKER_HOST=unix://$work/podman.sock
}

# ---- images --------------------------------------------------------------------------------------

# What docker-compose.yml names, as it stands there.
default_of() {
    sed -n "s/.*\${$1:-\([^}]*\)}.*/\1/p" "$clone/docker-compose.yml" | head -n 1
}

build() {
    podman build -q --format docker --network host "$@" > "$work/build.log" 2>&1 || {
        tail -n 40 "$work/build.log"
        return 1
    }
}

# Debian as small as its image is: without what only readers need.
import_debian() {
    local root=$work/debian
    mkdir "$root"
    tar -C "$root" --numeric-owner -xf "$base"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/* "$root"/usr/share/{doc,man,info,locale}/*
    printf 'path-exclude /usr/share/%s/*\n' doc man info locale > "$root/etc/dpkg/dpkg.cfg.d/slim"
    tar -C "$root" --numeric-owner -c . |
        podman import -q -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$1"
    rm -rf "$root"
}

# made WHAT FILE...: whether WHAT was made of these files before; what is made of it stays good then.
made() {
    local stamp=$keep/$1 now
    now=$(cat "${@:2}" | sha256sum)
    [[ $(cat "$stamp" 2> /dev/null) != "$now" ]] || return 0
    "make_$1" && printf '%s\n' "$now" > "$stamp"
}

make_debian() {
    import_debian "$(default_of DEBIAN_IMAGE)"
}

make_stand_ins() {
    mkdir -p "$work/context/npm"
    cp "$here"/{Dockerfile,postgres.sh} "$work/context/"
    cp -L "$node" "$work/context/node"
    cp -L /etc/ssl/certs/ca-certificates.crt "$work/context/certificates.pem"
    if [[ -r $npmrc ]]; then cp "$npmrc" "$work/context/npmrc"; else : > "$work/context/npmrc"; fi
    (cd "$work" && npm pack -s npm@10.9.2 > /dev/null && tar -xzf npm-10.9.2.tgz --strip-components=1 -C context/npm) ||
        return
    find "$work/context" -exec touch -h -d 2000-01-01 {} +
    local row
    for row in "node NODE_IMAGE" "postgres POSTGRES_IMAGE" "mosquitto MOSQUITTO_IMAGE" "prometheus PROMETHEUS_IMAGE"; do
        build --build-arg "DEBIAN_IMAGE=$(default_of DEBIAN_IMAGE)" --target "${row% *}" \
            -t "$(default_of "${row#* }")" "$work/context" || return
    done
}

stand_ins() {
    made debian "$base" && made stand_ins "$base" "$here/Dockerfile" "$here/postgres.sh"
}

readonly ours="order-service payment-service voucher-service bank-simulator edge operator broker"

# Files that are the same have the same time too: what was built of them is found again.
our_images() {
    local name
    find "$clone" -exec touch -h -d 2000-01-01 {} +
    for name in $ours; do
        build --target "$name" -t "localhost/checkout/$name:latest" "$clone" || return
    done
}

# ---- what is left of it --------------------------------------------------------------------------

leave() {
    (cd "$clone" && docker-compose -p "$COMPOSE_PROJECT_NAME" down -v --timeout 5) > /dev/null 2>&1 || true
    for process in $(jobs -p); do kill "$process" 2> /dev/null || true; done
    wait
    podman image prune -f > /dev/null 2>&1 || true
    rm -rf --one-file-system "$work" 2> /dev/null || true
}

# Debian's podman has no timer of its own: whoever wants to know how containers are asks.
keep_asking() {
    local id
    while sleep 3; do
        for id in $(podman ps -q); do podman healthcheck run "$id" > /dev/null 2>&1 || true; done
    done
}

# A bridge takes the lowest hardware address among its ports, a new one with each container: those that are there
# send to the address that was, and resolve no name until they have forgotten it. Debian's netavark gives its
# bridges none of their own, so each keeps its first.
keep_addresses() {
    local bridge
    while sleep 0.2; do
        for bridge in $(bridges); do
            [[ $(cat "/sys/class/net/$bridge/addr_assign_type" 2> /dev/null) != "$random_address" ]] ||
                ip link set dev "$bridge" address "$(< "/sys/class/net/$bridge/address")" || true
        done
    done
}

readonly random_address=1

# Of the networks of this run; one that nothing is connected to yet has none.
bridges() {
    sed -n 's/.*"network_interface": *"\([^"]*\)".*/\1/p' "$work"/networks/*.json 2> /dev/null || true
}

# ---- in order ------------------------------------------------------------------------------------

# shellcheck source=tests/compose/steps.sh
source "$here/steps.sh"
configure
export COMPOSE_PROJECT_NAME=checkout-test-$$
trap leave EXIT
trap 'exit 1' INT TERM HUP
step "the images to begin with are there" stand_ins || exit 1
step "every image is built" our_images || exit 1
podman system service --time 0 "$DOCKER_HOST" > "$work/service.log" 2>&1 &
keep_asking &
keep_addresses &
cd "$clone"
# A step that fails is told; those behind it may tell why.
set +e
# shellcheck source=tests/compose/story.sh
source "$here/story.sh"
exit "$failed"
