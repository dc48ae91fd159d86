/*
 * Voucher service: what can be done with vouchers and their rules, one function per use case.
 *
 * (That vouchers come into being, are used and end is not among them: see voucher_issuing.h,
 * voucher_use_service.h and voucher_expiry.h.)
 *
 * Any thread.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_SERVICE_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_SERVICE_H

#include "shared/events/backbone.h"
#include "shared/http/page.h"
#include "voucher-service/voucher_guesses.h"
#include "voucher-service/voucher_store.h"

struct voucher_service {
    struct backbone *backbone;
    struct voucher_guesses *guesses;
};

MUST_CHECK bool voucher_service_read(const struct voucher_service *service,
                                     const struct caller *caller, struct id id, struct voucher *out,
                                     struct error *err);

/*
 * Finds a voucher by its code as somebody wrote it. ERROR_VALIDATION "code_invalid" when it is
 * mistyped, ERROR_NOT_FOUND when nobody has it, or somebody else; ERROR_RATE_LIMITED after too many
 * of these.
 */
MUST_CHECK bool voucher_service_find_code(const struct voucher_service *service,
                                          const struct caller *caller, const char *text,
                                          struct voucher *out, struct error *err);

/* Writes a page; `filter->window.limit` vouchers are shown, and whether more follow. Codes are
 * masked. */
MUST_CHECK bool voucher_service_list(const struct voucher_service *service,
                                     const struct caller *caller,
                                     const struct voucher_filter *filter, struct buffer *body,
                                     struct error *err);

/* Writes a page of rules. */
MUST_CHECK bool voucher_service_list_rules(const struct voucher_service *service,
                                           const struct caller *caller, const struct page *page,
                                           struct buffer *body, struct error *err);

/*
 * Adds a rule (its id and time are set here) and writes it; it holds for orders that are sent after
 * the answer. `replayed` tells that the request was answered before. ERROR_CONFLICT
 * "voucher_rule_exists" when the currency has one.
 */
MUST_CHECK bool voucher_service_add_rule(const struct voucher_service *service,
                                         const struct request *req, struct voucher_rule *rule,
                                         bool *replayed, struct error *err);

#endif
