/*
 * Gateway chain: the banks in their order, each behind a circuit breaker.
 *
 * A payment goes to the first that takes it (currency, amount, method) and whose breaker allows it;
 * why the others before it were not asked is kept with the attempt. When a bank certainly did
 * nothing, gateway_chain_next() says who comes after it. What follows a payment - capture, void,
 * refund, look up - goes where the payment was made, by name, whatever the breaker says about new
 * ones: but it records what became of it there.
 *
 * Any thread. Outcomes `nothing` and `unknown` count as errors of the bank, all others as health.
 * Metrics: checkout_gateway_calls_total{gateway,operation,outcome},
 * checkout_gateway_seconds{gateway,operation}, checkout_breaker_state{gateway} (0 closed, 1 open, 2
 * half-open), checkout_gateway_skipped_total{gateway,reason}.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_GATEWAY_CHAIN_H
#define CHECKOUT_PAYMENT_SERVICE_GATEWAY_CHAIN_H

#include "payment-service/gateway_config.h"
#include "shared/json/json_writer.h"

struct gateway_chain;

/* The configuration is copied. */
struct gateway_chain *gateway_chain_create(const struct gateway_config *config);

/* Takes NULL. */
void gateway_chain_destroy(struct gateway_chain *chain);

/* What is looked for. */
struct gateway_wish {
    struct money money;
    enum gateway_operation operation; /* GATEWAY_AUTHORIZE or GATEWAY_TRANSFER */
    const char *after;                /* gateways up to this one were tried; NULL: none */
};

/*
 * The first gateway that may be asked, its breaker's leave included: the caller calls it with
 * gateway_chain_perform() next, or gives the leave back with gateway_chain_forgo(). NULL when there
 * is none. Appends to `skipped` a JSON array [{"gateway":"bank-a","reason":"circuit_open"}] of
 * those that were passed over ("currency", "amount", "method", "circuit_open"); those up to
 * `wish->after` are not in it.
 */
const struct gateway *gateway_chain_next(struct gateway_chain *chain,
                                         const struct gateway_wish *wish, struct buffer *skipped);

/* Whether any gateway would take such a payment if all were well. */
bool gateway_chain_supports(const struct gateway_chain *chain, const struct gateway_wish *wish);

/* Calls, measures, and tells the breaker. For a gateway of gateway_chain_next(). */
void gateway_chain_perform(struct gateway_chain *chain, const struct gateway *gateway,
                           const struct gateway_call *call, struct gateway_result *out);

/* Gives back the leave for a call that is not made after all. */
void gateway_chain_forgo(struct gateway_chain *chain, const struct gateway *gateway);

/* The gateway of that name; NULL when the configuration has it no more. */
const struct gateway *gateway_chain_find(const struct gateway_chain *chain, const char *name);

/*
 * What follows a payment, at the bank where it was made, without asking the breaker for leave.
 * While the breaker is closed it learns the outcome; otherwise only its own probes count.
 */
void gateway_chain_follow(struct gateway_chain *chain, const struct gateway *gateway,
                          enum gateway_question question, const struct gateway_call *call,
                          struct gateway_result *out);

/*
 * Appends [{"name", "protocol", "currencies": ["EUR"] or "*", "methods": ["card", ...],
 * "amount_min", "amount_max", "breaker": {"state", "calls", "errors", "retry_in_ms"}}] in order.
 */
void gateway_chain_write(struct gateway_chain *chain, struct json_writer *json);

#endif
