/*
 * Voucher rule store: the table `voucher_rules`, which holds for all merchants.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_RULE_STORE_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_RULE_STORE_H

#include "shared/db/pool.h"
#include "shared/db/write.h"
#include "shared/http/page.h"
#include "shared/http/request.h"
#include "voucher-service/voucher_rule.h"

/* A page of rules, newest first, and one more if there is: rows for voucher_rule_from_row(). */
MUST_CHECK bool voucher_rule_store_list(struct pool *pool, const struct page *page,
                                        struct deadline deadline, struct rows *out,
                                        struct error *err);

/* ERROR_NOT_FOUND when it is not there. */
MUST_CHECK bool voucher_rule_store_read(struct pool *pool, struct id id, struct deadline deadline,
                                        struct voucher_rule *out, struct error *err);

/* The statement and parameters that read all rules (VOUCHER_RULES_MAX), within a transaction. */
const struct statement *voucher_rule_store_all(struct parameters *parameters);

void voucher_rule_from_row(const struct rows *rows, size_t index, struct voucher_rule *out);

/*
 * Inserts the rule; refused when its currency has one, or when the idempotency key was used. Two at
 * the same time: one raises (ERROR_DATA).
 */
void voucher_rule_insert(struct write *write, const struct voucher_rule *rule,
                         const struct access *access, const struct idempotency *idempotency);

#endif
