# shellcheck shell=bash
# Steps: what takes its time says so, on standard error and as plain lines, wherever that leads.

readonly STEP_PATIENCE_MS=1500 # for which a step goes without saying
readonly STEP_EVERY_MS=10000   # ... and how often it is told after that

# step WORDS: what is done from now on, until the next step, step_end or the launcher's end. Whoever
# tells of it reads from a pipe that closes with the launcher, however that ends.
step() {
    step_end
    exec {step_pipe}> >(step_tell "$1")
    step_teller=$!
}

# step_note WORDS: the same step, and how far it is.
step_note() {
    [[ -z ${step_pipe:-} ]] || printf '%s\n' "$1" >&"$step_pipe"
}

# Before anything is started that outlives the step, and before this shell becomes something else.
step_end() {
    [[ -n ${step_pipe:-} ]] || return 0
    exec {step_pipe}>&-
    step_pipe=''
    wait "$step_teller" 2> /dev/null || true
}

# Standard input has other words for it, a line each, and ends with it.
step_tell() {
    local words=$1 told='' line pause
    local -i began_ms=${EPOCHREALTIME/./}/1000 next_ms now_ms status
    next_ms=$((began_ms + STEP_PATIENCE_MS))
    while true; do
        now_ms=${EPOCHREALTIME/./}/1000
        if ((now_ms >= next_ms)); then
            say "$words ...$told"
            printf -v told ' (%d s)' $(((next_ms + STEP_EVERY_MS - began_ms) / 1000))
            next_ms=$((now_ms + STEP_EVERY_MS))
        fi
        printf -v pause '%d.%03d' $(((next_ms - now_ms) / 1000)) $(((next_ms - now_ms) % 1000))
        status=0
        IFS= read -r -t "$pause" line || status=$?
        if ((status == 0)); then
            words=$line
        elif ((status <= 128)); then
            return 0 # the pipe was closed: it is over
        fi
    done
}
