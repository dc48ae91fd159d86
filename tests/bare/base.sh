#!/usr/bin/env bash
# base.sh RELEASE TAR: makes a minimal Debian, ready to be entered, from this machine's own mirror. As
# root.
set -euo pipefail
umask 022
release=$1 tar=$2
root=$(mktemp -d "${TMPDIR:-/tmp}/base-XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT

# shellcheck disable=SC2016 # apt's own variables
# This machine's sources of the release, as lines of a sources.list; none if it is another Debian.
sources() {
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' | grep -E " $release(-[a-z]+)? " | sort -u || true
}

# How this machine gets there: proxies, what it checks, how often it tries.
ways() {
    apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv|Languages)' |
        grep -v ' "";$' || true
}

apt-get -q update
mirror=$(sources | sed -n "s/^deb \([^ ]*\) $release main$/\1/p" | head -n 1)
# A user of the story needs sudo; a mirror by https needs certificates before they can be installed.
packages=sudo
[[ $mirror != https:* ]] || packages+=,ca-certificates
chmod 755 "$root"
debootstrap --variant=minbase --include="$packages" "$release" "$root" ${mirror:+"$mirror"}
if [[ -n $mirror ]]; then sources > "$root/etc/apt/sources.list"; fi
ways > "$root/etc/apt/apt.conf.d/90machine"
# Nobody needs this disk after a loss of power.
echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/90machine"
rm -rf "$root"/var/cache/apt/archives/*.deb
tar -C "$root" --numeric-owner -cf "$tar.new" .
mv "$tar.new" "$tar"
