#include "payment-service/bank-simulator/bank_door.h"

#include <pthread.h>
#include <strings.h>

struct door {
    struct door_settings settings;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool closed;
    int64_t releases;
    int held;
};

struct door *door_create(const struct door_settings *settings)
{
    struct door *door = memory_allocate_zeroed(1, sizeof(*door));

    door->settings = *settings;
    pthread_mutex_init(&door->mutex, NULL);
    pthread_cond_init(&door->changed, NULL);
    return door;
}

void door_destroy(struct door *door)
{
    if (!door)
        return;
    pthread_cond_destroy(&door->changed);
    pthread_mutex_destroy(&door->mutex);
    free(door);
}

void door_release(struct door *door)
{
    pthread_mutex_lock(&door->mutex);
    door->releases++;
    pthread_cond_broadcast(&door->changed);
    pthread_mutex_unlock(&door->mutex);
}

void door_close(struct door *door)
{
    pthread_mutex_lock(&door->mutex);
    door->closed = true;
    pthread_cond_broadcast(&door->changed);
    pthread_mutex_unlock(&door->mutex);
}

struct desk *door_desk(struct door *door)
{
    return door->settings.desk;
}

/* ---- Who comes ------------------------------------------------------------------------------ */

bool door_knows(const char *authorization, const char *key)
{
    static const char scheme[] = "Bearer ";

    return strncasecmp(authorization, scheme, sizeof(scheme) - 1) == 0 &&
           text_equal_constant_time(span_of(authorization + sizeof(scheme) - 1), span_of(key));
}

static bool check_key(const struct door *door, const struct request *req, struct error *err)
{
    const char *authorization = req->caller.authorization;

    if (!authorization)
        return error_set(err, ERROR_UNAUTHENTICATED, "key_missing",
                         "The bank wants its key: Authorization: Bearer.");
    if (!door_knows(authorization, door->settings.bank_key))
        return error_set(err, ERROR_UNAUTHENTICATED, "key_invalid", "That is not the bank's key.");
    return true;
}

bool door_find(const struct door *door, const struct request *req, enum door_language language,
               const struct bank **out, struct error *err)
{
    char name[BANK_NAME_SIZE];

    if (!check_key(door, req, err))
        return false;
    const struct bank *bank =
        text_copy_span(name, sizeof(name), req->segments[0]) ? bank_find(name) : NULL;
    if (!bank ||
        (language != SPEAKS_FILES && bank->speaks_soap != (language == SPEAKS_SOAP)))
        return error_set(err, ERROR_NOT_FOUND, "bank_not_found",
                         "No bank of that name speaks this language.");
    *out = bank;
    return true;
}

bool door_read_account(struct span text, struct bank_place *out, struct error *err)
{
    if (!bank_account_is_valid(text))
        return error_set(err, ERROR_NOT_FOUND, "account_not_found",
                         "An account is called [a-z0-9-]{1,40}.");
    text_copy_span(out->account, sizeof(out->account), text);
    return true;
}

void door_enter(struct door *door, struct visit *visit)
{
    visit->call.at = clock_now();
    visit->call.bank = visit->place.bank;
    visit->call.operation = visit->operation;
    text_copy(visit->call.account, sizeof(visit->call.account), visit->place.account);
    visit->number = calls_add(door->settings.calls, &visit->call);
}

void visit_note(struct visit *visit, const struct bank_instruction *instruction)
{
    visit->call.reference = instruction->reference;
    visit->call.authorization = instruction->authorization;
    visit->call.money = instruction->money;
}

/* ---- What goes wrong ------------------------------------------------------------------------ */

/* With the mutex held: until then, or the door is closed, or whoever is in vain is released. */
static void wait_until(struct door *door, const struct timespec *until, bool in_vain)
{
    int64_t releases = door->releases;

    while (!door->closed && (!in_vain || door->releases == releases) &&
           pthread_cond_clockwait(&door->changed, &door->mutex, CLOCK_MONOTONIC, until) == 0)
        ;
}

static void pause_for(struct door *door, int64_t ms)
{
    struct timespec until = deadline_timespec(deadline_in_ms(ms));

    pthread_mutex_lock(&door->mutex);
    wait_until(door, &until, false);
    pthread_mutex_unlock(&door->mutex);
}

/* Keeps the caller waiting; false when that could not be, or not for so long. */
static bool hold(struct door *door, struct visit *visit, int64_t ms, bool in_vain)
{
    struct timespec until = deadline_timespec(deadline_in_ms(ms));

    pthread_mutex_lock(&door->mutex);
    visit->held = door->held < DOOR_HELD_MAX;
    if (visit->held) {
        door->held++;
        wait_until(door, &until, in_vain);
        door->held--;
    }
    bool whole = visit->held && !door->closed;
    pthread_mutex_unlock(&door->mutex);
    return whole;
}

