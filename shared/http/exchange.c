#include "shared/http/exchange.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <strings.h>

#include "shared/http/admission.h"
#include "shared/http/body.h"
#include "shared/http/cors.h"
#include "shared/http/delivery.h"
#include "shared/http/diagnosis.h"
#include "shared/http/health.h"
#include "shared/http/idempotency.h"
#include "shared/http/method.h"
#include "shared/http/problem.h"
#include "shared/runtime/log.h"

/* Before the first line the library skips one empty line properly; with more it loses count. */
enum { SKIPPED_MAX = 2 };

/* How long a kept connection may say nothing while others wait for its thread. */
enum { SILENT_MS = 1000 };

/* A buffer that once held a large body does not keep its memory. */
enum { KEEP_BYTES = 256 * 1024 };

/*
 * Each of the threads has one. The error is most of it, and needs no value before it is told: a
 * page that nobody touches is none of the process's memory.
 */
struct exchange *exchange_create(struct listener *listener)
{
    struct exchange *exchange = memory_allocate(sizeof(*exchange));

    memset(exchange, 0, offsetof(struct exchange, err));
    exchange->listener = listener;
    reply_begin(&exchange->reply);
    watchdog_add(listener->watchdog, &exchange->watch, &listener->gate);
    return exchange;
}

void exchange_destroy(struct exchange *exchange)
{
    watchdog_remove(exchange->listener->watchdog, &exchange->watch);
    reply_release(&exchange->reply);
    buffer_release(&exchange->body);
    buffer_release(&exchange->output);
    free(exchange);
}

/* The last request's memory is used again; its values are not. */
static void reset(struct exchange *exchange)
{
    struct buffer body = exchange->reply.body;

    if (body.capacity > KEEP_BYTES)
        buffer_release(&body);
    if (exchange->body.capacity > KEEP_BYTES)
        buffer_release(&exchange->body);
    buffer_clear(&body);
    reply_begin(&exchange->reply);
    exchange->reply.body = body;
    exchange->head.header_count = 0;
    exchange->framing = (struct framing){ .keeps_alive = false };
    exchange->framed = false;
    exchange->body_read = false;
    exchange->timed_out = false;
    exchange->closes = false;
    exchange->match = (struct route_match){ .route = NULL };
    memset(&exchange->request, 0, sizeof(exchange->request));
}

/* Invalid, missing or there twice: whoever sent it cannot be followed, so a new trace begins. */
static struct trace read_trace(const struct head *head)
{
    const char *traceparent = head_find(head, "traceparent");
    struct trace trace;

    if (traceparent && head_count(head, "traceparent") == 1 &&
        trace_parse(span_of(traceparent), &trace))
        return trace_child(&trace);
    return trace_create();
}

static void copy_head(struct exchange *exchange, const struct mg_request_info *info)
{
    struct head *head = &exchange->head;

    head->method = info->request_method;
    head->target = info->request_uri;
    head->query = info->query_string;
    head->version = info->http_version;
    head->header_count = info->num_headers > 0 ? (size_t)info->num_headers : 0;
    for (size_t i = 0; i < head->header_count; i++)
        head->headers[i] =
            (struct header){ info->http_headers[i].name, info->http_headers[i].value };
}

static struct endpoint endpoint_of(const struct mg_request_info *info)
{
    struct endpoint endpoint = { .remote_port = (uint16_t)info->remote_port,
                                 .local_port = (uint16_t)info->server_port };

    if (inet_pton(AF_INET, info->remote_addr, &endpoint.remote_address) != 1)
        endpoint.remote_port = 0; /* matches no connection */
    return endpoint;
}

static void begin(struct exchange *exchange, struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct request *req = &exchange->request;
    struct caller *caller = &req->caller;

    exchange->crowded_out = watch_clear(&exchange->watch);
    reset(exchange);
    exchange->started_us = clock_monotonic_us();
    exchange->connection = connection;
    exchange->endpoint = endpoint_of(info);
    copy_head(exchange, info);
    if (!info->request_method || !http_method_parse(info->request_method, &req->method))
        req->method = HTTP_OPTIONS; /* like it, one that no route has: 404 or 405 */
    caller->deadline = deadline_in_ms(exchange->listener->settings->request_timeout_ms);
    caller->request_id = id_create(clock_now());
    caller->trace = read_trace(&exchange->head);
    log_context_set(id_text(caller->request_id).text, caller->trace.trace_id);
    traffic_begin(exchange->listener->traffic);
}

/*
 * civetweb skips white space in front of a request, but after two empty lines it takes the request
 * for a part of its own body, and serves it twice. Where a thread's buffer begins is not told, only
 * seen from requests that begin there: the first one of a thread cannot be judged.
 */
static bool starts_at_once(struct exchange *exchange)
{
    const char *start = exchange->head.method;

    if (!exchange->buffer_start || start < exchange->buffer_start)
        exchange->buffer_start = start;
    return start - exchange->buffer_start <= SKIPPED_MAX;
}

