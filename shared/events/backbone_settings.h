/*
 * Backbone settings: what every service can be told, by environment variables of these names.
 */
#ifndef CHECKOUT_EVENTS_BACKBONE_SETTINGS_H
#define CHECKOUT_EVENTS_BACKBONE_SETTINGS_H

#include "shared/http/peer.h"
#include "shared/runtime/config.h"
#include "shared/runtime/log.h"

enum { BACKBONE_STREAMS_MAX = 8, BACKBONE_TEXT_SIZE = 1024 };

struct backbone_settings {
    char listen_address[64];
    int64_t port, health_port, http_threads, body_max, request_timeout_ms, keep_alive_ms;
    char cors_origins[BACKBONE_TEXT_SIZE], trusted_proxies_text[512];
    int64_t auth_failures_max, rate_limit_per_key;
    char database_url[BACKBONE_TEXT_SIZE], access_database_url[BACKBONE_TEXT_SIZE];
    int64_t database_pool_size, journal_writers, journal_timeout_ms;
    char mqtt_host[256];
    int64_t mqtt_port;
    char mqtt_username[128], mqtt_password[256];
    char instance[40], streams_text[64], log_level_text[16];
    char traces_endpoint[512];
    int64_t idempotency_retention_s;

    /* Made of the texts. */
    size_t stream_count;
    int streams[BACKBONE_STREAMS_MAX];
    struct proxies trusted_proxies;
    enum log_level log_level;
};

/* ERROR_CONFIGURATION names the setting that is wrong. */
MUST_CHECK bool backbone_settings_load(struct backbone_settings *out, struct error *err);

void backbone_settings_print(FILE *to);

#endif