static bool lose(struct reply *reply, enum reply_fate fate)
{
    reply->fate = fate;
    return true;
}

static bool act(struct visit *visit, struct reply *reply, struct error *err)
{
    return visit->act(visit->ctx, visit, reply, err);
}

static bool break_down(struct error *err)
{
    return error_set(err, ERROR_INTERNAL, "scripted", "it was asked for");
}

static bool be_unavailable(const struct fault *fault, struct error *err)
{
    error_set(err, ERROR_UNAVAILABLE, "bank_unavailable", "it was asked for");
    err->retry_after_s = fault->retry_after_s;
    return false;
}

/* What the card's expiry asks for, unless nothing does. A repeat finds what was done, and is told.
 */
static bool serve_manner(struct door *door, struct visit *visit, struct reply *reply,
                         struct error *err)
{
    if (visit->manner == MANNER_SILENT) {
        (void)hold(door, visit, DOOR_HELD_MS, true);
        return lose(reply, REPLY_LOST);
    }
    if (visit->manner == MANNER_BROKEN)
        return break_down(err);
    bool done = act(visit, reply, err);
    if (done && visit->manner == MANNER_LOST && visit->call.effect)
        return lose(reply, REPLY_LOST);
    return done;
}

/* Faults that keep the call from being done. */
static bool serve_nothing(struct door *door, struct visit *visit, const struct fault *fault,
                          struct reply *reply, struct error *err)
{
    if (fault->kind == FAULT_ERROR_500)
        return break_down(err);
    if (fault->kind == FAULT_UNAVAILABLE_503)
        return be_unavailable(fault, err);
    if (fault->kind == FAULT_TIMEOUT) {
        (void)hold(door, visit, DOOR_HELD_MS, true);
        return lose(reply, REPLY_LOST);
    }
    return lose(reply, REPLY_RESET);
}

static bool serve_fault(struct door *door, struct visit *visit, const struct fault *fault,
                        struct reply *reply, struct error *err)
{
    bool done;

    switch (fault->kind) {
    case FAULT_LATENCY:
        pause_for(door, fault->delay_ms);
        return serve_manner(door, visit, reply, err);
    case FAULT_LOSE_ANSWER:
        (void)serve_manner(door, visit, reply, err);
        return lose(reply, REPLY_LOST);
    case FAULT_ANSWER_LATE:
        done = serve_manner(door, visit, reply, err);
        pause_for(door, fault->delay_ms);
        return done;
    case FAULT_DO_LATE:
        if (hold(door, visit, fault->delay_ms, false))
            (void)act(visit, reply, err);
        return lose(reply, REPLY_LOST);
    default:
        return serve_nothing(door, visit, fault, reply, err);
    }
}

static bool strike(struct door *door, const struct visit *visit, struct fault *out)
{
    struct fault_question question = {
        .bank = visit->place.bank,
        .account = visit->place.account,
        .operation = visit->operation,
        .card = visit->card.number[0] != '\0' ? visit->card.number : NULL,
        .amount = visit->call.money.amount,
    };

    return faults_strike_call(door->settings.faults, &question, clock_monotonic_us() / 1000, out);
}

bool door_serve(struct door *door, struct visit *visit, struct reply *reply, struct error *err)
{
    struct fault fault;

    calls_tell(door->settings.calls, visit->number, &visit->call); /* what was read by now */
    if (door->settings.latency_ms > 0)
        pause_for(door, door->settings.latency_ms);
    if (!strike(door, visit, &fault))
        return serve_manner(door, visit, reply, err);
    visit->call.fault = fault_kind_words[fault.kind];
    calls_tell(door->settings.calls, visit->number, &visit->call);
    explicit_bzero(fault.card, sizeof(fault.card));
    return serve_fault(door, visit, &fault, reply, err);
}

/* ---- What became of it ---------------------------------------------------------------------- */

static void write_answered(struct visit *visit, const struct reply *reply, const struct error *err)
{
    char *out = visit->call.answered;
    int status = reply ? reply->status : error_status(err->kind);

    if (reply && reply->fate == REPLY_RESET)
        text_copy(out, CALL_ANSWER_SIZE, "reset");
    else if (reply && reply->fate == REPLY_LOST)
        text_copy(out, CALL_ANSWER_SIZE, visit->held ? "held" : "lost");
    else
        text_format(out, CALL_ANSWER_SIZE, "%d", status);
}

void door_leave(struct door *door, struct visit *visit, const struct reply *reply,
                const struct error *err)
{
    bank_card_wipe(&visit->card);
    write_answered(visit, reply, err);
    calls_tell(door->settings.calls, visit->number, &visit->call);
}
