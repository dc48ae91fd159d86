#include "shared/events/consumer_batch.h"

#include "shared/events/consumption.h"
#include "shared/events/dead_letter.h"
#include "shared/events/event_log.h"

/* One batch, pulled or delivered. */
enum { BATCH_MS = 5000 };

STATEMENT(consumer_position_move, "any",
          "UPDATE consumer_position SET sequence = $4 WHERE source = $1 AND stream = $2 "
          "AND sequence = $3 RETURNING sequence");

/* ---- Arrivals ----------------------------------------------------------------------------- */

/* NULL when the source has no such type. */
static const struct consumed_type *find_type(const struct consumer_settings *settings,
                                             const char *name)
{
    for (const struct consumed_type *type = settings->types; type->name != NULL; type++)
        if (strcmp(type->name, name) == 0)
            return type;
    return NULL;
}

static void reject(struct arrival *arrival, const char *reason, const char *detail)
{
    arrival->valid = false;
    text_copy(arrival->reason, sizeof(arrival->reason), reason);
    text_copy(arrival->detail, sizeof(arrival->detail), detail);
}

static void reject_unreadable(struct arrival *arrival, const struct error *err)
{
    reject(arrival, "unreadable", err->detail);
    if (err->field_count > 0)
        text_format(arrival->detail, sizeof(arrival->detail), "%s %s", err->fields[0].pointer,
                    err->fields[0].detail);
}

/* What is read well is of a known type, or nothing that means something here. */
static void judge_type(const struct consumer_settings *settings, struct arrival *arrival)
{
    const struct consumed_type *type = find_type(settings, arrival->event.type);

    if (type == NULL)
        reject(arrival, "unknown_type", arrival->event.type);
    else
        arrival->may_wait = type->may_wait;
}

bool arrival_read(const struct consumer_settings *settings, const char *topic, struct span payload,
                  struct arrival *out)
{
    struct error err;

    *out = (struct arrival){ .valid = false };
    text_copy(out->topic, sizeof(out->topic), topic);
    out->valid = event_read(payload, settings->source.service, &out->data, &out->event, &err);
    if (out->valid && out->event.stream != settings->stream)
        return false;
    if (!out->valid)
        reject_unreadable(out, &err);
    else if (!event_fits_topic(&out->event, topic))
        reject(out, "wrong_topic", "the topic is not the one that this event belongs on");
    else
        judge_type(settings, out);
    if (out->valid)
        out->sequence = out->event.sequence;
    buffer_append_span(&out->text, payload);
    return true;
}

void arrival_pull(const struct consumer_settings *settings, struct feed_item *item,
                  struct arrival *out)
{
    *out = (struct arrival){ .valid = item->valid,
                             .event = item->event,
                             .data = item->data,
                             .text = item->text,
                             .sequence = item->sequence };
    item->data = BUFFER_EMPTY;
    item->text = BUFFER_EMPTY;
    if (!out->valid)
        reject(out, "unreadable", item->detail);
    else
        judge_type(settings, out);
}

void arrival_release(struct arrival *arrival)
{
    buffer_release(&arrival->data);
    buffer_release(&arrival->text);
}

/* ---- Effects ------------------------------------------------------------------------------ */

struct effects {
    struct transaction *transaction;
    struct effect *pending; /* begun by the handler, not queued yet */
    size_t count, capacity;
    struct effect **list;
};

static void queue_pending(struct effects *effects)
{
    if (effects->pending == NULL)
        return;
    if (effects->pending->write.statement != NULL)
        transaction_write(effects->transaction, &effects->pending->write);
    effects->pending = NULL;
}

struct effect *effects_add(struct effects *effects)
{
    queue_pending(effects);
    if (effects->count == effects->capacity) {
        struct effect **larger =
            memory_allocate_zeroed(2 * effects->capacity + 16, sizeof(struct effect *));

        for (size_t i = 0; i < effects->count; i++)
            larger[i] = effects->list[i];
        free(effects->list);
        effects->list = larger;
        effects->capacity = 2 * effects->capacity + 16;
    }
    effects->pending = memory_allocate_zeroed(1, sizeof(struct effect));
    effects->list[effects->count++] = effects->pending;
    return effects->pending;
}

bool effects_read(struct effects *effects, const struct statement *statement,
                  const struct parameters *parameters, struct rows *out, struct error *err)
{
    queue_pending(effects);
    return transaction_read(effects->transaction, statement, parameters, out, err);
}

static void begin_effects(struct effects *effects, const struct batch_context *context)
{
    *effects = (struct effects){ .count = 0 };
    effects->transaction = transaction_begin(context->connection, event_log_appender(),
                                             context->settings->stream, deadline_in_ms(BATCH_MS));
}

static void end_effects(struct effects *effects)
{
    transaction_end(effects->transaction);
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->list[i]->write.statement != NULL)
            write_release(&effects->list[i]->write);
        announcement_release(&effects->list[i]->announcement);
        free(effects->list[i]);
    }
    free(effects->list);
}

