#!/usr/bin/env bash
# The edge's container: nginx, and an eye on where the services are. A container that is made anew has
# another address, and of a service there may be more or fewer than before; nginx asks for a name once
# only. So the names are looked up again and again, and nginx is told when the answer is another.
set -euo pipefail
# shellcheck source=/dev/null
source /opt/checkout/deploy/containers/network.sh

readonly LOOK_S=2

main() {
    home_open
    mkdir -p "$home/edge"
    tls_put
    edge_put
    ln -sfn /usr/share/checkout/pages "$home/edge/pages"
    ln -sfn /var/lib/checkout/reports "$home/edge/reports"
    nginx -e stderr -p "$home/edge/" -c nginx.conf &
    nginx=$!
    trap 'kill -s QUIT "$nginx"' TERM INT QUIT
    edge_watch &
    wait "$nginx" || wait "$nginx"
}

# A reload lets what is under way end with those that it began with.
edge_watch() {
    while sleep "$LOOK_S"; do
        # Not through a pipe: what it changed would be told to another shell.
        file_put "$home/edge/upstreams.conf" < <(edge_upstreams)
        [[ $file_changed == false ]] || kill -s HUP "$nginx"
    done
}

main
