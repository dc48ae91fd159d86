/*
 * Exchange: one request and its answer.
 *
 * Each thread of a listener has one and uses it again and again, so that serving allocates next to
 * nothing. The order of what is checked is that of the rows in steps[] (exchange.c); whatever fails
 * becomes a problem document, and a connection on which bytes of a body are left is closed.
 */
#ifndef CHECKOUT_HTTP_EXCHANGE_H
#define CHECKOUT_HTTP_EXCHANGE_H

#include "shared/http/framing.h"
#include "shared/http/listener.h"

struct mg_connection; /* the library's own */

struct exchange {
    struct listener *listener;
    struct watch watch;
    const char *buffer_start; /* where the library's buffer of this thread begins, as far as seen */
    struct buffer body;       /* of the request */
    struct buffer output;

    /* The connection being served. */
    struct mg_connection *connection;
    struct endpoint endpoint;
    bool crowded_out;       /* it was idle, and all threads were taken: nothing more is read */
    bool answered;          /* since the last request was read */
    int64_t waits_since_us; /* for the next request: since the last one, or the connection */
    int64_t served;         /* requests on this connection */
    int64_t bytes_served;   /* what those took on the wire, empty lines between them aside */

    /* The request being served. */
    int64_t started_us;
    struct head head;
    struct framing framing;
    bool framed;    /* framing was read */
    bool body_read; /* nothing of it is left on the connection */
    bool timed_out; /* while it was read */
    bool closes;    /* the connection ends behind the answer */
    struct route_match match;
    struct request request;
    struct reply reply;
    struct error err; /* the last: nothing of it is touched when an exchange is made */
};

struct exchange *exchange_create(struct listener *listener);
void exchange_destroy(struct exchange *exchange);

/* A connection was made. */
void exchange_connect(struct exchange *exchange);

/* Serves the request that was read on the connection; returns the status. */
int exchange_serve(struct exchange *exchange, struct mg_connection *connection);

/* Answers a request that the library could not read; `status` is what the library makes of it. */
void exchange_refuse(struct exchange *exchange, struct mg_connection *connection, int status);

/* The request is served and answered: the next one may come. */
void exchange_next(struct exchange *exchange);

/* The connection is about to be closed: answers a request that the library passed over. */
void exchange_end(struct exchange *exchange, struct mg_connection *connection);

#endif
