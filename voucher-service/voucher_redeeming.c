#include "voucher-service/voucher_redeeming.h"

#include "voucher-service/voucher_events.h"
#include "voucher-service/voucher_json.h"
#include "voucher-service/voucher_store.h"

/* How an order's public object shows whether it uses a voucher, which is null or an object. */
static const char MEMBER[] = "\"voucher\"";
static const char NONE[] = ":null";

/*
 * Whether the order may use a voucher, without parsing it. A quote inside a text is escaped, so
 * this finds every member of the name; if it is another object's, reading the order tells.
 */
static bool may_use_voucher(const struct event *event)
{
    const char *end = event->data.at + event->data.length, *at = event->data.at;

    while ((at = memmem(at, (size_t)(end - at), MEMBER, sizeof(MEMBER) - 1)) != NULL) {
        at += sizeof(MEMBER) - 1;
        if ((size_t)(end - at) < sizeof(NONE) - 1 || memcmp(at, NONE, sizeof(NONE) - 1) != 0)
            return true;
    }
    return false;
}

/* What the order uses; one that contradicts its envelope is refused. */
static bool read_use(const struct event *event, struct voucher_order_use *out, struct error *err)
{
    if (!voucher_order_use_read(event->data, out, err))
        return false;
    if (id_equal(out->order_id, event->subject) && strcmp(out->merchant, event->merchant) == 0)
        return true;
    return error_set(err, ERROR_VALIDATION, "order_contradicts_event",
                     "the data is not the order, or not of the merchant, that the event names");
}

/* What an order's event means here. */
struct meaning {
    struct voucher_order_use use; /* use.uses is false: nothing */
    struct voucher voucher;       /* locked */
    bool redeemed;                /* the order has a redemption, open or not */
};

static bool lock(struct effects *effects, const struct event *event, struct meaning *out,
                 struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    const struct statement *statement = voucher_store_lock_for_order(
        &parameters, event->stream, event->merchant, out->use.voucher_id, out->use.order_id);

    if (!effects_read(effects, statement, &parameters, &rows, err))
        return false;
    if (rows.count == 0)
        return error_set(err, ERROR_NOT_FOUND, "voucher_unknown",
                         "the order uses voucher %s, which its merchant does not have",
                         id_text(out->use.voucher_id).text);
    voucher_from_row(&rows, 0, &out->voucher);
    struct row row = rows_at(&rows, 0);
    out->redeemed = row_boolean(&row, "order_redeemed");
    return true;
}

static bool understand(struct effects *effects, const struct event *event, struct meaning *out,
                       struct error *err)
{
    out->use.uses = false;
    return !may_use_voucher(event) ||
           (read_use(event, &out->use, err) && (!out->use.uses || lock(effects, event, out, err)));
}

/* Does it to the voucher; what could be done is announced. */
static bool apply(struct effects *effects, const struct event *event, struct voucher *voucher,
                  const struct voucher_wish *wish, struct error *err)
{
    const char *type;

    if (!voucher_use(voucher, wish, clock_now(), &type, err))
        return false;
    if (type)
        voucher_effect(effects_add(effects), voucher, type, event);
    return true;
}

bool voucher_redeeming_created(struct effects *effects, const struct event *event,
                               struct error *err)
{
    struct meaning meaning;

    if (!understand(effects, event, &meaning, err))
        return false;
    if (!meaning.use.uses || meaning.redeemed)
        return true;

    struct voucher_wish wish = { .way = VOUCHER_REDEEM,
                                 .by_order = true,
                                 .order_id = meaning.use.order_id,
                                 .redemption_id = id_create(clock_now()) };
    text_copy(wish.holder, sizeof(wish.holder), meaning.use.holder);
    return apply(effects, event, &meaning.voucher, &wish, err);
}

/* An order that ended before it could redeem never shall, even if its order.created is replayed. */
bool voucher_redeeming_ended(struct effects *effects, const struct event *event, struct error *err)
{
    struct meaning meaning;

    if (!understand(effects, event, &meaning, err))
        return false;
    if (!meaning.use.uses)
        return true;

    const struct voucher_wish wish = { .way = VOUCHER_ROLL_BACK,
                                       .by_order = true,
                                       .order_id = meaning.use.order_id };
    if (meaning.redeemed)
        return apply(effects, event, &meaning.voucher, &wish, err);
    voucher_forgo(&effects_add(effects)->write, &meaning.voucher, meaning.use.order_id,
                  clock_now());
    return true;
}
