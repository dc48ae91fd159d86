#include "shared/http/admission.h"

#include "shared/base/buffer.h"
#include "shared/http/credentials.h"
#include "shared/runtime/metrics.h"
#include "shared/runtime/rate_limit.h"

enum { SECOND_US = 1000000, MINUTE_US = 60 * SECOND_US };

struct admission {
    struct access_keys *keys;
    struct proxies proxies;
    int64_t rate_per_key;
    struct rate_limit *failures; /* by address */
    struct rate_limit *requests; /* by key */
    struct metric *refused_addresses;
    struct metric *refused_keys;
};

static struct metric *refused(const char *labels)
{
    return metric_counter("checkout_rate_limited_total",
                          "Requests refused because a limit was reached.", labels);
}

struct admission *admission_create(const struct admission_settings *settings)
{
    struct admission *admission = memory_allocate_zeroed(1, sizeof(*admission));

    admission->keys = settings->keys;
    admission->proxies = settings->proxies;
    admission->rate_per_key = settings->rate_per_key;
    admission->failures = rate_limit_create(settings->auth_failures_max, MINUTE_US);
    admission->requests = rate_limit_create(settings->rate_per_key, SECOND_US);
    admission->refused_addresses = refused("by=\"address\"");
    admission->refused_keys = refused("by=\"key\"");
    return admission;
}

void admission_destroy(struct admission *admission)
{
    if (!admission)
        return;
    rate_limit_destroy(admission->failures);
    rate_limit_destroy(admission->requests);
    free(admission);
}

static bool refuse_key_in_query(const struct head *head, struct error *err)
{
    char key_id[ACCESS_KEY_ID_MAX + 1];

    if (!head->query || !credentials_find_key(head->query, key_id))
        return true;
    return error_set(err, ERROR_UNAUTHENTICATED, "key_in_query",
                     "An API key belongs in the header Authorization: Bearer, not in an address, "
                     "which others log. Revoke the key %s and use another.",
                     key_id);
}

static void set_retry_after(struct error *err, int64_t wait_us)
{
    err->retry_after_s = wait_us / SECOND_US + 1;
}

static bool refuse_address(struct admission *admission, int64_t wait_us, struct error *err)
{
    metric_add(admission->refused_addresses, 1);
    error_set(err, ERROR_RATE_LIMITED, "rate_limited",
              "Too many requests from this address had no good API key. Check the key, and try "
              "again later.");
    set_retry_after(err, wait_us);
    return false;
}

static bool find_key(struct admission *admission, const struct admission_question *question,
                     struct access *out, struct error *err)
{
    struct peer peer = peer_of(&admission->proxies, question->connected, question->head);
    int64_t now_us = clock_monotonic_us(), wait_us = 0;
    bool open = rate_limit_check(admission->failures, peer.address, now_us, &wait_us);
    struct access_claim claim = { head_find(question->head, "Authorization"), .known_only = !open };

    if (access_authenticate(admission->keys, &claim, question->deadline, out, err))
        return true;
    if (err->kind != ERROR_UNAUTHENTICATED)
        return false;
    if (open && rate_limit_take(admission->failures, peer.address, now_us, &wait_us))
        return false;
    return refuse_address(admission, wait_us, err);
}

static bool count_request(struct admission *admission, const char *key_id, struct error *err)
{
    int64_t wait_us = 0;

    if (rate_limit_take(admission->requests, key_id, clock_monotonic_us(), &wait_us))
        return true;
    metric_add(admission->refused_keys, 1);
    error_set(err, ERROR_RATE_LIMITED, "rate_limited",
              "This API key asks too often: at most %lld requests in a second are answered.",
              (long long)admission->rate_per_key);
    set_retry_after(err, wait_us);
    return false;
}

bool admission_decide(struct admission *admission, const struct admission_question *question,
                      struct access *out, struct error *err)
{
    return refuse_key_in_query(question->head, err) && find_key(admission, question, out, err) &&
           (question->unlimited || count_request(admission, out->key_id, err)) &&
           access_require(out, question->scopes, err);
}
