# shellcheck shell=bash
# `test compose`: docker-compose.yml, built and started. Debian's podman does what a Docker daemon does, with
# folders of its own for all that it keeps, so that nothing else on this machine is seen or changed; and
# what the images begin with is made of Debian's packages where no registry of images is reached. Images
# are kept for the next time.

readonly packages_to_compose=(podman runc netavark aardvark-dns iptables iproute2 docker-compose debootstrap)

# What tells, and how, is in tests/compose.
suite_compose() {
    local base clone=$stage/compose status=0 report=$stage/report
    base=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/checkout/bare-$bare_release.tar
    packages_install "${packages_to_compose[@]}"
    npm_install tests all
    bare_make_base || { suite_fail "making a bare machine"; return; }
    bare_make_clone || { suite_fail "cloning the project"; return; }
    as_root env "TMPDIR=$stage" "TEST_SLOWDOWN=$TEST_SLOWDOWN" bash "$top/tests/compose/stack.sh" "$base" "$clone" "$(compose_keep)" \
        "$top/tests/node_modules/node/bin/node" "${HOME:-}/.npmrc" < /dev/null 2>&1 | tee "$report" || status=$?
    suite_count "$(grep -c '^ok - ' "$report" || true)" \
        "$(grep -c '^not ok - ' "$report" || true)" "$status"
    grep '^not ok - ' "$report" >> "$stage/failures" || true
    rm -rf "$clone" "$report"
}

# Where images are kept.
compose_keep() {
    printf '%s/checkout/containers\n' "${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}"
}