static bool read_head(struct exchange *exchange, struct error *err)
{
    struct request *req = &exchange->request;

    if (!starts_at_once(exchange))
        return error_set(err, ERROR_MALFORMED, "request_line_malformed",
                         "The first line of the request is preceded by others.");
    exchange->head.limit = exchange->buffer_start + LISTENER_HEAD_SIZE;
    if (!framing_read(&exchange->head, &exchange->framing, err) ||
        !framing_check_lines(&exchange->head, err))
        return false;
    exchange->framed = true;
    exchange->closes = !exchange->framing.keeps_alive || exchange->crowded_out ||
                       !gate_is_open(&exchange->listener->gate);
    req->query = exchange->head.query ? exchange->head.query : "";
    req->if_match = head_find(&exchange->head, "If-Match");
    req->caller.authorization = head_find(&exchange->head, "Authorization");
    req->connection = &exchange->head;
    return true;
}

static bool find_route(struct exchange *exchange, struct error *err)
{
    const struct listener *listener = exchange->listener;
    struct request *req = &exchange->request;
    struct route_match match;

    req->path = mg_get_request_info(exchange->connection)->local_uri_raw;
    if (!router_find(listener->settings->router, req->method, req->path, &match, err))
        return false;
    if (listener->health_only && !health_serves(match.route))
        return error_set(err, ERROR_NOT_FOUND, "not_found", "Only health is served at this port.");
    exchange->match = match;
    exchange->body.secret = (match.route->flags & ROUTE_SECRET_BODY) != 0;
    req->route = match.route->pattern;
    req->segment_count = match.segment_count;
    memcpy(req->segments, match.segments, sizeof(req->segments));
    return true;
}

static bool authenticate(struct exchange *exchange, struct error *err)
{
    struct caller *caller = &exchange->request.caller;
    const struct route *route = exchange->match.route;

    if (route->flags & ROUTE_PUBLIC)
        return true;
    return admission_decide(exchange->listener->settings->admission,
                            &(struct admission_question){
                                .connected = mg_get_request_info(exchange->connection)->remote_addr,
                                .head = &exchange->head,
                                .scopes = route->scopes,
                                .unlimited = (route->flags & ROUTE_UNLIMITED) != 0,
                                .deadline = caller->deadline,
                            },
                            &caller->access, err);
}

static bool check_length(struct exchange *exchange, struct error *err)
{
    int64_t max = exchange->listener->settings->body_max;

    if (!framing_has_body(&exchange->framing))
        return true;
    if (!(exchange->match.route->flags & ROUTE_BODY))
        return error_set(err, ERROR_MALFORMED, "body_not_allowed",
                         "Nothing is expected in a body.");
    if (exchange->framing.length > max)
        return error_set(err, ERROR_TOO_LARGE, "body_too_large", "A body has at most %lld bytes.",
                         (long long)max);
    return true;
}

/* Whether a Content-Type is of that type, with or without parameters. */
static bool is_type(const char *value, const char *type)
{
    size_t length = strlen(type);

    return value && strncasecmp(value, type, length) == 0 &&
           (value[length] == '\0' || strchr("; \t", value[length]));
}

/* Whether the route reads bodies of this type. */
static bool takes_type(const struct exchange *exchange, const char *type)
{
    if (is_type(type, "application/json"))
        return true;
    if (exchange->match.route->flags & ROUTE_XML)
        return is_type(type, "text/xml") || is_type(type, "application/soap+xml");
    return exchange->request.method == HTTP_PATCH && is_type(type, "application/merge-patch+json");
}

static bool check_type(struct exchange *exchange, struct error *err)
{
    const char *type = head_find(&exchange->head, "Content-Type");

    if (!framing_has_body(&exchange->framing))
        return true;
    if (head_find(&exchange->head, "Content-Encoding"))
        return error_set(err, ERROR_MEDIA_TYPE, "content_encoding_unsupported",
                         "The body must not be compressed.");
    if (takes_type(exchange, type))
        return true;
    return error_set(
        err, ERROR_MEDIA_TYPE, "media_type_unsupported", "The body has to be application/json%s.",
        exchange->match.route->flags & ROUTE_XML ? ", text/xml or application/soap+xml" : "");
}

/* The hash is the body's, which is not read yet. */
static bool read_key(struct exchange *exchange, struct error *err)
{
    struct idempotency *idempotency = &exchange->request.idempotency;
    const char *key = head_find(&exchange->head, "Idempotency-Key");
    unsigned flags = exchange->match.route->flags;

    if (!(flags & (ROUTE_IDEMPOTENCY_KEY | ROUTE_KEY_REQUIRED)))
        return true;
    if (!key && (flags & ROUTE_KEY_REQUIRED))
        return error_set(err, ERROR_MALFORMED, "idempotency_key_missing",
                         "This needs the header Idempotency-Key.");
    if (!key)
        return true;
    if (!text_format(idempotency->scope, sizeof(idempotency->scope), "%s %s", exchange->head.method,
                     exchange->request.path))
        return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such object.");
    return idempotency_key_parse(key, idempotency->key, err);
}

