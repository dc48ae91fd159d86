# shellcheck shell=bash
# The broker: mosquitto's configuration, who may log in, and what each may read and write.

broker_port() {
    echo $((port_base + 6))
}

broker_websocket_port() {
    echo $((port_base + 7))
}

# The services' own users, as the ACL names them.
broker_services() {
    sed -n 's/^user //p' "$top/deploy/broker/services.acl"
}

broker_define() {
    mkdir -p "$home/broker"
    own "$home/broker"
    {
        cat "$top/deploy/broker/mosquitto.conf"
        printf '\nlistener %s 127.0.0.1\n' "$(broker_port)"
        printf '\nlistener %s 127.0.0.1\nprotocol websockets\n' "$(broker_websocket_port)"
        printf '\npassword_file %s\nacl_file %s\n' "$home/broker/passwords" "$home/broker/acl"
        printf 'persistence_location %s/\n' "$home/broker/data"
    } | file_put "$home/broker/mosquitto.conf"
    process_define broker TERM <<EOF
# $(sha256sum < "$home/broker/mosquitto.conf" | cut -c1-16)
mkdir -p '$home/broker/data'
exec /usr/sbin/mosquitto -c '$home/broker/mosquitto.conf'
EOF
}

# Is there something that accepts connections on this port of loopback?
port_open() {
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

broker_ready() {
    process_running broker && port_open "$(broker_port)" && port_open "$(broker_websocket_port)"
}

# Who may log in: the services, and every API key that may read events. A key's password is known
# here only while it is made, so the lines of the others are kept as they are.
#
# broker_put_users: standard input has "user:password" lines of the users that are new or changed.
broker_put_users() {
    local passwords=$home/broker/passwords new=$home/broker/passwords.users
    cat > "$new"
    # It fails on an empty file.
    [[ ! -s $new ]] || mosquitto_passwd -U "$new"
    touch "$passwords"
    broker_acl | file_put "$home/broker/acl"
    # The new line of a user comes first and wins; who is not in the ACL any more has none.
    awk -F: 'FILENAME == ARGV[1] { if (sub(/^user /, "")) allowed[$0]; next }
             $1 in allowed && !seen[$1]++' "$home/broker/acl" "$new" "$passwords" |
        file_put "$passwords"
    rm "$new"
    broker_reload
}

broker_acl() {
    cat "$top/deploy/broker/services.acl"
    database_query access "
        SELECT format(E'\nuser %s\ntopic read checkout/v1/%s#', id, coalesce(merchant_id || '/', ''))
        FROM api_keys
        WHERE revoked_at IS NULL AND 'events:read' = ANY (scopes)
        ORDER BY id"
}

# The users whose passwords are in the home, at every start; nothing to do if they are as they were.
broker_put_known_users() {
    local stamp=$home/broker/passwords.stamp users
    users=$(broker_known_users)
    broker_acl | file_put "$home/broker/acl.now"
    file_put "$stamp" <<< "$(sha256sum <<< "$users" | cut -c1-64)"
    if [[ $file_changed == true || ! -s $home/broker/passwords ]] ||
        ! cmp -s "$home/broker/acl.now" "$home/broker/acl"; then
        broker_put_users <<< "$users"
    fi
    rm "$home/broker/acl.now"
}

broker_known_users() {
    local user name
    for user in $(broker_services); do
        printf '%s:%s\n' "$user" "$(secret_read "broker-$user")"
    done
    for name in "${own_keys[@]}"; do
        printf '%s:%s\n' "$name" "$(key_secret "$(secret_read "key-$name")")"
    done
}

# Connections of users that are gone are dropped; the others stay.
broker_reload() {
    ! process_running broker || kill -HUP "$(recorded broker)"
}
