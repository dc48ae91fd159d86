#!/usr/bin/env bash
# machine.sh TAR CLONE NPMRC root|user PORT-BASE TEST...: unpacks a minimal Debian, puts the clone
# into it and tells the story there. As root; its last lines are "ok - ..." and "not ok - ...".
#
# Processes and mounts are in namespaces of their own: when this ends, however it does, so do they.
set -euo pipefail
umask 022
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
tar=$1 clone=$2 npmrc=$3 who=$4 port_base=$5
shift 5
root=$(mktemp -d "${TMPDIR:-/tmp}/bare-XXXXXX")
machine=

# With the one that entered, everything inside is gone; it takes a moment to let go of its files.
leave() {
    local tries=0
    [[ -z $machine ]] || kill -KILL "$machine" 2> /dev/null || true
    until rm -rf --one-file-system "$root" 2> /dev/null || ((++tries == 100)); do sleep 0.1; done
}
trap leave EXIT

if [[ $who == root ]]; then home=/root; else home=/home/$who; fi

# What this machine knows of the network and whom it trusts.
hand_in() {
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    cp -rL /usr/local/share/ca-certificates "$root/usr/local/share/"
    [[ ! -r $npmrc ]] || cp "$npmrc" "$root$home/.npmrc"
    [[ ! -r /etc/npmrc ]] || cp /etc/npmrc "$root/etc/npmrc"
}

make_user() {
    chroot "$root" useradd --create-home --shell /bin/bash "$who"
    echo "$who ALL=(ALL) NOPASSWD: ALL" > "$root/etc/sudoers.d/$who"
}

# What leads to a mirror, and nothing else of this environment.
environment=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "HOME=$home"
    "LANG=C.UTF-8" "CHECKOUT_PORT_BASE=$port_base")
for name in {http,https,no}_proxy {HTTP,HTTPS,NO}_PROXY; do
    [[ -z ${!name:-} ]] || environment+=("$name=${!name}")
done
# Node trusts its own list of authorities; the system's holds this machine's too.
environment+=("NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt")

tar -C "$root" --numeric-owner -xf "$tar"
[[ $who == root ]] || make_user
hand_in
cp -r "$clone" "$root$home/checkout"
cp "$here/story.sh" "$root/story.sh"
chroot "$root" chown -R "$who:" "$home"

# In the new mounts: what every machine has.
# shellcheck disable=SC2016 # the inner shell's
unshare --mount --pid --ipc --uts --fork --kill-child --propagation private bash -c '
    set -e
    root=$1 who=$2
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    exec chroot "$root" env -i "${@:3}"
' - "$root" "$who" "${environment[@]}" setpriv --reuid="$who" --regid="$who" --init-groups \
    bash /story.sh "$who" "$@" < /dev/null &
machine=$!
# Who enters shields itself from signals.
trap 'exit 1' INT TERM HUP
wait "$machine"