static bool read_body(struct exchange *exchange, struct error *err)
{
    struct request *req = &exchange->request;

    if (!body_read(exchange, err))
        return false;
    req->body = buffer_span(&exchange->body);
    if (req->idempotency.key[0] != '\0')
        req->idempotency.body_hash = hash_sha256(req->body);
    return true;
}

static bool handle(struct exchange *exchange, struct error *err)
{
    const struct route_match *match = &exchange->match;

    return match->route->handle(match->ctx, &exchange->request, &exchange->reply, err);
}

/* Everything a request goes through, in this order: what costs nothing comes first. */
static bool (*const steps[])(struct exchange *exchange, struct error *err) = {
    read_head, find_route, authenticate, check_length, check_type, read_key, read_body, handle,
};

static bool run_steps(struct exchange *exchange)
{
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        if (!steps[i](exchange, &exchange->err))
            return false;
    return true;
}

/* A browser's question whether a page may make a request; it comes without a key. */
static bool is_preflight(const struct exchange *exchange)
{
    const struct head *head = &exchange->head;

    return exchange->err.kind == ERROR_METHOD && strcmp(head->method, "OPTIONS") == 0 &&
           head_find(head, "Access-Control-Request-Method") &&
           cors_allows(exchange->listener->settings->cors_origins, head_find(head, "Origin"));
}

struct methods {
    char text[64];
};

static struct methods allowed_methods(const struct exchange *exchange)
{
    struct methods methods;

    router_allow(exchange->listener->settings->router, exchange->request.path, methods.text,
                 sizeof(methods.text));
    return methods;
}

static void answer_preflight(struct exchange *exchange)
{
    cors_preflight(&exchange->reply, allowed_methods(exchange).text);
}

static void explain(struct exchange *exchange)
{
    struct id request_id = exchange->request.caller.request_id;

    if (exchange->timed_out)
        problem_reply(&exchange->reply, &exchange->err,
                      (struct problem_status){ 408, "Request timeout" }, request_id);
    else
        reply_problem(&exchange->reply, &exchange->err, request_id);
    if (exchange->err.kind == ERROR_METHOD)
        reply_set_header(&exchange->reply, "Allow", "%s", allowed_methods(exchange).text);
}

static void finish(struct exchange *exchange, const struct error *err)
{
    delivery_send(exchange);
    traffic_end(exchange->listener->traffic,
                &(struct traffic_record){
                    .route = exchange->match.route,
                    .status = exchange->reply.status,
                    .duration_us = clock_monotonic_us() - exchange->started_us,
                    .merchant = exchange->request.caller.access.merchant,
                    .trace = &exchange->request.caller.trace,
                    .err = err,
                });
    log_context_set(NULL, NULL);
}

/* Nothing watches it: whose connection it is, is told with its first request only. */
void exchange_connect(struct exchange *exchange)
{
    exchange->answered = false;
    exchange->waits_since_us = clock_monotonic_us();
    exchange->served = 0;
    exchange->bytes_served = 0;
}

void exchange_next(struct exchange *exchange)
{
    exchange->answered = false; /* the next one was not */
    exchange->waits_since_us = clock_monotonic_us();
    exchange->served++;
    if (exchange->framed)
        exchange->bytes_served +=
            (int64_t)framing_head_length(&exchange->head) + (int64_t)exchange->request.body.length;
    watch_set(&exchange->watch, WATCH_IDLE, exchange->endpoint, deadline_in_ms(SILENT_MS));
}

int exchange_serve(struct exchange *exchange, struct mg_connection *connection)
{
    const struct error *err = NULL;
    bool entered = gate_enter(&exchange->listener->gate);
    bool handled;

    begin(exchange, connection);
    if (!entered)
        error_set(&exchange->err, ERROR_UNAVAILABLE, "draining", "The server is about to stop.");
    handled = entered && run_steps(exchange);
    if (exchange->body.secret)
        buffer_clear(&exchange->body);
    if (!handled) {
        if (entered && is_preflight(exchange)) {
            answer_preflight(exchange);
        } else {
            err = &exchange->err;
            explain(exchange);
        }
    }
    finish(exchange, err);
    if (entered)
        gate_leave(&exchange->listener->gate);
    return exchange->reply.status;
}

void exchange_refuse(struct exchange *exchange, struct mg_connection *connection, int status)
{
    begin(exchange, connection);
    diagnosis_of(exchange, status);
    explain(exchange);
    exchange->closes = true;
    finish(exchange, &exchange->err);
}

/*
 * A target that is "*" or names another host or port is dropped by the library without a word:
 * here is the last moment to answer it.
 */
void exchange_end(struct exchange *exchange, struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);

    watch_clear(&exchange->watch);
    if (exchange->answered || !info || !info->request_method || !info->request_uri ||
        !info->http_version || info->local_uri_raw)
        return;
    begin(exchange, connection);
    error_set(&exchange->err, ERROR_MALFORMED, "target_malformed",
              "The target of a request is a path of this server.");
    explain(exchange);
    exchange->closes = true;
    finish(exchange, &exchange->err);
}
