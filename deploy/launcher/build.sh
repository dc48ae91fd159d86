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

# build [MESON OPTION...]: the options count when the directory is new. One at a time per directory.
build() (
    umask 022
    dir=$(build_dir)
    mkdir -p "$dir"
    exec 8< "$dir"
    flock 8
    [[ -e $dir/build.ninja ]] || say "Building into $dir."
    step "Building"
    if ! output=$(build_quietly "$@" 2>&1 | build_follow); then
        step_end
        printf '%s\n' "$output" >&2
        fail "The build failed; its messages are above." "Mend it, and run this again." \
            "./checkout up --no-build   starts what was built before."
    fi
    step_end
)

# Lets through what is said of a build, but not ninja's "[37/249] ..."; the step tells of those.
build_follow() {
    local line
    while IFS= read -r line; do
        if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\  ]]; then
            step_note "Building: ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
        else
            printf '%s\n' "$line"
        fi
    done
}
