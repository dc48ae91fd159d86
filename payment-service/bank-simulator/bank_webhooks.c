#include "payment-service/bank-simulator/bank_webhooks.h"

#include <pthread.h>
#include <stdatomic.h>

#include "payment-service/bank-simulator/bank_notice.h"
#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"

enum {
    SLOTS = 128,         /* webhooks that are in memory at once */
    LOOK_EVERY_MS = 100, /* how often the queue is looked at when nobody says that it is longer */
    READ_MS = 5000,
    WRITE_MS = 5000,
    HELD_MAX = 100, /* that are looked at */
    STREAM = 0,
};

/*
 * A webhook that was read from the queue. One that is done stays in its slot until the queue is
 * read again: a reading that began before it was done may still show it.
 */
enum slot_state { SLOT_FREE, SLOT_DUE, SLOT_POSTING, SLOT_DONE };

struct slot {
    enum slot_state state;
    struct id id;
    struct bank_place place;
    enum bank_hook_mode mode;
    int64_t copies, tries;
    char *body;
};

struct webhooks {
    struct bank_book book;
    struct letters *letters;
    struct metric *taken, *refused;
    atomic_int holding;    /* 0: none is held until another one went */
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool stopping, reading;
    bool more; /* the queue is longer than it was when it was read last */
    size_t worker_count;
    pthread_t workers[WEBHOOK_WORKERS];
    struct slot slots[SLOTS];
};

/* ---- Statements ----------------------------------------------------------------------------- */

STATEMENT(webhooks_due, "bank",
          "SELECT id, bank, account, body, mode, copies, tries FROM webhooks"
          " WHERE due_at <= $1 ORDER BY due_at LIMIT $2::bigint");

STATEMENT(webhook_answered, "bank",
          "WITH input AS (SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[],"
          " $4::timestamptz[]) AS input (id, tries, answer, due_at)"
          ") UPDATE webhooks w SET tries = input.tries, answer = input.answer,"
          " due_at = input.due_at FROM input WHERE w.id = input.id RETURNING w.id");

STATEMENT(webhooks_held, "bank",
          "SELECT id, bank = $1 AND account = $2 AND id < $3 AS goes FROM webhooks"
          " WHERE due_at IS NOT NULL AND mode = 'held' LIMIT $4::bigint");

STATEMENT(webhook_release, "bank",
          "WITH input AS (SELECT * FROM unnest($1::uuid[], $2::timestamptz[])"
          " AS input (id, due_at)"
          ") UPDATE webhooks w SET mode = 'plain', due_at = input.due_at FROM input"
          " WHERE w.id = input.id AND w.due_at IS NOT NULL RETURNING w.id");

/* ---- Life ----------------------------------------------------------------------------------- */

static struct metric *make_metric(const char *labels)
{
    return metric_counter("checkout_bank_webhooks_total", "Webhooks posted, by how it went.",
                          labels);
}

struct webhooks *webhooks_create(const struct bank_book *book, struct letters *letters)
{
    struct webhooks *webhooks = memory_allocate_zeroed(1, sizeof(*webhooks));

    webhooks->book = *book;
    webhooks->letters = letters;
    webhooks->taken = make_metric("outcome=\"taken\"");
    webhooks->refused = make_metric("outcome=\"refused\"");
    webhooks->holding = 1; /* perhaps, by a predecessor */
    webhooks->more = true;
    pthread_mutex_init(&webhooks->mutex, NULL);
    pthread_cond_init(&webhooks->changed, NULL);
    return webhooks;
}

void webhooks_destroy(struct webhooks *webhooks)
{
    if (!webhooks)
        return;
    webhooks_stop(webhooks);
    for (size_t i = 0; i < SLOTS; i++)
        free(webhooks->slots[i].body);
    pthread_cond_destroy(&webhooks->changed);
    pthread_mutex_destroy(&webhooks->mutex);
    free(webhooks);
}

void webhooks_stop(struct webhooks *webhooks)
{
    pthread_mutex_lock(&webhooks->mutex);
    webhooks->stopping = true;
    pthread_cond_broadcast(&webhooks->changed);
    pthread_mutex_unlock(&webhooks->mutex);
    for (; webhooks->worker_count > 0; webhooks->worker_count--)
        pthread_join(webhooks->workers[webhooks->worker_count - 1], NULL);
}

/* ---- Posting -------------------------------------------------------------------------------- */

