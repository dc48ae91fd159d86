#include "payment-service/bank-simulator/bank_desk.h"

#include "payment-service/bank-simulator/bank_notice.h"
#include "payment-service/bank-simulator/bank_turns.h"

/* How often something is decided again because somebody was faster. */
enum { DECISIONS_MAX = 20 };

/* How long the database may take. */
enum { WRITE_MS = 5000 };

/* A webhook that is posted before the answer is left to the workers after that time. */
enum { POST_NOW_MS = 10000, HELD_MAX_MS = 10000 };

struct desk {
    struct desk_settings settings;
    struct bank_book book;
    struct turns *turns;
};

struct desk *desk_create(const struct desk_settings *settings)
{
    struct desk *desk = memory_allocate_zeroed(1, sizeof(*desk));

    desk->settings = *settings;
    desk->book = settings->book;
    desk->turns = turns_create();
    return desk;
}

void desk_destroy(struct desk *desk)
{
    if (!desk)
        return;
    turns_destroy(desk->turns);
    free(desk);
}

struct bank_book *desk_book(struct desk *desk)
{
    return &desk->book;
}

const char *desk_public_url(const struct desk *desk)
{
    return desk->settings.public_url;
}

/* ---- Telling -------------------------------------------------------------------------------- */

static struct fault_plan plan_hook(struct desk *desk, const struct bank_place *place,
                                   const struct bank_entry *entry, const struct bank_card *card)
{
    return faults_strike_webhook(desk->settings.faults, &(struct fault_question){
                                                            .bank = place->bank,
                                                            .account = place->account,
                                                            .operation = entry->record.operation,
                                                            .card = card ? card->number : NULL,
                                                            .amount = entry->record.money.amount,
                                                        });
}

static enum bank_hook_mode mode_of(const struct fault_plan *plan)
{
    if (plan->dropped)
        return HOOK_DROPPED;
    if (plan->held)
        return HOOK_HELD;
    return plan->forged ? HOOK_FORGED : HOOK_PLAIN;
}

/* Those that are held go by themselves if no other one comes. */
static int64_t delay_of(const struct fault_plan *plan)
{
    if (plan->before_answer)
        return POST_NOW_MS;
    return plan->held ? HELD_MAX_MS : plan->delay_ms;
}

/* An entry to be appended, with what is told of it. */
struct draft {
    struct bank_entry entry;
    const struct bank_place *place;
    const struct bank_instruction *instruction; /* of what was opened, or NULL */
    const struct bank_card *card;               /* the same */
    struct deadline deadline;
};

static void make_hook(struct desk *desk, const struct draft *draft, const struct fault_plan *plan,
                      struct buffer *body, struct bank_hook *out)
{
    const struct bank_entry *entry = &draft->entry;
    struct bank_record record = entry->record;

    if (plan->other)
        record.reference = plan->reference;
    *out = (struct bank_hook){
        .id = id_create(entry->at),
        .type = bank_notice_type(entry),
        .mode = mode_of(plan),
        .copies = plan->copies,
        .due_at = instant_add_ms(entry->at, delay_of(plan)),
    };
    if (!out->type)
        return;
    struct bank_notice notice = { out->id, out->type, draft->place->account, entry->at };
    struct bank_view view = { draft->place->bank, desk->settings.public_url };
    bank_notice_write(body, &notice, &record, &view);
    out->body = buffer_span(body);
}

static void tell(struct desk *desk, const struct draft *draft, const struct fault_plan *plan,
                 const struct bank_hook *hook)
{
    const struct bank_post *post = &desk->settings.post;

    if (!hook->type || hook->mode == HOOK_DROPPED)
        return;
    if (plan->before_answer)
        post->now(post->ctx, draft->place, hook);
    else
        post->wake(post->ctx, hook);
}

/* ---- Appending ------------------------------------------------------------------------------ */

/*
 * The webhook's row is written with the entry, so what a fault does to it is asked before it is
 * known whether the entry counts: one that is refused, as it is there already, uses a strike up.
 */
static bool append(struct desk *desk, const struct draft *draft, bool *appended, struct error *err)
{
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct fault_plan plan = { .copies = 1 };
    struct bank_hook hook;

    if (bank_notice_type(&draft->entry))
        plan = plan_hook(desk, draft->place, &draft->entry, draft->card);
    make_hook(desk, draft, &plan, &body, &hook);
    if (!bank_book_append(&desk->book,
                          &(struct bank_line){ .place = draft->place,
                                               .entry = &draft->entry,
                                               .instruction = draft->instruction,
                                               .hook = &hook },
                          deadline_earlier(draft->deadline, deadline_in_ms(WRITE_MS)), appended,
                          err))
        return false;
    if (*appended)
        tell(desk, draft, &plan, &hook);
    return true;
}

