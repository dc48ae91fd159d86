#include "payment-service/bank-simulator/bank_faults.h"

#include <pthread.h>

#include "shared/base/buffer.h"

const char *const fault_kind_words[] = {
    "latency",        "timeout",
    "error_500",      "unavailable_503",
    "reset",          "lose_answer",
    "answer_late",    "do_late",
    "outage",         "webhook_before_answer",
    "webhook_repeat", "webhook_reorder",
    "webhook_late",   "webhook_drop",
    "webhook_forged", "webhook_other_reference",
};

struct faults {
    pthread_mutex_t mutex; /* guards what follows */
    size_t count;
    struct fault at[FAULTS_MAX];
};

struct faults *faults_create(void)
{
    struct faults *faults = memory_allocate_zeroed(1, sizeof(*faults));

    pthread_mutex_init(&faults->mutex, NULL);
    return faults;
}

void faults_destroy(struct faults *faults)
{
    if (!faults)
        return;
    faults_clear(faults);
    pthread_mutex_destroy(&faults->mutex);
    free(faults);
}

bool faults_add(struct faults *faults, const struct fault *fault, int64_t now_ms, struct id *id)
{
    pthread_mutex_lock(&faults->mutex);
    bool room = faults->count < FAULTS_MAX;
    if (room) {
        struct fault *added = &faults->at[faults->count++];

        *added = *fault;
        added->id = id_create(clock_now());
        added->matched = 0;
        added->struck = 0;
        added->random = (uint64_t)fault->seed;
        added->ends_at_ms = now_ms + fault->seconds * 1000;
        *id = added->id;
    }
    pthread_mutex_unlock(&faults->mutex);
    return room;
}

bool faults_remove(struct faults *faults, struct id id)
{
    bool found = false;

    pthread_mutex_lock(&faults->mutex);
    for (size_t i = 0; i < faults->count; i++) {
        if (found)
            faults->at[i - 1] = faults->at[i];
        found = found || id_equal(faults->at[i].id, id);
    }
    if (found)
        faults->at[--faults->count] = (struct fault){ .operation = -1 };
    pthread_mutex_unlock(&faults->mutex);
    return found;
}

void faults_clear(struct faults *faults)
{
    pthread_mutex_lock(&faults->mutex);
    faults->count = 0;
    explicit_bzero(faults->at, sizeof(faults->at));
    pthread_mutex_unlock(&faults->mutex);
}

void fault_mask(struct fault *fault)
{
    char *digit = fault->card;

    for (size_t left = strlen(digit); left > 4; left--)
        *digit++ = '*';
}

size_t faults_list(struct faults *faults, struct fault out[FAULTS_MAX])
{
    pthread_mutex_lock(&faults->mutex);
    size_t count = faults->count;
    for (size_t i = 0; i < count; i++) {
        out[i] = faults->at[i];
        fault_mask(&out[i]);
    }
    pthread_mutex_unlock(&faults->mutex);
    return count;
}

/* ---- Striking ------------------------------------------------------------------------------- */

static bool matches(const struct fault *fault, const struct fault_question *question)
{
    return (!fault->bank || fault->bank == question->bank) &&
           (fault->operation < 0 || fault->operation == (int)question->operation) &&
           (fault->account[0] == '\0' || strcmp(fault->account, question->account) == 0) &&
           (fault->amount == 0 || fault->amount == question->amount) &&
           (fault->card[0] == '\0' || (question->card && strcmp(fault->card, question->card) == 0));
}

/* The next number of a generator that is the same everywhere (splitmix64). */
static uint64_t draw(uint64_t *state)
{
    uint64_t number = *state += 0x9e3779b97f4a7c15;

    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
    number = (number ^ number >> 27) * 0x94d049bb133111eb;
    return number ^ number >> 31;
}

/* Counts a match, and says whether it is one of those to be struck. */
static bool chooses(struct fault *fault)
{
    int64_t limit = fault->kind == FAULT_WEBHOOK_REPEAT ? 0 : fault->times;
    int64_t place = fault->matched++ % fault->share_of;
    bool drawn = (int64_t)(draw(&fault->random) % 100) < fault->probability_percent;

    if (place < fault->share_of - fault->share_part || !drawn ||
        (limit > 0 && fault->struck >= limit))
        return false;
    fault->struck++;
    return true;
}

bool faults_strike_call(struct faults *faults, const struct fault_question *question,
                        int64_t now_ms, struct fault *out)
{
    bool struck = false;

    pthread_mutex_lock(&faults->mutex);
    for (size_t i = 0; i < faults->count && !struck; i++) {
        struct fault *fault = &faults->at[i];
        bool over = fault->kind == FAULT_OUTAGE && now_ms >= fault->ends_at_ms;

        struck =
            fault->kind < FAULT_CALL_KINDS && !over && matches(fault, question) && chooses(fault);
        if (struck)
            *out = *fault;
    }
    pthread_mutex_unlock(&faults->mutex);
    return struck;
}

static void add_to_plan(const struct fault *fault, struct fault_plan *plan)
{
    plan->before_answer |= fault->kind == FAULT_WEBHOOK_BEFORE_ANSWER;
    plan->held |= fault->kind == FAULT_WEBHOOK_REORDER;
    plan->dropped |= fault->kind == FAULT_WEBHOOK_DROP;
    plan->forged |= fault->kind == FAULT_WEBHOOK_FORGED;
    if (fault->kind == FAULT_WEBHOOK_REPEAT)
        plan->copies = fault->times;
    if (fault->kind == FAULT_WEBHOOK_LATE)
        plan->delay_ms = fault->delay_ms;
    if (fault->kind == FAULT_WEBHOOK_OTHER_REFERENCE) {
        plan->other = true;
        plan->reference = fault->reference;
    }
}

struct fault_plan faults_strike_webhook(struct faults *faults,
                                        const struct fault_question *question)
{
    struct fault_plan plan = { .copies = 1 };

    pthread_mutex_lock(&faults->mutex);
    for (size_t i = 0; i < faults->count; i++) {
        struct fault *fault = &faults->at[i];

        if (fault->kind >= FAULT_CALL_KINDS && matches(fault, question) && chooses(fault))
            add_to_plan(fault, &plan);
    }
    pthread_mutex_unlock(&faults->mutex);
    return plan;
}
