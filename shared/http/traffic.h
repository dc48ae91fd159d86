/*
 * Traffic: what is counted, logged and traced about each request.
 *
 * Metrics are asked for once per route and status and then remembered, so a request costs a few
 * atomic operations. Routes are named by their pattern, never by the path: codes are in paths.
 */
#ifndef CHECKOUT_HTTP_TRAFFIC_H
#define CHECKOUT_HTTP_TRAFFIC_H

#include "shared/http/router.h"

struct traffic;

/* The router is borrowed, and filled already. */
struct traffic *traffic_create(const struct router *router);
void traffic_destroy(struct traffic *traffic);

struct traffic_record {
    const struct route *route; /* NULL: none was found */
    int status;
    int64_t duration_us;
    const char *merchant; /* "" when nobody was authenticated */
    const struct trace *trace;
    const struct error *err; /* why it failed, or NULL */
};

void traffic_begin(struct traffic *traffic);
void traffic_end(struct traffic *traffic, const struct traffic_record *record);

#endif
