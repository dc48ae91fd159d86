#include "shared/http/health.h"

#include "shared/json/json_writer.h"
#include "shared/runtime/metrics.h"

/* A short word about a check. */
enum { NOTE_SIZE = 120 };

void health_add(struct health *health, const struct health_check *check)
{
    assert(health->count < HEALTH_CHECKS_MAX);
    health->checks[health->count++] = *check;
}

static bool get_livez(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    (void)ctx, (void)req, (void)err;
    buffer_append(&reply->body, "{\"status\":\"alive\"}");
    return reply_json(reply, HTTP_OK);
}

/* Writes one check's result; returns whether it is well. */
static bool write_check(const struct health_check *check, struct json_writer *json)
{
    char note[NOTE_SIZE] = "";
    bool ok = check->check(check->ctx, note, sizeof(note));

    json_begin_object(json);
    json_member_text(json, "name", check->name);
    json_member_boolean(json, "required", check->required);
    json_member_boolean(json, "ok", ok);
    json_member_text(json, "note", note);
    json_end_object(json);
    return ok;
}

/* Writes all results; tells whether a required one, and whether any, failed. */
static void write_checks(const struct health *health, struct buffer *out, bool *unavailable,
                         bool *degraded)
{
    struct json_writer json = { .out = out };

    json_begin_array(&json);
    for (size_t i = 0; i < health->count; i++) {
        bool ok = write_check(&health->checks[i], &json);
        *degraded = *degraded || !ok;
        *unavailable = *unavailable || (!ok && health->checks[i].required);
    }
    json_end_array(&json);
}

static const char *word_for(bool draining, bool unavailable, bool degraded)
{
    if (draining)
        return "draining";
    if (unavailable)
        return "unavailable";
    return degraded ? "degraded" : "ready";
}

static bool get_readyz(void *ctx, const struct request *req, struct reply *reply, struct error *err)
{
    AUTO(buffer_release) struct buffer checks = BUFFER_EMPTY;
    const struct health *health = ctx;
    struct json_writer json = { .out = &reply->body };
    bool draining = health->is_draining && health->is_draining(health->is_draining_ctx);
    bool unavailable = false, degraded = false;

    (void)req, (void)err;
    write_checks(health, &checks, &unavailable, &degraded);
    json_begin_object(&json);
    json_member_text(&json, "status", word_for(draining, unavailable, degraded));
    json_member_text_or_null(&json, "service", health->service);
    json_member_raw(&json, "checks", buffer_span(&checks));
    json_end_object(&json);
    return reply_json(reply, draining || unavailable ? 503 : HTTP_OK);
}

static bool get_metrics(void *ctx, const struct request *req, struct reply *reply,
                        struct error *err)
{
    (void)ctx, (void)req, (void)err;
    metrics_render(&reply->body);
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return reply_json(reply, HTTP_OK);
}

static const struct route routes[] = {
    { HTTP_GET, "/livez", 0, ROUTE_PUBLIC, get_livez },
    { HTTP_GET, "/readyz", 0, ROUTE_PUBLIC, get_readyz },
    { HTTP_GET, "/metrics", 0, ROUTE_PUBLIC, get_metrics },
};

void health_add_routes(struct health *health, struct router *router)
{
    router_add(router, routes, COUNT_OF(routes), health);
}

bool health_serves(const struct route *route)
{
    return route >= routes && route < routes + COUNT_OF(routes);
}
