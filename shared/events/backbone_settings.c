#include "shared/events/backbone_settings.h"

#include "shared/base/text.h"
#include "shared/db/connection_string.h"
#include "shared/http/trace_export.h"

#define SIZE_OF(member) sizeof(((struct backbone_settings *)0)->member)

#define TEXT(name, member, fallback, help)                                                         \
    {                                                                                              \
        name, SETTING_TEXT, offsetof(struct backbone_settings, member), SIZE_OF(member), fallback, \
            0, 0, help                                                                             \
    }
#define SECRET(name, member, help)                                                               \
    {                                                                                            \
        name, SETTING_SECRET, offsetof(struct backbone_settings, member), SIZE_OF(member), NULL, \
            0, 0, help                                                                           \
    }
#define INTEGER(name, member, fallback, min, max, help)                                           \
    {                                                                                             \
        name, SETTING_INTEGER, offsetof(struct backbone_settings, member), 0, fallback, min, max, \
            help                                                                                  \
    }

static const struct setting table[] = {
    TEXT("LISTEN_ADDRESS", listen_address, "127.0.0.1", "address of the HTTP API"),
    INTEGER("PORT", port, NULL, 1, 65535, "port of the HTTP API"),
    INTEGER("HEALTH_PORT", health_port, "0", 0, 65535,
            "port that answers health and metrics only; 0: none"),
    INTEGER("HTTP_THREADS", http_threads, "256", 2, 4096, "connections served at once"),
    INTEGER("BODY_MAX", body_max, "65536", 1024, 1048576, "bytes of a request's body at most"),
    INTEGER("REQUEST_TIMEOUT_MS", request_timeout_ms, "5000", 100, 60000,
            "how long one request may take"),
    INTEGER("KEEP_ALIVE_MS", keep_alive_ms, "15000", 100, 600000,
            "how long an idle connection is kept"),
    TEXT("CORS_ORIGINS", cors_origins, "",
         "origins that browsers may call from, comma-separated; empty: none"),
    INTEGER("AUTH_FAILURES_MAX", auth_failures_max, "1000", 1, 1000000,
            "requests without a good key that one address may make in a minute"),
    INTEGER("RATE_LIMIT_PER_KEY", rate_limit_per_key, "50000", 1, 1000000,
            "requests that one key may make in a second, at each instance"),
    TEXT("TRUSTED_PROXIES", trusted_proxies_text, "",
         "addresses and networks of proxies whose X-Forwarded-For is believed; empty: none"),
    SECRET("DATABASE_URL", database_url, "Postgres of this service, as its service role"),
    SECRET("ACCESS_DATABASE_URL", access_database_url,
           "Postgres of merchants and keys, as access_reader"),
    INTEGER("DATABASE_POOL_SIZE", database_pool_size, "8", 1, 100, "connections for reading"),
    INTEGER("JOURNAL_WRITERS", journal_writers, "2", 1, 16,
            "connections for writing, each committing batches"),
    INTEGER("JOURNAL_TIMEOUT_MS", journal_timeout_ms, "3000", 100, 60000,
            "how long one batch may take"),
    TEXT("MQTT_HOST", mqtt_host, "127.0.0.1", "host of the broker"),
    INTEGER("MQTT_PORT", mqtt_port, "1883", 1, 65535, "port of the broker"),
    TEXT("MQTT_USERNAME", mqtt_username, NULL, "login to the broker"),
    SECRET("MQTT_PASSWORD", mqtt_password, "password to the broker"),
    TEXT("INSTANCE", instance, "0", "name of this instance among those of the service"),
    TEXT("STREAMS", streams_text, "0", "streams to serve, comma-separated"),
    TEXT("OTEL_EXPORTER_OTLP_ENDPOINT", traces_endpoint, "",
         "address of an OpenTelemetry collector (OTLP over HTTP) that takes traces; empty: none"),
    TEXT("LOG_LEVEL", log_level_text, "info", "debug, info, warning or error"),
    INTEGER("IDEMPOTENCY_RETENTION_S", idempotency_retention_s, "86400", 1, 2592000,
            "how long an answer is kept for its Idempotency-Key"),
};

static bool refuse(struct error *err, const char *detail)
{
    return error_set(err, ERROR_CONFIGURATION, "configuration_invalid", "%s", detail);
}

static bool parse_streams(struct backbone_settings *settings, struct error *err)
{
    const char *at = settings->streams_text;

    settings->stream_count = 0;
    while (*at != '\0') {
        size_t length = strcspn(at, ",");
        int64_t stream = 0;

        if (!number_parse((struct span){ at, length }, &stream) || stream < 0 ||
            stream > INT16_MAX || settings->stream_count == BACKBONE_STREAMS_MAX)
            return refuse(err, "STREAMS: must be at most 8 numbers, comma-separated");
        settings->streams[settings->stream_count++] = (int)stream;
        at += length + (at[length] == ',');
    }
    return settings->stream_count > 0 || refuse(err, "STREAMS: is empty");
}

bool backbone_settings_load(struct backbone_settings *out, struct error *err)
{
    if (!config_load(table, COUNT_OF(table), out, err) || !parse_streams(out, err) ||
        !connection_string_check("DATABASE_URL", out->database_url, err) ||
        !connection_string_check("ACCESS_DATABASE_URL", out->access_database_url, err))
        return false;
    if (!proxies_parse(out->trusted_proxies_text, &out->trusted_proxies, err))
        return error_prefix(err, "TRUSTED_PROXIES");
    if (!trace_export_check(out->traces_endpoint, err))
        return error_prefix(err, "OTEL_EXPORTER_OTLP_ENDPOINT");
    return log_level_parse(out->log_level_text, &out->log_level) ||
           refuse(err, "LOG_LEVEL: must be debug, info, warning or error");
}

void backbone_settings_print(FILE *to)
{
    config_print(table, COUNT_OF(table), to);
}
