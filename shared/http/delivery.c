#include "shared/http/delivery.h"

#include <civetweb.h>
#include <poll.h>
#include <sys/socket.h>

#include "shared/http/answer.h"
#include "shared/http/cors.h"

/* What a client still sends is read for so long and so much before the connection is closed. */
enum { LINGER_MS = 1000, LINGER_BYTES = 1024 * 1024 };

/* A buffer that once held a large answer does not keep its memory. */
enum { KEEP_BYTES = 256 * 1024 };

static void compose(struct exchange *exchange)
{
    const char *origin = head_find(&exchange->head, "Origin");
    struct answer answer = {
        .reply = &exchange->reply,
        .request_id = exchange->request.caller.request_id,
        .trace = &exchange->request.caller.trace,
        .origin = cors_allows(exchange->listener->settings->cors_origins, origin) ? origin : NULL,
        .now = clock_now(),
        .closes = exchange->closes,
        .head_only = exchange->request.method == HTTP_HEAD,
    };

    if (exchange->output.capacity > KEEP_BYTES)
        buffer_release(&exchange->output);
    buffer_clear(&exchange->output);
    answer_write(&answer, &exchange->output);
}

/*
 * Closing a socket with unread bytes resets the connection, and the client may then never see the
 * answer. So the end of the answer is told first, and what comes until the client understands is
 * thrown away, within limits (RFC 9112, section 9.6).
 */
static void linger(const struct exchange *exchange)
{
    int descriptor = sockets_find(exchange->listener->sockets, exchange->endpoint);
    struct pollfd pollfd = { .fd = descriptor, .events = POLLIN };
    struct deadline deadline = deadline_in_ms(LINGER_MS);
    size_t left = LINGER_BYTES;
    char bytes[4096];

    if (descriptor < 0 || shutdown(descriptor, SHUT_WR) != 0)
        return;
    while (left > 0 && poll(&pollfd, 1, deadline_left_ms(deadline)) == 1) {
        ssize_t got = recv(descriptor, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got <= 0)
            return;
        left -= (size_t)got < left ? (size_t)got : left;
    }
}

/*
 * No answer: the library closes the connection, politely. A reset has to come before that, and
 * dissolving the association sends one, while the descriptor stays the library's.
 */
static void lose(struct exchange *exchange)
{
    int descriptor = exchange->reply.fate == REPLY_RESET
                         ? sockets_find(exchange->listener->sockets, exchange->endpoint)
                         : -1;
    struct sockaddr nobody = { .sa_family = AF_UNSPEC };

    exchange->closes = true;
    mg_disable_connection_keep_alive(exchange->connection);
    if (descriptor >= 0)
        (void)connect(descriptor, &nobody, sizeof(nobody));
}

void delivery_send(struct exchange *exchange)
{
    bool unread =
        !exchange->framed || (framing_has_body(&exchange->framing) && !exchange->body_read);

    exchange->answered = true;
    if (exchange->reply.fate != REPLY_SENT) {
        lose(exchange);
        return;
    }
    exchange->closes = exchange->closes || unread || !gate_is_open(&exchange->listener->gate);
    compose(exchange);
    if (exchange->closes) /* or the library would read the rest of the body, however long */
        mg_disable_connection_keep_alive(exchange->connection);
    watch_set(&exchange->watch, WATCH_WRITING, exchange->endpoint,
              deadline_in_ms(exchange->listener->settings->request_timeout_ms));
    int sent = mg_write(exchange->connection, exchange->output.at, exchange->output.length);
    watch_clear(&exchange->watch);
    if (sent <= 0) /* nobody is there for what else was sent in one go */
        mg_disable_connection_keep_alive(exchange->connection);
    else if (unread)
        linger(exchange);
}
