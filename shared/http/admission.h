/*
 * Admission: whether a request may come in.
 *
 * Its key has to be good and to have a scope of the route (access.h), and two limits hold.
 *
 * An address may fail to authenticate so often in a minute. Beyond, no key from there is looked up
 * any more, so that guessing does not reach the database: 429. Keys that have been good before go
 * on, so that whoever shares an address with a broken client is not locked out with it.
 *
 * A key may ask so often in a second, which keeps one client from taking the place of all others.
 *
 * A key that stands in the query string is refused, whatever else is sent: by then it is in other
 * people's logs. Any thread.
 */
#ifndef CHECKOUT_HTTP_ADMISSION_H
#define CHECKOUT_HTTP_ADMISSION_H

#include "shared/http/access.h"
#include "shared/http/peer.h"

struct admission_settings {
    struct access_keys *keys;  /* borrowed */
    struct proxies proxies;    /* whose X-Forwarded-For is believed */
    int64_t auth_failures_max; /* of an address in a minute */
    int64_t rate_per_key;      /* requests in a second */
};

struct admission;

struct admission *admission_create(const struct admission_settings *settings);

/* Takes NULL. */
void admission_destroy(struct admission *admission);

struct admission_question {
    const char *connected; /* the other end of the connection */
    const struct head *head;
    unsigned scopes; /* the key needs one of these */
    bool unlimited;  /* does not count against the key's limit */
    struct deadline deadline;
};

/*
 * As access_authenticate() and access_require(); ERROR_UNAUTHENTICATED "key_in_query";
 * ERROR_RATE_LIMITED "rate_limited", which says when to come again.
 */
MUST_CHECK bool admission_decide(struct admission *admission,
                                 const struct admission_question *question, struct access *out,
                                 struct error *err);

#endif
