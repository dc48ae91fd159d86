# One image per process; docker-compose.yml says how they belong together. Nothing that builds is in an
# image that runs. Each runs as a user without a name of its own on the host, with nothing to write to
# but what it is given.
#
# The user is the one of the mosquitto image: the operator's container writes the files with the bus's
# logins, and the broker reads them.

ARG DEBIAN_IMAGE=docker.io/library/debian:bookworm-20250610-slim
ARG NODE_IMAGE=docker.io/library/node:20.19.2-bookworm-slim
ARG MOSQUITTO_IMAGE=docker.io/library/eclipse-mosquitto:2.0.21

# ---- what is made -------------------------------------------------------------------------------

FROM ${NODE_IMAGE} AS packages
WORKDIR /checkout
COPY console/package.json console/package-lock.json console/
COPY tests/package.json tests/package-lock.json tests/
RUN for folder in console tests; do \
        (cd "$folder" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund) || exit; \
    done

FROM ${DEBIAN_IMAGE} AS build
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install \
        gcc libc6-dev meson ninja-build pkg-config python3-yaml jq \
        libmosquitto-dev libpq-dev libjansson-dev libcivetweb-dev libcurl4-openssl-dev libsodium-dev \
        libxml2-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /checkout
COPY meson.build meson_options.txt ./
COPY shared shared
COPY docs docs
COPY order-service order-service
COPY payment-service payment-service
COPY voucher-service voucher-service
COPY tests/bench tests/bench
RUN meson setup build && ninja -C build \
        order-service/order-service payment-service/payment-service voucher-service/voucher-service \
        payment-service/bank-simulator/bank-simulator docs/api/events.json
COPY checkout checkout
COPY console console
COPY deploy deploy
COPY --from=packages /checkout/console/node_modules console/node_modules
COPY --from=packages /checkout/tests/node_modules tests/node_modules
RUN deploy/containers/assemble.sh /made

# ---- what runs ----------------------------------------------------------------------------------

FROM ${DEBIAN_IMAGE} AS runtime
RUN groupadd --gid 1883 checkout && useradd --uid 1883 --gid 1883 --no-create-home --shell /usr/sbin/nologin checkout
COPY deploy/containers/ready.sh /usr/local/bin/ready

FROM runtime AS service
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install \
        ca-certificates libmosquitto1 libpq5 libjansson4 libcivetweb1 libcurl4 libsodium23 \
    && rm -rf /var/lib/apt/lists/* /var/cache/*
USER checkout
# Of several containers of a service each is an instance with a name of its own.
ENTRYPOINT ["/bin/sh", "-c", "INSTANCE=${INSTANCE:-$(hostname)} exec \"$@\"", "-"]

FROM service AS order-service
COPY --from=build /made/bin/order-service /usr/local/bin/
CMD ["order-service"]

FROM service AS voucher-service
COPY --from=build /made/bin/voucher-service /usr/local/bin/
CMD ["voucher-service"]

# Those who speak SOAP.
FROM service AS soap
USER root
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install libxml2 \
    && rm -rf /var/lib/apt/lists/* /var/cache/*
USER checkout

FROM soap AS payment-service
COPY --from=build /made/bin/payment-service /usr/local/bin/
COPY --from=build /made/gateways.json /etc/checkout/
CMD ["payment-service"]

FROM soap AS bank-simulator
COPY --from=build /made/bin/bank-simulator /usr/local/bin/
CMD ["bank-simulator"]

FROM runtime AS edge
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install nginx-light openssl \
    && rm -rf /var/lib/apt/lists/* /var/cache/*
COPY checkout /opt/checkout/
COPY deploy /opt/checkout/deploy
COPY --from=build /made/pages /usr/share/checkout/pages
RUN install -d -o checkout -g checkout -m 700 /var/lib/checkout/reports
USER checkout
CMD ["/opt/checkout/deploy/containers/edge.sh"]

# Of Postgres' clients and of mosquitto the operator takes three programs; the rest would double the image.
FROM ${DEBIAN_IMAGE} AS clients
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install \
        mosquitto postgresql-client

# Everything that an operator does by hand, and the setup that goes before everything else.
FROM runtime AS operator
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install \
        ca-certificates curl jq libpq5 libreadline8 \
    && rm -rf /var/lib/apt/lists/* /var/cache/*
COPY --from=clients /usr/lib/postgresql/15/bin/psql /usr/lib/postgresql/15/bin/pg_isready /usr/lib/postgresql/15/bin/
COPY --from=clients /usr/bin/mosquitto_passwd /usr/bin/
COPY checkout /opt/checkout/
COPY deploy /opt/checkout/deploy
COPY migrations /opt/checkout/migrations
COPY shared/audit /opt/checkout/shared/audit
COPY --from=packages /checkout/tests/node_modules/@dbmate /opt/checkout/tests/node_modules/@dbmate
COPY --from=build /made/gateways.json /etc/checkout/
RUN install -d -o checkout -g checkout -m 700 /var/lib/checkout /var/lib/checkout/broker /var/lib/checkout/reports
USER checkout
ENTRYPOINT ["/opt/checkout/deploy/containers/operator.sh"]
CMD ["help"]

FROM ${MOSQUITTO_IMAGE} AS broker
COPY --from=build /made/mosquitto.conf /etc/checkout/
USER 1883:1883
ENTRYPOINT []
CMD ["mosquitto", "-c", "/etc/checkout/mosquitto.conf"]