static bool give_up(struct error *err)
{
    return error_set(err, ERROR_OVERLOADED, "overloaded", "too many ask about one payment");
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static bool is_same(const struct bank_instruction *a, const struct bank_instruction *b)
{
    bool same_amount = a->operation == BANK_VOID || a->money.amount == b->money.amount;
    bool same_currency = bank_operation_follows(a->operation) ||
                         currency_equal(a->money.currency, b->money.currency);
    bool same_authorization =
        !bank_operation_follows(a->operation) || id_equal(a->authorization, b->authorization);

    return a->operation == b->operation && same_amount && same_currency && same_authorization &&
           a->capture == b->capture && strcmp(a->last4, b->last4) == 0 &&
           strcmp(a->expiry, b->expiry) == 0;
}

static bool replay(const struct desk_call *call, const struct bank_standing *standing,
                   struct desk_answer *out, struct error *err)
{
    if (standing->record.operation == BANK_VOID_REFERENCE)
        return error_set(err, ERROR_CONFLICT, "reference_voided",
                         "The reference was made dead before it was known, and stays so.");
    if (!is_same(call->instruction, &standing->asked))
        return error_set(err, ERROR_CONFLICT, "reference_reused",
                         "The reference stands for something else.");
    *out = (struct desk_answer){ .record = standing->record };
    return true;
}

static struct bank_key key_of(const struct desk_call *call, struct id reference)
{
    return (struct bank_key){ *call->place, reference };
}

static bool find_again(struct desk *desk, const struct desk_call *call, bool *found,
                       struct desk_answer *out, struct error *err)
{
    struct bank_key key = key_of(call, call->instruction->reference);
    struct bank_standing standing;

    *found = bank_book_find(&desk->book, &key, call->deadline, &standing, err);
    if (*found)
        return replay(call, &standing, out, err);
    return err->kind == ERROR_NOT_FOUND;
}

static struct draft draft_of(const struct desk_call *call)
{
    return (struct draft){ .place = call->place,
                           .instruction = call->instruction,
                           .card = call->card,
                           .deadline = call->deadline };
}

static void answer_fresh(const struct draft *draft, struct desk_answer *out)
{
    *out = (struct desk_answer){ .record = draft->entry.record, .fresh = true, .effect = true };
}

/* An authorization or a transfer: nothing is there to be looked at before. */
static bool open_payment(struct desk *desk, const struct desk_call *call, struct desk_answer *out,
                         struct error *err)
{
    struct instant now = clock_now();
    struct draft draft = draft_of(call);
    bool appended, found;

    if (!bank_takes(call->place->bank, call->instruction->money.currency))
        return error_set(err, ERROR_VALIDATION, "currency_not_supported", "The bank takes %s.",
                         call->place->bank->currencies);
    bank_open(call->instruction, call->verdict, id_create(now), now, &draft.entry);
    if (!append(desk, &draft, &appended, err))
        return false;
    if (appended) {
        answer_fresh(&draft, out);
        return true;
    }
    return find_again(desk, call, &found, out, err) && (found || give_up(err));
}

/* What was dead before it was known authorizes nothing. */
static bool find_authorization(struct desk *desk, const struct desk_call *call,
                               struct bank_standing *out, struct error *err)
{
    struct bank_key key = key_of(call, call->instruction->authorization);
    bool found = bank_book_find(&desk->book, &key, call->deadline, out, err);

    if (!found && err->kind != ERROR_NOT_FOUND)
        return false;
    if (found && id_equal(out->payment.reference, key.reference) &&
        out->record.operation != BANK_VOID_REFERENCE)
        return true;
    return error_set(err, ERROR_NOT_FOUND, "authorization_not_found",
                     "The account knows no such authorization.");
}

static bool follow_once(struct desk *desk, const struct desk_call *call, bool *done,
                        struct desk_answer *out, struct error *err)
{
    struct instant now = clock_now();
    struct draft draft = draft_of(call);
    struct bank_standing standing;

    if (!find_authorization(desk, call, &standing, err))
        return false;
    bank_follow(call->instruction, &standing.payment, id_create(now), now, &draft.entry);
    if (!append(desk, &draft, done, err))
        return false;
    if (*done)
        answer_fresh(&draft, out);
    return *done || find_again(desk, call, done, out, err);
}

/* A capture, void or refund. */
static bool follow_payment(struct desk *desk, const struct desk_call *call, struct desk_answer *out,
                           struct error *err)
{
    struct id payment = call->instruction->authorization;
    bool done = false, well = true;

    if (!turns_take(desk->turns, payment, call->deadline, err))
        return false;
    for (int i = 0; i < DECISIONS_MAX && well && !done; i++)
        well = follow_once(desk, call, &done, out, err);
    turns_give_back(desk->turns, payment);
    return well && (done || give_up(err));
}

/* ---- What happens without a caller ---------------------------------------------------------- */

struct happening {
    const struct bank_key *key;
    enum bank_event event;
    int64_t amount; /* 0: what is due */
    struct deadline deadline;
};

static bool refuse(const struct bank_record *record, struct error *err)
{
    return error_set(err, ERROR_CONFLICT, "not_possible",
                     "That can not happen to this %s, which is %s.",
                     bank_operation_words[record->operation], bank_status_words[record->status]);
}

/* One decision; `done` when it was appended. */
static bool happen_once(struct desk *desk, const struct happening *what, bool *done,
                        struct bank_record *out, struct error *err)
{
    struct draft draft = { .place = &what->key->place, .deadline = what->deadline };
    struct bank_standing standing;
    int64_t amount = what->amount;

    if (!bank_book_find(&desk->book, what->key, what->deadline, &standing, err))
        return false;
    if (amount == 0)
        amount = standing.payment.money.amount;
    if (!bank_happen(what->event, &standing.payment, &standing.record, amount, clock_now(),
                     &draft.entry))
        return refuse(&standing.record, err);
    *out = draft.entry.record;
    return append(desk, &draft, done, err);
}

/* The payment is told by the record, so that is read before the turn is taken. */
static bool happen(struct desk *desk, const struct happening *what, struct bank_record *out,
                   struct error *err)
{
    struct bank_standing standing;
    bool done = false, well = true;

    if (!bank_book_find(&desk->book, what->key, what->deadline, &standing, err) ||
        !turns_take(desk->turns, standing.payment.reference, what->deadline, err))
        return false;
    for (int i = 0; i < DECISIONS_MAX && well && !done; i++)
        well = happen_once(desk, what, &done, out, err);
    turns_give_back(desk->turns, standing.payment.reference);
    return well && (done || give_up(err));
}

bool desk_happen(struct desk *desk, const struct bank_key *key, enum bank_event event,
                 int64_t amount, struct bank_record *out, struct error *err)
{
    struct happening what = { key, event, amount, deadline_in_ms(WRITE_MS) };

    return happen(desk, &what, out, err);
}

/* What a reference stands for is voided if it is pending; what has ended stays, and is told. */
static bool void_known(struct desk *desk, const struct desk_call *call, struct desk_answer *out,
                       struct error *err)
{
    struct bank_key key = key_of(call, call->instruction->reference);
    struct happening what = { &key, EVENT_VOIDED, 0, call->deadline };
    struct bank_record record;

    *out = (struct desk_answer){ .effect = happen(desk, &what, &record, err) };
    return (out->effect || err->kind == ERROR_CONFLICT) &&
           desk_look_up(desk, &key, call->deadline, &out->record, err);
}

/* A reference is made dead, by taking its place in the book. */
static bool void_reference(struct desk *desk, const struct desk_call *call, struct desk_answer *out,
                           struct error *err)
{
    struct instant now = clock_now();
    struct draft draft = draft_of(call);
    bool appended;

    bank_open(call->instruction, NULL, id_create(now), now, &draft.entry);
    if (!append(desk, &draft, &appended, err))
        return false;
    if (!appended)
        return void_known(desk, call, out, err);
    answer_fresh(&draft, out);
    return true;
}

bool desk_perform(struct desk *desk, const struct desk_call *call, struct desk_answer *out,
                  struct error *err)
{
    if (call->instruction->operation == BANK_VOID_REFERENCE)
        return void_reference(desk, call, out, err);
    if (bank_operation_follows(call->instruction->operation))
        return follow_payment(desk, call, out, err);
    return open_payment(desk, call, out, err);
}

bool desk_look_up(struct desk *desk, const struct bank_key *key, struct deadline deadline,
                  struct bank_record *out, struct error *err)
{
    struct bank_standing standing;

    if (!bank_book_find(&desk->book, key, deadline, &standing, err))
        return false;
    *out = standing.record;
    return true;
}

/* ---- Duties --------------------------------------------------------------------------------- */

/* One that can not be fulfilled any more (the refund was voided) is forgotten. */
static bool do_duty(struct desk *desk, const struct bank_duty *duty, struct error *err)
{
    struct bank_record record;

    if (desk_happen(desk, &duty->key, duty->event, 0, &record, err))
        return true;
    return err->kind == ERROR_CONFLICT && bank_book_forget(&desk->book, duty, err);
}

bool desk_do_duties(struct desk *desk, struct error *err, bool *more)
{
    struct bank_duty duties[BANK_DUTIES_MAX];
    size_t count = 0;

    if (!bank_book_duties(&desk->book, clock_now(), duties, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!do_duty(desk, &duties[i], err))
            return false;
    *more = count == BANK_DUTIES_MAX;
    return true;
}
