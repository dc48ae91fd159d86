# shellcheck shell=bash
# Secrets: one file each under the home, made once. They go through files and pipes, never through
# an argument or a shell trace: the process list is public.

# What secrets are spelled with: nothing that would need quoting anywhere.
readonly SECRET_LETTERS=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789
readonly SECRET_LENGTH=43 # of which 43 letters and digits carry 256 bits

# random_word LENGTH ALPHABET: sets `word`. The letters come from the system's generator, by way of
# SRANDOM: no program is called, so none can be seen with it.
random_word() {
    local -i length=$1 size=${#2}
    word=''
    while ((${#word} < length)); do word+=${2:SRANDOM % size:1}; done
}

secret_random() {
    local word
    random_word "$SECRET_LENGTH" "$SECRET_LETTERS"
    printf '%s\n' "$word"
}

# secret_make NAME: makes it unless it is there. secrets/NAME holds one line.
secret_make() {
    local file=$home/secrets/$1
    [[ ! -s $file ]] || return 0
    local word
    random_word "$SECRET_LENGTH" "$SECRET_LETTERS"
    file_put "$file" <<< "$word"
}

# All that a stack has; what is there stays.
secrets_make() {
    local name
    databases_make_secrets
    for name in $(broker_services); do secret_make "broker-$name"; done
    keys_make_secrets
    bank_make_secrets
}

secret_read() {
    local secret
    secret_load "$1"
    printf '%s\n' "$secret"
}

# secret_load NAME: sets `secret`.
secret_load() {
    [[ -s $home/secrets/$1 ]] || secret_missing "$1"
    read -r secret < "$home/secrets/$1"
}

secret_missing() {
    home_require_running
    fail "The secret $1 is not in $home/secrets." "./checkout up   makes what is missing."
}