/* If that fails, it is due as it was, and posted again. */
static void write_answer(struct webhooks *webhooks, struct id id, int64_t tries, int status,
                         int64_t pause_ms)
{
    AUTO(write_release) struct write write;
    struct error err;

    write_begin(&write, &webhook_answered, WRITE_CHANGE, STREAM, id);
    parameters_add_id(&write.parameters, id);
    parameters_add_integer(&write.parameters, tries);
    if (status >= 100 && status < 600)
        parameters_add_integer(&write.parameters, status);
    else
        parameters_add_null(&write.parameters, PARAMETER_INTEGER);
    parameters_add_instant_or_null(&write.parameters, pause_ms > 0
                                                          ? instant_add_ms(clock_now(), pause_ms)
                                                          : (struct instant){ 0 });
    if (!journal_commit(webhooks->book.journal, &write, deadline_in_ms(WRITE_MS), &err))
        log_swallowed(LOG_LEVEL_WARNING, "a webhook's answer was not written down", &err);
}

static void release_one(struct webhooks *webhooks, struct id id)
{
    AUTO(write_release) struct write write;
    struct error err;

    write_begin(&write, &webhook_release, WRITE_CHANGE, STREAM, id);
    parameters_add_id(&write.parameters, id);
    parameters_add_instant(&write.parameters, clock_now());
    if (!journal_commit(webhooks->book.journal, &write, deadline_in_ms(WRITE_MS), &err))
        log_swallowed(LOG_LEVEL_WARNING, "a webhook stays held", &err);
}

static bool find_held(struct webhooks *webhooks, const struct bank_place *place, struct id went,
                      struct rows *out)
{
    AUTO(parameters_release) struct parameters parameters;
    struct error err;

    parameters_begin(&parameters);
    parameters_add_text(&parameters, place->bank->name);
    parameters_add_text(&parameters, place->account);
    parameters_add_id(&parameters, went);
    parameters_add_integer(&parameters, HELD_MAX);
    return db_query(webhooks->book.pool, &webhooks_held, &parameters, deadline_in_ms(READ_MS), out,
                    &err);
}

/*
 * What waited until a later one of its account went may go now. The number tells whether another
 * one was held since it was looked.
 */
static void release_held(struct webhooks *webhooks, const struct bank_place *place, struct id went)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    int holding = atomic_load(&webhooks->holding);

    if (holding == 0 || !find_held(webhooks, place, went, &rows))
        return;
    for (size_t i = 0; i < rows.count; i++) {
        struct row row = rows_at(&rows, i);

        if (row_boolean(&row, "goes"))
            release_one(webhooks, row_id(&row, "id"));
    }
    if (rows.count == 0)
        atomic_compare_exchange_strong(&webhooks->holding, &holding, 0);
}

/* Posts all copies; whether the last was taken counts. */
static void post(struct webhooks *webhooks, const struct slot *slot)
{
    int64_t tries = slot->tries + 1, pause_ms;
    int status = 0;
    struct letter letter = { .place = &slot->place,
                             .id = slot->id,
                             .content_type = bank_notice_content_type(slot->place.bank),
                             .body = span_of(slot->body),
                             .forged = slot->mode == HOOK_FORGED };

    for (int64_t i = 0; i < slot->copies; i++) {
        letter.at = clock_now();
        status = letters_post(webhooks->letters, &letter);
    }
    pause_ms = slot->mode == HOOK_FORGED ? 0 : bank_notice_pause_ms(tries, status);
    metric_add(status >= 200 && status < 300 ? webhooks->taken : webhooks->refused, 1);
    write_answer(webhooks, slot->id, tries, status, pause_ms);
    release_held(webhooks, &slot->place, slot->id);
}

/* ---- The queue ------------------------------------------------------------------------------ */

static void free_slot(struct slot *slot)
{
    free(slot->body);
    slot->body = NULL;
    slot->state = SLOT_FREE;
}

/* With the mutex held, like all of these. */
static struct slot *find_slot(struct webhooks *webhooks, enum slot_state state)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (webhooks->slots[i].state == state)
            return &webhooks->slots[i];
    return NULL;
}

static bool is_known(const struct webhooks *webhooks, struct id id)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (webhooks->slots[i].state != SLOT_FREE && id_equal(webhooks->slots[i].id, id))
            return true;
    return false;
}

static void fill_slot(struct slot *slot, const struct row *row)
{
    slot->state = SLOT_DUE;
    slot->id = row_id(row, "id");
    slot->place.bank = bank_find(row_text(row, "bank"));
    assert(slot->place.bank);
    row_copy_text(row, "account", slot->place.account, sizeof(slot->place.account));
    slot->mode = strcmp(row_text(row, "mode"), "forged") == 0 ? HOOK_FORGED : HOOK_PLAIN;
    slot->copies = row_integer(row, "copies");
    slot->tries = row_integer(row, "tries");
    slot->body = memory_copy_text(row_span(row, "body"));
}

