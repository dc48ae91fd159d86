# shellcheck shell=bash
# Programs of ours: a copy of what was built, and a process that is told its settings through its
# environment.

# Settings that the launcher decides. All others that a program knows are passed on from the
# launcher's own environment; ORDER_SERVICE_<NAME> passes any NAME to the order-service alone.
readonly decided_settings=" PORT HEALTH_PORT INSTANCE DATABASE_URL ACCESS_DATABASE_URL MQTT_HOST \
MQTT_PORT MQTT_USERNAME MQTT_PASSWORD TRUSTED_PROXIES ORDER_URL PAYMENT_URL VOUCHER_URL SERVICE_KEY \
PAYMENT_KEY BANK_KEY CONTROL_KEY WEBHOOK_SECRET WEBHOOK_URL PUBLIC_URL "

# program_copy NAME FOLDER: the processes run a copy: a build does not change what runs, and user
# postgres may not be able to read the checkout. `program_changed` remembers those that are new.
program_copy() {
    local built
    built=$(build_dir)/$2/$1
    [[ -x $built ]] || fail "$built is not there." "./checkout up   builds it."
    if ! cmp -s "$built" "$home/bin/$1"; then
        cp "$built" "$home/bin/$1.new"
        file_install "$home/bin/$1" 755
        program_changed["$1"]=true
    fi
}

# program_define PROCESS NAME COMMAND...: the process that runs the program, with the settings that the
# command prints; `restarts` collects those that run and are not what they should be.
program_define() {
    local env=$home/process/$1/env stamp
    [[ ! -e $env.new ]] || rm -rf "$env.new"
    mkdir -p "$env" "$env.new"
    program_write_settings "$env.new" "${@:2}"
    stamp=$(program_stamp "$env.new")
    process_define "$1" TERM <<EOF
# settings ${stamp:0:16}
ulimit -c 0
ulimit -n "\$(ulimit -H -n)"
exec chpst -e ./env '$home/bin/$2'
EOF
    rm -rf "$env"
    mv "$env.new" "$env"
    own "$env"
    if [[ $process_changed == true || ${program_changed[$2]:-} == true ]]; then
        restarts+=("$1")
    fi
}

# Changes with the settings, and with the one file among them that people edit.
program_stamp() {
    cd "$1" || exit
    {
        sha256sum -- *
        [[ ! -s GATEWAYS_FILE ]] || cat "$(< GATEWAYS_FILE)" 2> /dev/null || true
    } | sha256sum
}

# program_write_settings DIRECTORY NAME COMMAND...: one file per variable. Secrets go in as the names
# of files.
program_write_settings() {
    (
        cd "$1" || exit
        program_pass_settings "$2"
        "${@:3}" | while IFS='=' read -r name value; do
            printf '%s\n' "$value" > "$name"
        done
        program_pass_own_settings "$2"
    )
}

# What `<program> --settings` names, as far as it is set here and not the launcher's to say; and what
# the sanitizers listen to.
program_pass_settings() {
    local setting name value
    for setting in $(program_setting_names "$1") {A,UB,L,T}SAN_OPTIONS; do
        [[ $decided_settings != *" $setting "* ]] || continue
        for name in "$setting" "${setting}_FILE"; do
            value=${!name:-}
            [[ -z $value ]] || program_setting "$value" > "$name"
        done
    done
}

program_setting_names() {
    local name rest
    "$home/bin/$1" --settings 2> /dev/null | while read -r name rest; do printf '%s\n' "$name"; done
}

# ORDER_SERVICE_X=y here is X=y for the order-service.
program_pass_own_settings() {
    local prefix name
    prefix=$(upper "$1")_
    for name in $(compgen -e "$prefix" || true); do
        rm -f "${name#"$prefix"}_FILE"
        program_setting "${!name}" > "${name#"$prefix"}"
    done
}

# A value is one line for chpst; what may have several is JSON, to which it is the same.
program_setting() {
    printf '%s\n' "${1//$'\n'/ }"
}

# http_is_ok PORT PATH: a process of ours answers 200.
http_is_ok() {
    local answer
    answer=$(http_get "$@")
    [[ ${answer##*$'\n'} == 200 ]]
}

# http_get PORT PATH: of a process of ours; the status code on the last line.
http_get() {
    curl -q -sS -m 2 --noproxy '*' -w '\n%{http_code}\n' "http://127.0.0.1:$1$2" 2> /dev/null || true
}
