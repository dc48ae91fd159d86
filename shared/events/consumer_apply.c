#include "shared/events/consumer_private.h"
#include "shared/runtime/log.h"

static void show_lag(struct consumer *consumer, int64_t lag)
{
    atomic_store(&consumer->shown_lag, lag);
    metric_set(consumer->lag, lag);
}

void consumer_show_progress(struct consumer *consumer, int64_t position)
{
    consumer->position = position;
    if (consumer->extent.head < position)
        consumer->extent.head = position;
    if (consumer->position_metric == NULL) /* a 0 before would tell of a lag that there is not */
        consumer->position_metric =
            metric_gauge("checkout_consumer_position",
                         "The last event that took effect, as its leader knew", consumer->labels);
    metric_set(consumer->position_metric, position);
    show_lag(consumer, consumer->extent.head - position);
}

void consumer_show_standby(struct consumer *consumer)
{
    show_lag(consumer, 0);
    atomic_store(&consumer->log_cut, false);
}

static struct batch_context context_of(const struct consumer *consumer)
{
    return (struct batch_context){ &consumer->settings, consumer->connection, consumer->position };
}

/* What was committed is announced at once. */
static void note_commit(struct consumer *consumer, int64_t position, size_t applied)
{
    metric_add(consumer->applied, (int64_t)applied);
    consumer_show_progress(consumer, position);
    if (consumer->settings.on_commit != NULL)
        consumer->settings.on_commit(consumer->settings.on_commit_ctx, consumer->settings.stream);
}

/* With `moves`, it stands next in the sequence and the position moves past it. */
static bool bury(struct consumer *consumer, const struct arrival *arrival, bool moves,
                 struct error *err)
{
    struct batch_context context = context_of(consumer);
    bool is_new = false;
    enum apply_outcome outcome = batch_bury(&context, arrival, moves, &is_new, err);

    if (outcome != APPLY_DONE)
        return outcome == APPLY_FENCED
                   ? error_set(err, ERROR_TRANSIENT, "fenced", "another leader was here")
                   : false;
    if (moves)
        consumer_show_progress(consumer, arrival->sequence);
    if (!is_new) /* a retained message comes again with every subscription */
        return true;
    metric_add(consumer->dead, 1);
    log_error("event became a dead letter", LOG_TEXT("reason", arrival->reason),
              LOG_TEXT("detail", arrival->detail), LOG_INTEGER("sequence", arrival->sequence));
    return true;
}

/* Only who acts on it reads its data. Garbled on the bus, it does not stand for its number. */
static bool is_garbled(const struct arrival *arrival, const struct error *err)
{
    return err->kind == ERROR_MALFORMED && arrival->topic[0] != '\0';
}

static bool bury_poison(struct consumer *consumer, struct arrival *arrival, struct error *err)
{
    bool moves = !is_garbled(arrival, err);

    if (!moves)
        consumer_miss(consumer);
    text_copy(arrival->reason, sizeof(arrival->reason),
              err->kind == ERROR_DATA ? "data_refused" : err->code);
    text_copy(arrival->detail, sizeof(arrival->detail),
              err->field_count > 0 ? err->fields[0].detail : err->detail);
    return bury(consumer, arrival, moves, err);
}

static bool apply_run(struct consumer *consumer, struct arrival **run, size_t count,
                      struct error *err);

/* Until one of them moved nothing: what follows it is in the log. */
static bool apply_one_by_one(struct consumer *consumer, struct arrival **run, size_t count,
                             struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!apply_run(consumer, &run[i], 1, err))
            return false;
        if (consumer->position < run[i]->sequence)
            break;
    }
    return true;
}

/* Consecutive valid arrivals: together if possible, else one by one, so that only the poison is
 * put aside. */
static bool apply_run(struct consumer *consumer, struct arrival **run, size_t count,
                      struct error *err)
{
    struct batch_context context = context_of(consumer);
    enum apply_outcome outcome =
        batch_apply(&context, (const struct arrival *const *)run, count, err);

    switch (outcome) {
    case APPLY_DONE:
        note_commit(consumer, run[count - 1]->sequence, count);
        return true;
    case APPLY_FENCED:
        return error_set(err, ERROR_TRANSIENT, "fenced", "another leader was here");
    case APPLY_POISON:
        if (count == 1)
            return bury_poison(consumer, run[0], err);
        return apply_one_by_one(consumer, run, count, err);
    case APPLY_WEATHER:
    default:
        return false;
    }
}

static int compare_arrivals(const void *a, const void *b)
{
    const struct arrival *const *left = a, *const *right = b;

    return ((*left)->sequence > (*right)->sequence) - ((*left)->sequence < (*right)->sequence);
}

/*
 * Applies what continues the position and drops duplicates; at the first hole it stops. Arrivals
 * that are not valid are for the caller.
 */
static bool apply_in_order(struct consumer *consumer, struct arrival *arrivals, size_t count,
                           struct error *err)
{
    struct arrival *run[CONSUMER_BATCH_MAX], *sorted[CONSUMER_BATCH_MAX];
    size_t run_count = 0, valid_count = 0;
    int64_t next = consumer->position + 1;

    for (size_t i = 0; i < count; i++)
        if (arrivals[i].valid)
            sorted[valid_count++] = &arrivals[i];
    qsort(sorted, valid_count, sizeof(sorted[0]), compare_arrivals);
    for (size_t i = 0; i < valid_count; i++) {
        if (sorted[i]->sequence < next) {
            metric_add(consumer->duplicates, 1);
        } else if (sorted[i]->sequence == next) {
            run[run_count++] = sorted[i];
            next++;
        } else {
            consumer_miss(consumer);
            break;
        }
    }
    return run_count == 0 || apply_run(consumer, run, run_count, err);
}

/* What the bus brought. What is not valid is put aside, and the log is asked what was there. */
bool consumer_apply_arrivals(struct consumer *consumer, struct error *err)
{
    if (!apply_in_order(consumer, consumer->arrivals, consumer->count, err))
        return false;
    for (size_t i = 0; i < consumer->count; i++) {
        if (consumer->arrivals[i].valid)
            continue;
        if (!bury(consumer, &consumer->arrivals[i], false, err))
            return false;
        consumer_miss(consumer);
    }
    return true;
}

/* The elements of a page, in their order: runs of valid ones, and between them the buried. */
bool consumer_apply_page(struct consumer *consumer, struct arrival *arrivals, size_t count,
                         struct error *err)
{
    size_t start = 0;

    for (size_t i = 0; i <= count; i++) {
        if (i < count && arrivals[i].valid)
            continue;
        if (i > start && !apply_in_order(consumer, &arrivals[start], i - start, err))
            return false;
        if (i < count && !bury(consumer, &arrivals[i], true, err))
            return false;
        start = i + 1;
    }
    metric_add(consumer->pulled, (int64_t)count);
    return true;
}
