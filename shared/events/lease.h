/*
 * Lease: one leader among the instances of a service.
 *
 * A row says who leads until when, by the database's clock. The holder renews it every
 * LEASE_RENEW_MS; who finds it expired takes it over. The holder believes in its lease only as long
 * as its own monotonic clock says it can not have expired, so a process that was frozen finds out
 * before it acts. A lease spares double work; what must not happen twice is fenced in the database.
 */
#ifndef CHECKOUT_EVENTS_LEASE_H
#define CHECKOUT_EVENTS_LEASE_H

#include "shared/db/connection.h"

enum { LEASE_MS = 4000, LEASE_RENEW_MS = 1000, LEASE_NAME_SIZE = 120, LEASE_HOLDER_SIZE = 80 };

struct lease {
    char name[LEASE_NAME_SIZE];
    char holder[LEASE_HOLDER_SIZE];
    struct deadline held_until; /* by our own clock, counted from before we asked */
    struct deadline renew_at;
    bool held;
};

/* `holder` must be unique among processes and restarts. */
void lease_init(struct lease *lease, const char *name, const char *holder);

/* True while nobody else can hold it. */
bool lease_is_held(const struct lease *lease);

/*
 * Acquires or renews when it is time to; otherwise does nothing. Whether it is held afterwards is
 * told by lease_is_held(). Fails only when the database does.
 */
MUST_CHECK bool lease_keep(struct lease *lease, struct connection *connection,
                           struct deadline deadline, struct error *err);

/* Gives it up, so that another need not wait for the expiry. */
void lease_release(struct lease *lease, struct connection *connection, struct deadline deadline);

#endif
