/*
 * Health: /livez, /readyz and /metrics.
 *
 * Alive is who answers. Ready is who can do the work: the checks marked as required pass and the
 * process is not draining. Other checks are shown as `degraded` with 200, because orders are taken
 * without them.
 */
#ifndef CHECKOUT_HTTP_HEALTH_H
#define CHECKOUT_HTTP_HEALTH_H

#include "shared/base/buffer.h"
#include "shared/http/router.h"

enum { HEALTH_CHECKS_MAX = 40 };

struct health_check {
    const char *name;
    bool required;
    void *ctx;
    /* True when well; writes a short word about it ("leader", "lag 12") into `note`. */
    bool (*check)(void *ctx, char *note, size_t note_size);
};

struct health {
    const char *service;
    bool (*is_draining)(void *ctx);
    void *is_draining_ctx;
    size_t count;
    struct health_check checks[HEALTH_CHECKS_MAX];
};

/* Adds a check; it is copied, its name and ctx are borrowed. */
void health_add(struct health *health, const struct health_check *check);

/* Adds its routes, all public. */
void health_add_routes(struct health *health, struct router *router);

/* True for those routes: all that a server's health port answers. */
bool health_serves(const struct route *route);

#endif
