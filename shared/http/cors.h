/*
 * CORS: which web pages may read our answers (the Fetch standard, section 3.2).
 *
 * Off unless origins are set. The origins are a comma-separated list of what a browser sends
 * ("https://shop.example"); there is no wildcard, because answers belong to a key.
 */
#ifndef CHECKOUT_HTTP_CORS_H
#define CHECKOUT_HTTP_CORS_H

#include "shared/http/reply.h"

/* True if `origin` (may be NULL) is one of `origins`. */
bool cors_allows(const char *origins, const char *origin);

/* Answers the question a browser asks before the request; `allow` lists the path's methods. */
void cors_preflight(struct reply *reply, const char *allow);

#endif