static void fill_slots(struct webhooks *webhooks, const struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct row row = rows_at(rows, i);
        struct slot *slot = find_slot(webhooks, SLOT_FREE);

        if (slot && !is_known(webhooks, row_id(&row, "id")))
            fill_slot(slot, &row);
    }
}

static bool read_queue(struct webhooks *webhooks, struct rows *out)
{
    AUTO(parameters_release) struct parameters parameters;
    struct error err;

    parameters_begin(&parameters);
    parameters_add_instant(&parameters, clock_now());
    parameters_add_integer(&parameters, SLOTS);
    if (db_query(webhooks->book.pool, &webhooks_due, &parameters, deadline_in_ms(READ_MS), out,
                 &err))
        return true;
    log_swallowed(LOG_LEVEL_WARNING, "the webhooks can not be read", &err);
    return false;
}

/* Reads what is due; the mutex is let go meanwhile. What was done before is not shown any more. */
static void read_due(struct webhooks *webhooks)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    webhooks->reading = true;
    webhooks->more = false;
    for (size_t i = 0; i < SLOTS; i++)
        if (webhooks->slots[i].state == SLOT_DONE)
            free_slot(&webhooks->slots[i]);
    pthread_mutex_unlock(&webhooks->mutex);
    bool read = read_queue(webhooks, &rows);
    pthread_mutex_lock(&webhooks->mutex);
    if (read)
        fill_slots(webhooks, &rows);
    webhooks->more = webhooks->more || rows.count == SLOTS;
    webhooks->reading = false;
    pthread_cond_broadcast(&webhooks->changed);
}

/* Waits until something may be due; true when it is time to look into the queue. */
static bool wait_for_change(struct webhooks *webhooks)
{
    struct timespec until = deadline_timespec(deadline_in_ms(LOOK_EVERY_MS));

    return pthread_cond_clockwait(&webhooks->changed, &webhooks->mutex, CLOCK_MONOTONIC, &until) !=
           0;
}

/* The next one to be posted; NULL when the worker shall end. */
static struct slot *take(struct webhooks *webhooks)
{
    struct slot *slot = NULL;

    pthread_mutex_lock(&webhooks->mutex);
    while (!webhooks->stopping && (slot = find_slot(webhooks, SLOT_DUE)) == NULL) {
        bool may_read = !webhooks->reading;

        if (may_read && (webhooks->more || wait_for_change(webhooks)) && !webhooks->reading)
            read_due(webhooks);
        else if (!may_read)
            (void)wait_for_change(webhooks);
    }
    if (slot)
        slot->state = SLOT_POSTING;
    pthread_mutex_unlock(&webhooks->mutex);
    return slot;
}

static void finish(struct webhooks *webhooks, struct slot *slot)
{
    pthread_mutex_lock(&webhooks->mutex);
    slot->state = SLOT_DONE;
    pthread_mutex_unlock(&webhooks->mutex);
}

static void *work(void *ctx)
{
    struct webhooks *webhooks = ctx;
    struct slot *slot;

    while ((slot = take(webhooks)) != NULL) {
        post(webhooks, slot);
        finish(webhooks, slot);
    }
    return NULL;
}

void webhooks_start(struct webhooks *webhooks)
{
    for (; webhooks->worker_count < WEBHOOK_WORKERS; webhooks->worker_count++) {
        int failed =
            pthread_create(&webhooks->workers[webhooks->worker_count], NULL, work, webhooks);

        assert(failed == 0);
    }
}

/* ---- For the desk --------------------------------------------------------------------------- */

static void wake(void *ctx, const struct bank_hook *hook)
{
    struct webhooks *webhooks = ctx;

    if (hook->mode == HOOK_HELD)
        atomic_fetch_add(&webhooks->holding, 1);
    pthread_mutex_lock(&webhooks->mutex);
    webhooks->more = true;
    pthread_cond_signal(&webhooks->changed);
    pthread_mutex_unlock(&webhooks->mutex);
}

/* The body is the desk's until this returns. */
static void post_now(void *ctx, const struct bank_place *place, const struct bank_hook *hook)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct slot slot = {
        .id = hook->id, .place = *place, .mode = hook->mode, .copies = hook->copies
    };

    buffer_append_span(&body, hook->body);
    slot.body = body.at;
    post(ctx, &slot);
}

struct bank_post webhooks_post(struct webhooks *webhooks)
{
    return (struct bank_post){ .ctx = webhooks, .now = post_now, .wake = wake };
}
