#include "voucher-service/voucher_service.h"

#include "shared/events/answers.h"
#include "voucher-service/voucher_json.h"
#include "voucher-service/voucher_rule_store.h"

/* --- looking ---------------------------------------------------------------------------------- */

bool voucher_service_read(const struct voucher_service *service, const struct caller *caller,
                          struct id id, struct voucher *out, struct error *err)
{
    return voucher_store_read(backbone_pool(service->backbone), caller, id, out, err);
}

/* A mistyped code is told apart: that tells nothing but arithmetic. */
static bool parse_code(const char *text, struct voucher_code *out, struct error *err)
{
    switch (voucher_code_parse(text, out)) {
    case VOUCHER_CODE_READ:
        return true;
    case VOUCHER_CODE_MISTYPED:
        return error_set(err, ERROR_VALIDATION, "code_invalid",
                         "The check symbol does not fit the code: it is mistyped.");
    case VOUCHER_CODE_NONE:
        break;
    }
    return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such object.");
}

bool voucher_service_find_code(const struct voucher_service *service, const struct caller *caller,
                               const char *text, struct voucher *out, struct error *err)
{
    const char *key_id = caller->access.key_id;
    int64_t now_ms = clock_monotonic_us() / 1000;
    struct voucher_code code;

    if (!voucher_guesses_allow(service->guesses, key_id, now_ms, err))
        return false;
    if (parse_code(text, &code, err) &&
        voucher_store_read_code(backbone_pool(service->backbone), caller, &code, out, err))
        return true;
    bool wrong = err->kind == ERROR_NOT_FOUND || err->kind == ERROR_VALIDATION;
    struct error too_many;
    if (wrong && !voucher_guesses_count(service->guesses, key_id, now_ms, &too_many))
        *err = too_many;
    return false;
}

bool voucher_service_list(const struct voucher_service *service, const struct caller *caller,
                          const struct voucher_filter *filter, struct buffer *body,
                          struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct voucher_filter one_more = *filter;
    struct json_writer json = { .out = body };
    struct voucher voucher = { .id = filter->window.before };

    one_more.window.limit++;
    if (!voucher_store_list(backbone_pool(service->backbone), caller, &one_more, &rows, err))
        return false;
    page_open(body);
    for (size_t i = 0; i < rows.count && i < (size_t)filter->window.limit; i++) {
        voucher_from_row(&rows, i, &voucher);
        voucher_write(&json, &voucher, VOUCHER_MASKED);
    }
    page_close(body, rows.count > (size_t)filter->window.limit, voucher.id);
    return true;
}

/* --- rules ------------------------------------------------------------------------------------ */

bool voucher_service_list_rules(const struct voucher_service *service, const struct caller *caller,
                                const struct page *page, struct buffer *body, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct json_writer json = { .out = body };
    struct voucher_rule rule = { .id = page->before };

    if (!voucher_rule_store_list(backbone_pool(service->backbone), page, caller->deadline, &rows,
                                 err))
        return false;
    page_open(body);
    for (size_t i = 0; i < rows.count && i < (size_t)page->limit; i++) {
        voucher_rule_from_row(&rows, i, &rule);
        voucher_rule_write(&json, &rule);
    }
    page_close(body, rows.count > (size_t)page->limit, rule.id);
    return true;
}

/* A rule that was not added: it was, by this very request, or its currency has another. */
static bool explain_refusal(const struct voucher_service *service, const struct request *req,
                            struct voucher_rule *rule, bool *replayed, struct error *err)
{
    AUTO(answer_release) struct answer answer = ANSWER_EMPTY;
    struct pool *pool = backbone_pool(service->backbone);

    if (!answers_find(pool, &req->caller, &req->idempotency, &answer, err))
        return false;
    if (answer.status == 0)
        return error_set(err, ERROR_CONFLICT, "voucher_rule_exists",
                         "There is a rule for orders in %s already.", rule->currency.code);
    *replayed = true;
    /* rules have no events and never change: the answer is the row */
    return voucher_rule_store_read(pool, answer.subject, req->caller.deadline, rule, err);
}

bool voucher_service_add_rule(const struct voucher_service *service, const struct request *req,
                              struct voucher_rule *rule, bool *replayed, struct error *err)
{
    AUTO(write_release) struct write write;

    rule->created_at = clock_now();
    rule->id = id_create(rule->created_at);
    *replayed = false;
    voucher_rule_insert(&write, rule, &req->caller.access, &req->idempotency);
    bool committed =
        journal_commit(backbone_journal(service->backbone), &write, req->caller.deadline, err);
    if (committed && write.outcome == WRITE_DONE)
        return true;
    /* two at the same moment: the constraint refuses what the statement could not see */
    return (committed || err->kind == ERROR_DATA) &&
           explain_refusal(service, req, rule, replayed, err);
}
