#include "shared/http/body.h"

#include <civetweb.h>

/* Room made for the next piece of a body whose length nobody announced. */
enum { PIECE_SIZE = 4096 };

static void send_continue(struct exchange *exchange)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

    /* a client that is gone is noticed when its body does not come */
    if (exchange->framing.expects_continue)
        mg_write(exchange->connection, interim, sizeof(interim) - 1);
}

/* Reads up to `size` bytes behind what is there; returns what the library says. */
static int read_piece(struct exchange *exchange, size_t size)
{
    struct buffer *body = &exchange->body;

    buffer_reserve(body, size);
    int got = mg_read(exchange->connection, body->at + body->length, size);
    if (got > 0)
        body->length += (size_t)got;
    body->at[body->length] = '\0';
    return got;
}

/* A connection that ends early is no error for the library: only the count tells. */
static bool read_announced(struct exchange *exchange)
{
    size_t length = (size_t)exchange->framing.length;

    return read_piece(exchange, length) == (int)length;
}

/* True when the last chunk was read or the limit is exceeded, which the caller sees. */
static bool read_chunks(struct exchange *exchange)
{
    size_t max = (size_t)exchange->listener->settings->body_max;
    int got;

    while ((got = read_piece(exchange, PIECE_SIZE)) > 0)
        if (exchange->body.length > max)
            return true;
    return got == 0;
}

static bool refuse_incomplete(struct exchange *exchange, bool timed_out, struct error *err)
{
    exchange->timed_out =
        timed_out || exchange->crowded_out || deadline_passed(exchange->request.caller.deadline);
    if (exchange->timed_out)
        return error_set(err, ERROR_MALFORMED, "body_timeout",
                         "The body did not come in time; nothing was done.");
    return error_set(err, ERROR_MALFORMED, "body_incomplete",
                     "The body ended before it was complete, or a chunk of it is malformed.");
}

bool body_read(struct exchange *exchange, struct error *err)
{
    bool chunked = exchange->framing.chunked;

    buffer_clear(&exchange->body);
    if (!framing_has_body(&exchange->framing))
        return true;
    send_continue(exchange);
    watch_set(&exchange->watch, WATCH_READING, exchange->endpoint,
              exchange->request.caller.deadline);
    bool complete = chunked ? read_chunks(exchange) : read_announced(exchange);
    bool timed_out = watch_clear(&exchange->watch);

    if (!complete)
        return refuse_incomplete(exchange, timed_out, err);
    if (exchange->body.length > (size_t)exchange->listener->settings->body_max)
        return error_set(err, ERROR_TOO_LARGE, "body_too_large", "A body has at most %lld bytes.",
                         (long long)exchange->listener->settings->body_max);
    exchange->body_read = true;
    /* civetweb does not tell whether it could read the trailer, and closes when it could not */
    exchange->closes = exchange->closes || timed_out || chunked;
    return true;
}
