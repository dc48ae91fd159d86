# shellcheck shell=bash
# `help`.

# help [COMMAND]: all of it, or what it says about one command.
command_help() {
    [[ $# -le 1 ]] || usage_error "help takes a command."
    if [[ $# -eq 0 ]]; then
        help_text
    else
        help_text | awk -v name="$1" '
            /^$/ || /^ ? ?[^ ]/ { shown = $1 == name && /^  [a-z]/ }
            shown { print; found = 1 }
            END { exit !found }' || help_unknown "$1"
    fi
}

# The commands, each once.
help_commands() {
    help_text | awk '/^  [a-z]/ && !seen[$1]++ { print $1 }'
}

help_unknown() {
    local near
    # shellcheck disable=SC2046 # words
    near=$(nearest "$1" $(help_commands))
    usage_error "There is no command '$1'.${near:+ Did you mean \`$near\`?} \`./checkout help\` lists them all."
}

help_text() {
    cat <<'EOF'
Checkout: orders, what is paid for them, and the vouchers they earn.

  up [--detach] [--no-install] [--no-build] [--no-restart]
                      install what is missing, build, and start everything; Ctrl-C stops it
  down                stop what this home started
  restart NAME...     a process, or each instance of a service, one after the other
  status [--json]     each process: ready, and how far behind
  env                 addresses and keys, as NAME=value lines
  demo                an order of EUR 137.00: paid, sent, its voucher, spent, and the money given back

  audit [--json] [--wait SECONDS]
                      prove the invariants over all databases
  reconcile --date YYYY-MM-DD [--json]
                      the banks' settlements of that day against our book
  keys create [--merchant M] [--scopes A,B] [--name N] [--stream N] | list [--json] | revoke ID
                      API keys; a new one is shown once
  merchants create ID [--stream N] | list [--json] | delete ID | restore ID
                      who orders belong to; deleting one revokes its keys
  psql DATABASE [PSQL-ARGUMENT...]
                      look into access, orders, payments, vouchers, bank or audit
  logs [PROCESS] [-f]
                      what the processes say
  events tail [MERCHANT] [--type TYPE] [--subject ID] [--json]
                      what goes over the bus; TYPE as `voucher` or `order.sent`
  dead-letters list | replay ID | discard ID [--service NAME]
                      events that were put aside
  backup DIR          a copy of all that this home knows, of one moment, while it runs
  restore DIR [--no-install]
                      make a home of such a copy, where there is none

  secrets             make the secrets that docker-compose.yml gives its containers
  bench [--quick] [--measure ID,...] [--rounds N] [--seconds N] [--list]
                      how fast it is: ratios to the same work in plain pgbench, on a stack of its own

  help [COMMAND]      this; `COMMAND --help` is the same
  test [SUITE...]     lint, unit, system, browser, faults (these by default), asan, tsan, fuzz, bare,
                      compose, analysis, coverage
  test fuzz [--minutes N] [--target NAME,NAME,...]
                      each parser, or these of them, get N minutes of a processor (10 s without)
  test coverage [--files NAME,NAME,...|none]
                      lines and branches that the unit tests and these system tests never reach
  test faults [--row TEXT] [--rounds N] [--seed N] [--at-once N] [--resume] [--list]
                      of the matrix of faults, these rows, so many rounds of each
  test faults --endurance MINUTES
                      load and kills for so long, while memory and descriptors stay as they are

Settings, from the environment:
  CHECKOUT_HOME       where this stack lives              (var, beside this program)
  CHECKOUT_PORT_BASE  where its ports count from          (8080)
  CHECKOUT_INSTANCES  of each service                     (1)
  CHECKOUT_BUILD      directory of the build              (build)
  EDGE_ADDRESS        where the edge and mqtts listen     (127.0.0.1)
  EDGE_CERTIFICATE    a real certificate for them, PEM    (one is made)
  EDGE_KEY            ... and its key
A home remembers its port base and instances. What a service knows (its --settings) is passed on to
it; ORDER_SERVICE_<NAME>, PAYMENT_SERVICE_<NAME>, VOUCHER_SERVICE_<NAME> and BANK_SIMULATOR_<NAME> reach
one of them only.
EOF
}
