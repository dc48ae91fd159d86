#include "voucher-service/voucher_use_service.h"

#include "shared/runtime/crash_point.h"
#include "shared/runtime/metrics.h"
#include "voucher-service/voucher_events.h"
#include "voucher-service/voucher_json.h"

/* --- finding ---------------------------------------------------------------------------------- */

/* A voucher belongs to a merchant, so only a merchant's key may use one; operators end any. */
static bool require_merchant(const struct access *access, const struct voucher_wish *wish,
                             struct error *err)
{
    return wish->way == VOUCHER_VOID || access_require_merchant(access, "Vouchers are used", err);
}

/* A code that can not be one is one that nobody has; what is wrong with it is in the detail. */
static bool find_by_code(const struct voucher_service *service,
                         const struct voucher_command *command, struct voucher *out,
                         struct error *err)
{
    if (voucher_service_find_code(service, command->caller, command->code, out, err))
        return true;
    return err->kind == ERROR_VALIDATION
               ? error_set(err, ERROR_NOT_FOUND, "not_found", "%s", err->detail)
               : false;
}

static bool find(const struct voucher_service *service, const struct voucher_command *command,
                 struct voucher *out, struct error *err)
{
    switch (command->handle) {
    case VOUCHER_BY_CODE:
        return find_by_code(service, command, out, err);
    case VOUCHER_BY_REDEMPTION:
        return voucher_store_read_redemption(backbone_pool(service->backbone), command->caller,
                                             command->id, out, err);
    case VOUCHER_BY_ID:
    default:
        return voucher_service_read(service, command->caller, command->id, out, err);
    }
}

/* --- changing --------------------------------------------------------------------------------- */

static void count_event(const char *type)
{
    char labels[EVENT_TYPE_SIZE + 16];

    text_format(labels, sizeof(labels), "type=\"%s\"", type);
    metric_add(metric_counter("checkout_voucher_events_total",
                              "Changes of vouchers that merchants, operators and time made",
                              labels),
               1);
}

/* Commits a write; `done` is false when it was refused. */
static bool commit(const struct voucher_service *service, struct write *write,
                   struct deadline deadline, bool *done, struct error *err)
{
    if (!journal_commit(backbone_journal(service->backbone), write, deadline, err))
        return false;
    *done = write->outcome == WRITE_DONE;
    for (size_t i = 0; *done && i < write->event_count; i++)
        count_event(write->events[i]->type);
    return true;
}

/* In the very text of the event of that version, which a repeat is answered with: of all events
 * voucher.issued alone, which is the first, has the whole code. */
static void answer_as_is(struct answer *out, const struct voucher *voucher)
{
    enum voucher_view view = voucher->version == 1 ? VOUCHER_WHOLE : VOUCHER_MASKED;
    AUTO(buffer_release) struct buffer body = BUFFER_EMPTY;
    struct json_writer json = { .out = &body };

    voucher_write(&json, voucher, view);
    answer_make(out, HTTP_OK, voucher->id, voucher->version, &body);
}

static bool has_key(const struct voucher_command *command)
{
    return command->idempotency && command->idempotency->key[0] != '\0';
}

/* Nothing to change: the answer is the voucher as it is, kept if there is a key to keep it under.
 */
static bool keep_unchanged(const struct voucher_service *service,
                           const struct voucher_command *command, const struct voucher *voucher,
                           struct answer *out, struct error *err)
{
    bool done = true;

    if (has_key(command)) {
        const struct answer answer = { .status = HTTP_OK,
                                       .subject = voucher->id,
                                       .subject_version = voucher->version };
        AUTO(write_release) struct write write;

        answers_keep(&write, command->caller, command->idempotency, &answer);
        if (!commit(service, &write, command->caller->deadline, &done, err))
            return false;
    }
    if (done)
        answer_as_is(out, voucher);
    return true;
}

/* No answer when somebody was faster, or the key was used before. */
static bool write_change(const struct voucher_service *service,
                         const struct voucher_command *command, const struct voucher *voucher,
                         const char *event, struct answer *out, struct error *err)
{
    AUTO(announcement_release) struct announcement announcement = ANNOUNCEMENT_EMPTY;
    AUTO(write_release) struct write write;
    bool done;

    voucher_announce(&announcement, voucher, event, &command->caller->trace);
    voucher_update(&write, voucher, command->idempotency, command->status);
    write_announce(&write, &announcement.event);
    if (!commit(service, &write, command->caller->deadline, &done, err))
        return false;
    if (done && voucher->status == VOUCHER_RESERVED)
        CRASH_POINT("voucher:reserved");
    if (done)
        answer_make(out, command->status, voucher->id, voucher->version, &announcement.data);
    return true;
}

/* One attempt: no answer means that it has to be decided anew. */
static bool attempt(const struct voucher_service *service, const struct voucher_command *command,
                    const struct voucher_wish *wish, struct answer *out, struct error *err)
{
    struct voucher voucher;
    const char *event;

    if (!find(service, command, &voucher, err))
        return false;
    bool allowed = voucher_use(&voucher, wish, clock_now(), &event, err);
    if (allowed && !(event ? write_change(service, command, &voucher, event, out, err)
                           : keep_unchanged(service, command, &voucher, out, err)))
        return false;
    /* refused, by the rules or by the write: what was answered before comes first */
    if (out->status == 0 && has_key(command) &&
        !answers_find(backbone_pool(service->backbone), command->caller, command->idempotency, out,
                      err))
        return false;
    return allowed || out->status != 0;
}

bool voucher_use_service_do(const struct voucher_service *service,
                            const struct voucher_command *command, const struct voucher_wish *wish,
                            struct answer *out, struct error *err)
{
    if (!require_merchant(&command->caller->access, wish, err))
        return false;
    for (int i = 0; i < VOUCHER_ATTEMPTS_MAX; i++) {
        if (!attempt(service, command, wish, out, err))
            return false;
        if (out->status != 0)
            return true;
    }
    return error_set_restless(err, "voucher");
}

bool voucher_use_service_ask(const struct voucher_service *service,
                             const struct voucher_command *command, const struct voucher_wish *wish,
                             struct voucher *out, struct error *err)
{
    struct voucher changed;
    const char *event;

    if (!require_merchant(&command->caller->access, wish, err) || !find(service, command, out, err))
        return false;
    changed = *out;
    return voucher_use(&changed, wish, clock_now(), &event, err);
}

bool voucher_use_service_apply(const struct voucher_service *service, struct voucher *voucher,
                               const struct voucher_wish *wish, struct deadline deadline,
                               struct error *err)
{
    AUTO(announcement_release) struct announcement announcement = ANNOUNCEMENT_EMPTY;
    struct trace trace = trace_create();
    const char *event;
    bool done;

    if (!voucher_use(voucher, wish, clock_now(), &event, err))
        return false;
    if (!event)
        return true;

    AUTO(write_release) struct write write;
    voucher_announce(&announcement, voucher, event, &trace);
    voucher_update(&write, voucher, NULL, HTTP_OK);
    write_announce(&write, &announcement.event);
    return commit(service, &write, deadline, &done, err);
}
