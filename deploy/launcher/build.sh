# shellcheck shell=bash
# Build: meson and ninja into build/, or the directory that CHECKOUT_BUILD names.

build_dir() {
    case ${CHECKOUT_BUILD:-build} in
    /*) printf '%s\n' "$CHECKOUT_BUILD" ;;
    *) printf '%s\n' "$top/${CHECKOUT_BUILD:-build}" ;;
    esac
}

# What is built; everything, when none are named.
build_targets=()

build_quietly() {
    [[ -e $dir/build.ninja ]] || meson setup "$dir" "$top" "$@" || return 1
    ninja -C "$dir" "${build_targets[@]}"
}

# build [MESON OPTION...]: the options count when the directory is new. One at a time per checkout.
build() (
    umask 022
    dir=$(build_dir)
    exec 8< "$top"
    flock 8
    [[ -e $dir/build.ninja ]] || say "Building into $dir."
    if ! output=$(build_quietly "$@" 2>&1); then
        printf '%s\n' "$output" >&2
        fail "The build failed; its messages are above."
    fi
)
