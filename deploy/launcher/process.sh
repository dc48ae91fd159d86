# shellcheck shell=bash
# Processes: everything that runs is a runit service of this home. A process's definition is
# process/<name>/ (run, finish, env/, log/); runsvdir looks after the links in service/.
#
# Each process, its log included, records its id and start time in run/<name>.pid (the file `record`
# beside this one) before it becomes what it is.

readonly LOG_BYTES_MAX=10000000
readonly LOG_FILES_MAX=5
readonly STOP_SECONDS=12

# Of each process that was started: how long its log was before.
declare -A log_marks=()

process_names() {
    local link
    for link in "$home"/service/*; do
        [[ ! -L $link ]] || printf '%s\n' "${link##*/}"
    done
}

# process_define NAME STOP-SIGNAL: standard input is the shell text that ends in exec. Sets
# `process_changed` if a running process must be started anew to be what is defined.
process_define() {
    process_write "$@"
    own "$home/bin/record" "$home/process/$1" "$home/log/$1"
    [[ -L $home/service/$1 ]] || ln -s "../process/$1" "$home/service/$1"
}

process_write() {
    local dir=$home/process/$1 body='' owning_later=true
    local -a made=()
    IFS= read -r -d '' body || true
    [[ -d $dir/control && -d $dir/env ]] || mkdir -p "$dir/log" "$dir/env" "$dir/control" "$home/log/$1"
    file_put "$home/bin/record" < "$top/deploy/launcher/record"
    file_put "$dir/run" 700 made <<EOF
#!/bin/sh
exec 2>&1
umask 077
set -- '$home/run/$1.pid' $2
. '$home/bin/record'
$body
EOF
    process_changed=$file_changed
    file_put "$dir/finish" 700 made < "$top/deploy/launcher/finish"
    file_put "$dir/control/t" 700 made <<EOF
#!/bin/sh
kill -$2 "\$(cat supervise/pid)"
EOF
    file_put "$dir/log/run" 700 made <<EOF
#!/bin/sh
set -- '$home/run/$1.log.pid' TERM
. '$home/bin/record'
exec svlogd -l 8192 -b 16384 '$home/log/$1'
EOF
    [[ ${#made[@]} -eq 0 ]] || chmod 700 "${made[@]}"
    file_put "$home/log/$1/config" <<< "s$LOG_BYTES_MAX"$'\n'"n$LOG_FILES_MAX"
    file_put "$dir/signal" <<< "$2"
    [[ -L $home/service/$1 ]] || : >> "$dir/down"
}

process_remove() {
    ! process_supervised "$1" || process_stop "$1"
    rm "$home/service/$1"
    sv exit "$home/process/$1" > /dev/null 2>&1 || true
}

# recorded NAME: the id of the process that run/<name>.pid means, if it lives.
recorded() {
    local id started
    local -a stat
    read -r id started 2> /dev/null < "$home/run/$1.pid" || return 1
    # None of our programs has a blank in its name, so the fields of stat are words.
    read -r -a stat 2> /dev/null < "/proc/$id/stat" || return 1
    # What died and waits for its parent is not running.
    [[ ${stat[21]} == "$started" && ${stat[2]} != Z ]] || return 1
    printf '%s\n' "$id"
}

# The program runs: the process is past its shell.
process_running() {
    recorded "$1" > /dev/null
}

process_gone() {
    ! recorded "$1" > /dev/null
}

# It is the one that its supervisor started, not a predecessor that is about to be ended.
process_is_own() {
    local id
    id=$(recorded "$1") && [[ $id == "$(file_read "$home/service/$1/supervise/pid")" ]]
}

# A supervisor answers for it; of several, for one of them.
process_supervised() {
    [[ $'\n'$(sv status "${@/#/$home/service/}" 2> /dev/null) =~ $'\n'(run|down|finish): ]]
}

# Ends every runsv, with what it runs.
supervisors_end() {
    local name
    local -a names
    mapfile -t names < <(process_names)
    ((${#names[@]} > 0)) || return 0
    # Nothing starts by itself: the launcher has an order.
    for name in "${names[@]}"; do : >> "$home/service/$name/down"; done
    sv exit "${names[@]/#/$home/service/}" > /dev/null 2>&1 || true
    wait_until "$STOP_SECONDS" process_unsupervised "${names[@]}" || fail "A runsv in $home/service does not end."
    for name in "${names[@]}"; do
        process_kill "$name"
        process_kill "$name.log"
    done
}

# Starts runsvdir, detached from this shell and its terminal. A runsv that outlived its runsvdir is
# told to go first, with what it runs: two supervisors for one process would fight.
supervisor_start() {
    if recorded supervisor > /dev/null; then return 0; fi
    supervisors_end
    # runsvdir waits for a second where its directory is as new as itself.
    touch -d '-5 seconds' "$home/service"
    : >> "$home/log/supervisor.log"
    own "$home/log/supervisor.log"
    (
        cd /
        close_inherited_files
        # shellcheck disable=SC2016 # expanded by the shell that it starts
        exec_as_owner env -i PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin HOME="$home" LC_ALL=C.UTF-8 TZ=UTC setsid sh -c '
            echo "$$ $(cut -d" " -f22 /proc/$$/stat)" > "$HOME/run/supervisor.pid"
            exec runsvdir -P "$HOME/service"' < /dev/null >> "$home/log/supervisor.log" 2>&1 &
    )
    wait_until 5 process_running supervisor || fail "runsvdir did not start." \
        "See $home/log/supervisor.log"
}

# The home's lock among them, and whatever our caller waits on.
close_inherited_files() {
    local file
    for file in /proc/self/fd/*; do
        file=${file##*/}
        ((file <= 2)) || eval "exec $file>&-"
    done
}

# process_start NAME: under its supervisor, once only with --no-restart. What it is to do goes straight
# to the supervisor: `sv up` says nothing to one that wants the process up as far as is known, even if
# an order to stop it, given while it had a pause between two crashes, is still to be read.
process_start() {
    wait_until 8 process_supervised "$1" || fail "runsv does not look after $1." \
        "See $home/log/supervisor.log"
    local dir=$home/service/$1
    process_running "$1" || rm -f "$dir/crashes"
    log_marks["$1"]=$(stat -c %s "$home/log/$1/current" 2> /dev/null || echo 0)
    if [[ ${no_restart:-false} == true ]]; then
        : >> "$dir/down"
        printf o 1<> "$dir/supervise/control"
    else
        rm -f "$dir/down"
        printf u 1<> "$dir/supervise/control"
    fi
}

# process_stop NAME...: all of them at a time, each with its signal; what does not go is killed.
process_stop() {
    local name
    for name in "$@"; do : >> "$home/service/$name/down"; done
    sv -w "$STOP_SECONDS" force-stop "${@/#/$home/service/}" > /dev/null 2>&1 || true
    for name in "$@"; do process_kill "$name"; done
}

# Ends a recorded process that nobody supervises any more.
process_kill() {
    local id
    id=$(recorded "$1") || return 0
    kill -s "$(cat "$home/process/$1/signal" 2> /dev/null || echo TERM)" "$id" 2> /dev/null || true
    kill -CONT "$id" 2> /dev/null || true
    if ! wait_until "$STOP_SECONDS" process_gone "$1" && id=$(recorded "$1"); then
        kill -KILL "$id" 2> /dev/null || true
        wait_until 5 process_gone "$1" || fail "Process $id ($1) does not end."
    fi
}

# Ends runsvdir, and the runsv and logs below it.
supervisor_stop() {
    local id
    if id=$(recorded supervisor); then
        kill -HUP "$id" 2> /dev/null || true
        wait_until 10 process_gone supervisor || kill -KILL "$id" 2> /dev/null || true
    fi
    supervisors_end
    rm -f "$home"/run/*.pid
}

process_unsupervised() {
    ! process_supervised "$@"
}

# process_wait NAME SECONDS COMMAND...: until the command says that it is ready. Ends the launcher
# when it does not get so far.
process_wait() {
    local -i deadline=$((EPOCHSECONDS + $2))
    local crashes code
    step "Waiting for $1, for $2 s at most"
    until process_is_own "$1" && "${@:3}"; do
        read -r crashes code 2> /dev/null < "$home/service/$1/crashes" || crashes=0
        # A bad setting does not mend itself, and what runs once only does not come again.
        if ((crashes > 0)) && [[ $code == 2 || ${no_restart:-false} == true ]]; then
            process_complain "$1" "$code"
        fi
        ((EPOCHSECONDS < deadline)) || process_complain "$1"
        sleep 0.05
    done
    step_end
}

# process_complain NAME [EXIT CODE]: why it does not run, as far as its log tells; ends the launcher.
process_complain() {
    local said
    step_end
    # What it says on its way out may be on its way to the log.
    wait_until 1 process_has_said "$1" || true
    said=$(process_said "$1" | tail -n 12)
    [[ ${2:-} != 2 || -z $said ]] ||
        fail "$1 can not start like this:" "$said" "Change the setting, and start again."
    fail "$1 does not become ready. The end of its log:" "$said" \
        "" "./checkout logs $1   shows all of it."
}

process_has_said() {
    [[ -n $(process_said "$1") ]]
}

# Since it was started; a log that is shorter than it was has begun anew.
process_said() {
    local log=$home/log/$1/current
    local -i mark=${log_marks[$1]:-0}
    (($(stat -c %s "$log" 2> /dev/null || echo 0) >= mark)) || mark=0
    tail -c +$((mark + 1)) "$log" 2> /dev/null || true
}
