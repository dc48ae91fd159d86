# shellcheck shell=bash
# `backup` and `restore`: all that a home knows. The databases are copied together, by PostgreSQL
# itself while it works, and stand at one moment: a service's position in another's log would be
# wrong beside a log of another moment. With them goes what they are useless without: the secrets,
# and the logins to the broker. What is made anew at every start stays out.

# Beside the databases.
readonly backup_parts=(secrets tls reports broker/passwords settings)

command_backup() {
    [[ $# -eq 1 && -n $1 && $1 != -* ]] ||
        usage_error "backup takes a directory, which must not exist yet."
    local to
    to=$(realpath -m -- "$1")
    backup_check "$to"
    postgres_require
    home_lock
    (umask 022 && mkdir -p "$(dirname "$to")")
    mkdir "$to.unfinished"
    step "Copying the databases"
    backup_databases "$to.unfinished" ||
        fail "PostgreSQL could not be copied; its messages are above." \
            "rm -r $to.unfinished   removes what there is of it."
    backup_files "$to.unfinished"
    # A name that is right means that all of it is on the disk.
    sync -f "$to.unfinished"
    mv "$to.unfinished" "$to"
    step_end
    say "The backup is $to: $(du -sh "$to" | cut -f1). It has secrets in it."
    say "  ./checkout restore $to   makes a home of it, where there is none."
}

backup_check() {
    [[ ! -e $1 ]] || fail "$1 is there already." "Name a directory that does not exist yet."
    [[ ! -e $1.unfinished ]] || fail "$1.unfinished is left of a backup that was cut off." \
        "Remove it, and start again."
}

# Not every home has reports; without the others it would be none.
backup_files() {
    local part
    for part in "${backup_parts[@]}"; do
        [[ $part != reports || -e $home/$part ]] || continue
        (cd "$home" && cp -a --parents "$part" "$1") || fail "$home/$part could not be copied." \
            "rm -r $1   removes what there is of the backup."
    done
}

# With the log that brings them to one moment; on the disk when this is done.
backup_databases() {
    postgres_find
    PGPASSFILE=$home/secrets/pgpass "$postgres_bin/pg_basebackup" -D "$1/postgres" -X stream -c fast \
        -h "$socket_dir" -p "$postgres_port" -U postgres
}

command_restore() {
    local from='' install=true argument
    for argument in "$@"; do
        case $argument in
        --no-install) install=false ;;
        -*) usage_error "restore takes a backup and --no-install, not '$argument'." ;;
        *) from=$argument ;;
        esac
    done
    [[ -n $from ]] || usage_error "restore takes a directory that backup made."
    from=$(realpath -m -- "$from")
    restore_check "$from"
    if [[ $install == true ]]; then
        install_for up
        home_open
    fi
    restore_verify "$from"
    restore_copy "$from"
    say "$home is as it was. What was written later is not in it."
    say "  ./checkout up   starts it."
}

restore_check() {
    [[ -r $1/settings && -r $1/postgres/backup_manifest ]] ||
        fail "$1 is no backup, or can not be read." "./checkout backup DIR   makes one."
    home_open
    [[ ! -e $home || -z $(ls -A "$home") ]] || fail "There is something in $home." \
        "Stop it and move it away (./checkout down, mv $home $home.lost)," \
        "or set CHECKOUT_HOME to another place."
}

# Every file is what it was, and of a PostgreSQL that is here.
restore_verify() {
    local version
    version=$(file_read "$1/postgres/PG_VERSION")
    local bin=/usr/lib/postgresql/$version/bin
    [[ -x $bin/postgres ]] || fail "The backup is of PostgreSQL $version, which is not here." \
        "apt-get install postgresql-$version   brings it, where Debian has it."
    step "Checking the backup"
    "$bin/pg_verifybackup" -q "$1/postgres" ||
        fail "The backup is damaged: see above." "Take another one."
}

# Into a directory beside it: a home that is there is whole.
restore_copy() {
    step "Copying the backup"
    (umask 022 && mkdir -p "$(dirname "$home")")
    rm -rf "$home.restored"
    cp -a "$1" "$home.restored"
    own "$home.restored"
    sync -f "$home.restored"
    [[ ! -e $home ]] || rmdir "$home"
    mv "$home.restored" "$home"
    step_end
}
