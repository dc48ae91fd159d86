#include "shared/http/diagnosis.h"

#include <civetweb.h>

#include "shared/http/method.h"

/* The library gives a connection's later heads the time for which it is kept. */
static bool came_too_slowly(const struct exchange *exchange)
{
    const struct server_settings *settings = exchange->listener->settings;
    int64_t limit_ms =
        exchange->served == 0 ? settings->request_timeout_ms : settings->keep_alive_ms;

    return exchange->crowded_out ||
           clock_monotonic_us() - exchange->waits_since_us >= limit_ms * 1000;
}

/* The library reads into a buffer for one head; when that is full, there is no end to be seen. */
static bool fills_its_buffer(const struct exchange *exchange)
{
    int64_t taken = sockets_bytes_read(exchange->listener->sockets, exchange->endpoint);

    return taken - exchange->bytes_served >= LISTENER_HEAD_SIZE;
}

/* Nothing of the head was understood. */
static void diagnose_unread(struct exchange *exchange)
{
    struct error *err = &exchange->err;

    if (!gate_is_open(&exchange->listener->gate)) {
        error_set(err, ERROR_UNAVAILABLE, "draining", "The server is about to stop.");
    } else if (fills_its_buffer(exchange)) {
        error_set(err, ERROR_HEADERS_TOO_LARGE, "headers_too_large",
                  "The head of a request has at most %d bytes.", LISTENER_HEAD_SIZE);
    } else if (came_too_slowly(exchange)) {
        exchange->timed_out = true;
        error_set(err, ERROR_MALFORMED, "request_timeout", "The request did not come in time.");
    } else {
        error_set(err, ERROR_MALFORMED, "request_malformed", "This is not a request of HTTP/1.1.");
    }
}

/* Method and version were there, so what the framing refuses can be named. */
static void diagnose_read(struct exchange *exchange)
{
    struct error *err = &exchange->err;
    enum http_method method;
    bool parsed = mg_get_request_info(exchange->connection)->num_headers >= 0;

    if (!http_method_parse(exchange->head.method, &method))
        error_set(err, ERROR_NOT_IMPLEMENTED, "method_unknown", "The method is not known here.");
    else if (!parsed || framing_read(&exchange->head, &exchange->framing, err))
        error_set(err, ERROR_MALFORMED, "request_malformed", "This is not a request of HTTP/1.1.");
}

void diagnosis_of(struct exchange *exchange, int status)
{
    const struct head *head = &exchange->head;
    struct error *err = &exchange->err;

    if (status == 413)
        error_set(err, ERROR_HEADERS_TOO_LARGE, "headers_too_large",
                  "The head of a request has at most %d bytes.", LISTENER_HEAD_SIZE);
    else if (status == 505)
        error_set(err, ERROR_MALFORMED, "version_unknown", "HTTP/1.1 is spoken here.");
    else if (status >= 500)
        error_set(err, ERROR_INTERNAL, "library_failed", "the HTTP library says %d", status);
    else if (head->version && head->version[0] == '1')
        diagnose_read(exchange);
    else
        diagnose_unread(exchange);
}
