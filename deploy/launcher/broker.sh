# shellcheck shell=bash
# The broker: mosquitto's configuration, who may log in, and what each may read and write.

# The services' own users, as the ACL names them.
broker_services() {
    sed -n 's/^user //p' "$top/deploy/broker/services.acl"
}

broker_define() {
    mkdir -p "$home/broker"
    own "$home/broker"
    {
        cat "$top/deploy/broker/mosquitto.conf"
        printf '\nlistener %s 127.0.0.1\n' "$broker_port"
        printf '\nlistener %s 127.0.0.1\nprotocol websockets\n' "$broker_websocket_port"
        broker_tls_listener
        printf '\npassword_file %s\nacl_file %s\n' "$home/broker/passwords" "$home/broker/acl"
        printf 'persistence_location %s/\n' "$home/broker/data"
    } | file_put "$home/broker/mosquitto.conf"
    local stamp
    stamp_of "$home/broker/mosquitto.conf"
    process_define broker TERM <<EOF
# $stamp
ulimit -c 0
mkdir -p '$home/broker/data'
exec /usr/sbin/mosquitto -c '$home/broker/mosquitto.conf'
EOF
}

# With the certificate of the edge, where clients of the edge are.
broker_tls_listener() {
    printf '\nlistener %s %s\n' "$mqtts_port" "${EDGE_ADDRESS:-127.0.0.1}"
    printf 'certfile %s\nkeyfile %s\n' "$home/tls/certificate.pem" "$home/tls/key.pem"
    printf 'tls_version tlsv1.2\nciphers ECDHE+AESGCM:ECDHE+CHACHA20\n'
}

# Is there something that accepts connections on this port of loopback?
port_open() {
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# ports_taken PORT...: prints those that nobody else could listen on. One that is only held, by a client
# or without listening, counts as taken.
ports_taken() {
    local port
    for port in "$@"; do ! port_open "$port" || printf '%s\n' "$port"; done
    ! command -v perl > /dev/null || perl -MIO::Socket::INET -e '
        for (@ARGV) {
            print "$_\n" unless
                IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $_, Listen => 1, ReuseAddr => 1)
        }' "$@"
}

broker_ready() {
    process_running broker && port_open "$broker_port" && port_open "$broker_websocket_port"
}

# Who may log in: the services, and every API key that may read events. A key's password is known
# here only while it is made, so the lines of the others are kept as they are.
#
# broker/stamp is there while the broker knows what these files and the database say; what is killed
# in between leaves none, and the next start does it all again.

# broker_put_passwords: standard input has "user:password" lines; the newest line of a user counts.
# Who is in no ACL can do nothing with it, so this may go before everything else.
broker_put_passwords() {
    local passwords=$home/broker/passwords new=$home/broker/passwords.users
    rm -f "$home/broker/stamp"
    cat > "$new"
    mosquitto_passwd -U "$new"
    touch "$passwords"
    cat "$new" "$passwords" | file_put "$passwords"
    rm "$new"
}

# Gives the broker everybody who is in the database, and nobody else.
broker_put_users() {
    local passwords=$home/broker/passwords
    rm -f "$home/broker/stamp"
    broker_acl | file_put "$home/broker/acl"
    # Who is not in the ACL any more has no line.
    awk -F: 'FILENAME == ARGV[1] { if (sub(/^user /, "")) allowed[$0]; next }
             $1 in allowed && !seen[$1]++' "$home/broker/acl" "$passwords" |
        file_put "$passwords"
    broker_reload
    broker_stamp "$(< "$home/broker/acl")" | file_put "$home/broker/stamp"
}

broker_acl() {
    cat "$top/deploy/broker/services.acl"
    database_query access "
        SELECT format(E'\nuser %s\ntopic read checkout/v1/%s#', id, coalesce(merchant_id || '/', ''))
        FROM api_keys
        WHERE revoked_at IS NULL AND 'events:read' = ANY (scopes)
        ORDER BY id"
}

# broker_stamp ACL
broker_stamp() {
    { broker_known_users && printf '%s\n' "$1"; } | sha256sum
}

# At every start; nothing to do if all is as it was.
broker_put_known_users() {
    local acl
    acl=$(broker_acl)
    if [[ ! -s $home/broker/passwords || $(file_read "$home/broker/stamp") != "$(broker_stamp "$acl")" ||
        $(cat "$home/broker/acl") != "$acl" ]]; then
        broker_known_users | broker_put_passwords
        broker_put_users
    fi
}

# The users whose passwords are in the home.
broker_known_users() {
    local user name key
    for user in $(broker_services); do
        printf '%s:%s\n' "$user" "$(secret_read "broker-$user")"
    done
    for name in $(own_keys); do
        key=$(secret_read "key-$name")
        printf '%s:%s\n' "$(key_id "$key")" "$(key_secret "$key")"
    done
}

# Connections of users that are gone are dropped; the others stay.
broker_reload() {
    ! process_running broker || kill -HUP "$(recorded broker)"
}
