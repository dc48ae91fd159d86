# shellcheck shell=bash
# `logs`: what the processes said, oldest first; the logs are rotated by svlogd.

# logs [PROCESS] [-f]
command_logs() {
    local follow=false argument
    local -a names=()
    for argument in "$@"; do
        case $argument in
        -f | --follow) follow=true ;;
        -*) usage_error "logs takes a process and -f, not '$argument'." ;;
        *) names+=("$argument") ;;
        esac
    done
    home_require
    log_names
    local name
    if [[ $follow == true ]]; then
        exec tail -n 20 -F "${names[@]/%//current}"
    fi
    for name in "${names[@]}"; do log_show "$name"; done
}

# Turns the caller's names into directories; all of them when there are none.
log_names() {
    [[ ${#names[@]} -gt 0 ]] || mapfile -t names < <(process_names)
    local name
    for name in "${names[@]}"; do
        # shellcheck disable=SC2046 # words
        [[ -d $home/log/$name ]] || usage_unknown process "$name" $(process_names)
    done
    names=("${names[@]/#/$home/log/}")
}

# Rotated files have names that sort by age.
log_show() {
    [[ ${#names[@]} -eq 1 ]] || printf '==> %s <==\n' "$(basename "$1")"
    local file
    for file in "$1"/@*.[su] "$1"/current; do
        [[ ! -e $file ]] || cat "$file"
    done
}
