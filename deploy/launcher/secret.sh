# shellcheck shell=bash
# Secrets: one file each under the home, made once. They go through files and pipes, never through
# an argument or a shell trace: the process list is public.

# Letters and digits only, so that they need no quoting anywhere; 43 carry 256 bits.
secret_random() {
    head -c 256 /dev/urandom | base64 -w0 | tr -d '+/=' | cut -c1-43
}

# secret_make NAME: makes it unless it is there. secrets/NAME holds one line.
secret_make() {
    local file=$home/secrets/$1
    [[ ! -s $file ]] || return 0
    secret_random | file_put "$file"
}

secret_read() {
    [[ -s $home/secrets/$1 ]] ||
        fail "The secret $1 is not in $home/secrets." "./checkout up   makes what is missing."
    file_read "$home/secrets/$1"
}
