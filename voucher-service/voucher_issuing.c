#include "voucher-service/voucher_issuing.h"

#include <pthread.h>

#include "shared/crypto/hash.h"
#include "voucher-service/voucher_events.h"
#include "voucher-service/voucher_json.h"
#include "voucher-service/voucher_redeeming.h"
#include "voucher-service/voucher_rule_store.h"
#include "voucher-service/voucher_store.h"

/* A voucher is waited for where an order was sent, and where one is given back. */
const struct consumed_type voucher_issuing_types[] = {
    { "order.created", true },
    { "order.updated", true },
    { "order.paid", true },
    { "order.sent", false },
    { "order.delivered", true },
    { "order.returned", false },
    { "order.canceled", false },
    { "order.expired", false },
    { NULL, false },
};

/* The rules as they were read last. The mutex guards all of it; nobody waits while holding it. */
struct voucher_issuing {
    pthread_mutex_t mutex;
    bool known;
    struct instant read_at; /* by the clock that events are stamped with */
    struct deadline kept_until;
    size_t count;
    struct voucher_rule rules[VOUCHER_RULES_MAX];
};

struct voucher_issuing *voucher_issuing_create(void)
{
    struct voucher_issuing *issuing = memory_allocate_zeroed(1, sizeof(*issuing));

    pthread_mutex_init(&issuing->mutex, NULL);
    return issuing;
}

void voucher_issuing_destroy(struct voucher_issuing *issuing)
{
    if (!issuing)
        return;
    pthread_mutex_destroy(&issuing->mutex);
    free(issuing);
}

/* --- rules ------------------------------------------------------------------------------------ */

/*
 * True if every rule that an event of that time may fall under is known. The time comes from
 * another machine: if its clock is ahead, the rules are read for each event, which is slow and
 * right; if it is behind, so are the times that rules and orders are compared by.
 */
static bool knows_rules(struct voucher_issuing *issuing, struct instant event_time)
{
    pthread_mutex_lock(&issuing->mutex);
    bool known = issuing->known && event_time.ms < issuing->read_at.ms &&
                 !deadline_passed(issuing->kept_until);
    pthread_mutex_unlock(&issuing->mutex);
    return known;
}

static bool read_rules(struct voucher_issuing *issuing, struct effects *effects, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct instant read_at = clock_now(); /* before: what comes while reading counts as unread */
    const struct statement *statement = voucher_rule_store_all(&parameters);

    if (!effects_read(effects, statement, &parameters, &rows, err))
        return false;

    pthread_mutex_lock(&issuing->mutex);
    for (size_t i = 0; i < rows.count; i++)
        voucher_rule_from_row(&rows, i, &issuing->rules[i]);
    issuing->count = rows.count;
    issuing->known = true;
    issuing->read_at = read_at;
    issuing->kept_until = deadline_in_ms(VOUCHER_RULES_KEPT_MS);
    pthread_mutex_unlock(&issuing->mutex);
    return true;
}

/* The rule by which the order earns a voucher: one at most, because a currency has one at most. */
static bool find_rule(struct voucher_issuing *issuing, struct money total, struct instant sent_at,
                      struct voucher_rule *out)
{
    bool found = false;

    pthread_mutex_lock(&issuing->mutex);
    for (size_t i = 0; i < issuing->count && !found; i++) {
        found = voucher_rule_applies(&issuing->rules[i], total, sent_at);
        if (found)
            *out = issuing->rules[i];
    }
    pthread_mutex_unlock(&issuing->mutex);
    return found;
}

/* --- events ----------------------------------------------------------------------------------- */

/* The order that the event is about; one that contradicts its envelope is refused. */
static bool read_order(const struct event *event, struct voucher_order *out, struct error *err)
{
    if (!voucher_order_read(event->data, out, err))
        return false;
    if (id_equal(out->id, event->subject) && strcmp(out->merchant, event->merchant) == 0)
        return true;
    return error_set(err, ERROR_VALIDATION, "order_contradicts_event",
                     "the data is not the order, or not of the merchant, that the event names");
}

static void issue(struct effects *effects, const struct event *event,
                  const struct voucher_order *order, const struct voucher_rule *rule)
{
    struct effect *effect = effects_add(effects);
    struct instant now = clock_now();
    struct voucher voucher = { .stream = event->stream, .id = id_create(now) };
    uint8_t random[VOUCHER_CODE_SYMBOLS];

    voucher.order_id = order->id;
    text_copy(voucher.merchant, sizeof(voucher.merchant), order->merchant);
    text_copy(voucher.customer_id, sizeof(voucher.customer_id), order->customer_id);
    random_fill(random, sizeof(random));
    voucher_begin(&voucher, rule, voucher_code_make(random), now);
    voucher_insert(&effect->write, &voucher);
    voucher_announce_effect(effect, &voucher, VOUCHER_ISSUED, event);
}

static bool order_was_sent(struct voucher_issuing *issuing, struct effects *effects,
                           const struct event *event, struct error *err)
{
    struct voucher_order order;
    struct voucher_rule rule;

    if (!read_order(event, &order, err) ||
        (!knows_rules(issuing, event->time) && !read_rules(issuing, effects, err)))
        return false;
    if (find_rule(issuing, order.total, event->time, &rule))
        issue(effects, event, &order, &rule);
    return true;
}

/* Reads within the transaction: the voucher may have been issued a few events before. */
static bool order_was_undone(struct effects *effects, const struct event *event, struct error *err)
{
    const struct voucher_wish wish = { .way = VOUCHER_UNDO };
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    const struct statement *statement =
        voucher_store_lock_earned(&parameters, event->stream, event->merchant, event->subject);
    struct voucher voucher;
    const char *type;

    if (!effects_read(effects, statement, &parameters, &rows, err))
        return false;
    if (rows.count == 0)
        return true;
    voucher_from_row(&rows, 0, &voucher);
    bool known = voucher.source_undone;
    if (!voucher_use(&voucher, &wish, clock_now(), &type, err))
        return false;
    if (type)
        voucher_effect(effects_add(effects), &voucher, type, event);
    else if (voucher.source_undone && !known)
        voucher_remember_undone(&effects_add(effects)->write, &voucher);
    return true;
}

/* The event's data must be an order of its own, whatever of it is needed. */
static bool order_was_given_up(struct effects *effects, const struct event *event,
                               struct error *err)
{
    struct voucher_order order;

    return read_order(event, &order, err) && order_was_undone(effects, event, err);
}

bool voucher_issuing_handle(void *issuing, struct effects *effects, const struct event *event,
                            struct error *err)
{
    if (strcmp(event->type, "order.created") == 0)
        return voucher_redeeming_created(effects, event, err);
    if (strcmp(event->type, "order.sent") == 0)
        return order_was_sent(issuing, effects, event, err);
    if (strcmp(event->type, "order.returned") == 0)
        return order_was_given_up(effects, event, err);
    if (strcmp(event->type, "order.canceled") == 0)
        return order_was_given_up(effects, event, err) &&
               voucher_redeeming_ended(effects, event, err);
    if (strcmp(event->type, "order.expired") == 0)
        return voucher_redeeming_ended(effects, event, err);
    return true;
}