/* ---- The transaction ---------------------------------------------------------------------- */

/* What can never succeed; anything else may, later. */
static enum apply_outcome judge(const struct error *err)
{
    switch (err->kind) {
    case ERROR_DATA:
    case ERROR_MALFORMED:
    case ERROR_VALIDATION:
    case ERROR_NOT_FOUND:
    case ERROR_CONFLICT:
    case ERROR_PRECONDITION:
    case ERROR_FORBIDDEN:
    case ERROR_TOO_LARGE:
        return APPLY_POISON;
    default:
        return APPLY_WEATHER;
    }
}

/* The fence: nobody else has moved the position since we knew it. */
static enum apply_outcome move_position(const struct batch_context *context,
                                        struct effects *effects, int64_t to, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, context->settings->source.service);
    parameters_add_integer(&parameters, context->settings->stream);
    parameters_add_integer(&parameters, context->position);
    parameters_add_integer(&parameters, to);
    if (!effects_read(effects, &consumer_position_move, &parameters, &rows, err))
        return judge(err);
    return rows.count == 1 ? APPLY_DONE : APPLY_FENCED;
}

static enum apply_outcome commit(struct effects *effects, struct error *err)
{
    queue_pending(effects);
    switch (transaction_commit(effects->transaction, err)) {
    case COMMIT_DONE:
        return APPLY_DONE;
    case COMMIT_FAILED:
        return judge(err);
    case COMMIT_UNKNOWN:
    default:
        /* The position tells what became of it, once it is read again. */
        (void)error_set(err, ERROR_UNKNOWN_OUTCOME, "outcome_unknown",
                        "the database did not say whether it committed");
        return APPLY_WEATHER;
    }
}

enum apply_outcome batch_apply(const struct batch_context *context,
                               const struct arrival *const *arrivals, size_t count,
                               struct error *err)
{
    const struct consumer_settings *settings = context->settings;
    struct consumptions *consumptions = consumptions_create(count);
    struct effects effects;

    begin_effects(&effects, context);
    enum apply_outcome outcome =
        move_position(context, &effects, arrivals[count - 1]->sequence, err);
    for (size_t i = 0; outcome == APPLY_DONE && i < count; i++) {
        const struct event *event = consumption_begin(consumptions, &arrivals[i]->event);
        size_t before = effects.count;

        if (!settings->handle(settings->handle_ctx, &effects, event, err))
            outcome = judge(err);
        assert(effects.count - before <= CONSUMER_EFFECTS_MAX);
    }
    if (outcome == APPLY_DONE)
        outcome = commit(&effects, err);
    if (outcome == APPLY_DONE)
        consumptions_record(consumptions);
    end_effects(&effects);
    consumptions_destroy(consumptions);
    return outcome;
}

enum apply_outcome batch_bury(const struct batch_context *context, const struct arrival *arrival,
                              bool moves, bool *is_new, struct error *err)
{
    const struct dead_letter letter = {
        .source = context->settings->source.service,
        .stream = context->settings->stream,
        .sequence = moves ? arrival->sequence : 0,
        .reason = arrival->reason,
        .detail = arrival->detail,
        .topic = arrival->topic[0] != '\0' ? arrival->topic : NULL,
        .payload = buffer_span(&arrival->text),
    };
    struct effects effects;
    enum apply_outcome outcome = APPLY_DONE;

    begin_effects(&effects, context);
    if (moves)
        outcome = move_position(context, &effects, arrival->sequence, err);
    struct write *write = &effects_add(&effects)->write;
    dead_letter_insert(write, &letter);
    if (outcome == APPLY_DONE)
        outcome = commit(&effects, err);
    *is_new = write->outcome == WRITE_DONE;
    end_effects(&effects);
    return outcome;
}

enum apply_outcome batch_replay(const struct batch_context *context, const struct event *event,
                                struct write *also, struct error *err)
{
    const struct consumer_settings *settings = context->settings;
    struct effects effects;
    enum apply_outcome outcome = APPLY_DONE;

    if (event->stream != settings->stream || find_type(settings, event->type) == NULL) {
        (void)error_set(err, ERROR_VALIDATION, "unknown_type", "%s of stream %d means nothing here",
                        event->type, event->stream);
        return APPLY_POISON;
    }
    begin_effects(&effects, context);
    transaction_write(effects.transaction, also);
    if (!transaction_flush(effects.transaction, err))
        outcome = judge(err);
    else if (also->outcome == WRITE_REFUSED)
        outcome = APPLY_FENCED;
    if (outcome == APPLY_DONE && !settings->handle(settings->handle_ctx, &effects, event, err))
        outcome = judge(err);
    if (outcome == APPLY_DONE)
        outcome = commit(&effects, err);
    end_effects(&effects);
    return outcome;
}
