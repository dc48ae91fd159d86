#!/bin/bash
# ready PORT [PATH]: whether what listens here on PORT answers PATH (/readyz) with 200. For health checks, in
# images that have nothing to ask with but a shell.
exec 3<> "/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "${2:-/readyz}" >&3
IFS=' ' read -r -t 3 _ status _ <&3
[[ $status == 200 ]]
