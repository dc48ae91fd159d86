#include "payment-service/gateway_chain.h"

#include <pthread.h>

#include "shared/runtime/log.h"
#include "shared/runtime/metrics.h"
#include "shared/runtime/trace_span.h"

/* One bank, and whether it is worth asking. */
struct link {
    struct gateway gateway;
    struct circuit_breaker breaker; /* guarded by the chain's mutex */
    struct metric *state;
};

struct gateway_chain {
    pthread_mutex_t mutex; /* held for no longer than a look at a breaker takes */
    size_t count;
    struct link links[GATEWAYS_MAX];
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

/* Under the mutex, whenever a breaker may have moved. */
static void show_state(struct link *link)
{
    static const int64_t values[BREAKER_STATE_COUNT] = {
        [BREAKER_CLOSED] = 0,
        [BREAKER_OPEN] = 1,
        [BREAKER_HALF_OPEN] = 2,
    };

    metric_set(link->state, values[breaker_look(&link->breaker, now_ms()).state]);
}

static void start_link(struct link *link, const struct gateway_entry *entry)
{
    char labels[GATEWAY_NAME_SIZE + 16];

    link->gateway = entry->gateway;
    breaker_init(&link->breaker, &entry->breaker, now_ms());
    text_format(labels, sizeof(labels), "gateway=\"%s\"", entry->gateway.name);
    link->state = metric_gauge("checkout_breaker_state",
                               "Whether the bank is asked: 0 closed, 1 open, 2 half-open.", labels);
    show_state(link);
}

struct gateway_chain *gateway_chain_create(const struct gateway_config *config)
{
    struct gateway_chain *chain = memory_allocate_zeroed(1, sizeof(*chain));

    pthread_mutex_init(&chain->mutex, NULL);
    chain->count = config->count;
    for (size_t i = 0; i < chain->count; i++)
        start_link(&chain->links[i], &config->entries[i]);
    return chain;
}

void gateway_chain_destroy(struct gateway_chain *chain)
{
    if (!chain)
        return;
    pthread_mutex_destroy(&chain->mutex);
    free(chain);
}

/* The place of a gateway of that name; `count` when there is none. */
static size_t place_of(const struct gateway_chain *chain, const char *name)
{
    size_t place = 0;

    while (place < chain->count && strcmp(chain->links[place].gateway.name, name) != 0)
        place++;
    return place;
}

/* The link of a gateway that this chain handed out. */
static struct link *link_of(struct gateway_chain *chain, const struct gateway *gateway)
{
    size_t place = place_of(chain, gateway->name);

    assert(place < chain->count && &chain->links[place].gateway == gateway);
    return &chain->links[place];
}

static bool allow(struct gateway_chain *chain, struct link *link)
{
    pthread_mutex_lock(&chain->mutex);
    bool allowed = breaker_allow(&link->breaker, now_ms());
    show_state(link);
    pthread_mutex_unlock(&chain->mutex);
    return allowed;
}

static void skip(const struct link *link, const char *reason, struct json_writer *skipped)
{
    char labels[GATEWAY_NAME_SIZE + 48];

    text_format(labels, sizeof(labels), "gateway=\"%s\",reason=\"%s\"", link->gateway.name, reason);
    metric_add(metric_counter("checkout_gateway_skipped_total",
                              "Payments for which the bank was passed over.", labels),
               1);
    json_begin_object(skipped);
    json_member_text(skipped, "gateway", link->gateway.name);
    json_member_text(skipped, "reason", reason);
    json_end_object(skipped);
}

/* Where to begin: behind the gateway that was tried, or at nobody when that is not known. */
static size_t first_place(const struct gateway_chain *chain, const char *after)
{
    return after ? place_of(chain, after) + 1 : 0;
}

const struct gateway *gateway_chain_next(struct gateway_chain *chain,
                                         const struct gateway_wish *wish, struct buffer *skipped)
{
    struct json_writer json = { .out = skipped };
    const struct gateway *found = NULL;

    json_begin_array(&json);
    for (size_t i = first_place(chain, wish->after); i < chain->count && !found; i++) {
        struct link *link = &chain->links[i];
        const char *reason = gateway_refusal(&link->gateway, wish->money, wish->operation);

        if (!reason && !allow(chain, link))
            reason = "circuit_open";
        if (reason)
            skip(link, reason, &json);
        else
            found = &link->gateway;
    }
    json_end_array(&json);
    return found;
}

bool gateway_chain_supports(const struct gateway_chain *chain, const struct gateway_wish *wish)
{
    for (size_t i = first_place(chain, wish->after); i < chain->count; i++)
        if (gateway_supports(&chain->links[i].gateway, wish->money, wish->operation))
            return true;
    return false;
}

static const char *question_word(enum gateway_question question, const struct gateway_call *call)
{
    switch (question) {
    case GATEWAY_LOOK_UP:
        return "look_up";
    case GATEWAY_VOID_REFERENCE:
        return "void_reference";
    case GATEWAY_PERFORM:
        break;
    }
    return gateway_operation_words[call->operation];
}

static void measure(const char *gateway, const char *operation, const char *outcome,
                    int64_t took_us)
{
    char labels[GATEWAY_NAME_SIZE + 96];

    text_format(labels, sizeof(labels), "gateway=\"%s\",operation=\"%s\"", gateway, operation);
    metric_observe_us(
        metric_seconds("checkout_gateway_seconds", "How long banks took to answer.", labels),
        took_us);
    text_format(labels, sizeof(labels), "gateway=\"%s\",operation=\"%s\",outcome=\"%s\"", gateway,
                operation, outcome);
    metric_add(
        metric_counter("checkout_gateway_calls_total", "Calls of banks by their outcome.", labels),
        1);
}

static void call_bank(const struct gateway *gateway, enum gateway_question question,
                      const struct gateway_call *call, struct gateway_result *out)
{
    const struct gateway_protocol *protocol = gateway->protocol;

    switch (question) {
    case GATEWAY_LOOK_UP:
        protocol->look_up(gateway, call, out);
        break;
    case GATEWAY_VOID_REFERENCE:
        protocol->void_reference(gateway, call, out);
        break;
    case GATEWAY_PERFORM:
        protocol->perform(gateway, call, out);
        break;
    }
}

static bool is_error(enum gateway_outcome outcome)
{
    return outcome == GATEWAY_NOTHING || outcome == GATEWAY_UNKNOWN;
}

/* The call as a span of its trace; the bank is told of that span as of its cause. */
struct call_trace {
    bool wanted;
    struct trace trace;
    char traceparent[TRACEPARENT_SIZE];
};

static void begin_trace(struct call_trace *trace, struct gateway_call *call)
{
    struct trace cause;

    trace->wanted = trace_spans_collected() && call->traceparent &&
                    trace_parse(span_of(call->traceparent), &cause) && trace_wanted(&cause);
    if (!trace->wanted)
        return;
    trace->trace = trace_child(&cause);
    trace_format(&trace->trace, trace->traceparent);
    call->traceparent = trace->traceparent;
}

static void end_trace(const struct call_trace *trace, const char *gateway, const char *operation,
                      enum gateway_outcome outcome, int64_t began_us)
{
    struct trace_span span;

    if (!trace->wanted)
        return;
    trace_span_begin(&span, &trace->trace, TRACE_SPAN_CLIENT, began_us);
    trace_span_name(&span, "bank %s", operation);
    trace_span_add(&span, "checkout.gateway", gateway);
    trace_span_add(&span, "checkout.outcome", gateway_outcome_words[outcome]);
    span.failed = is_error(outcome);
    trace_span_end(&span);
}

/* Calls, measures, and tells the log what is no outcome. */
static void ask(const struct gateway *gateway, enum gateway_question question,
                const struct gateway_call *asked, struct gateway_result *out)
{
    struct gateway_call call = *asked;
    const char *operation = question_word(question, &call);
    int64_t began_us = clock_monotonic_us();
    struct call_trace trace;

    begin_trace(&trace, &call);
    call_bank(gateway, question, &call, out);
    end_trace(&trace, gateway->name, operation, out->outcome, began_us);
    const char *outcome = gateway_outcome_words[out->outcome];
    measure(gateway->name, operation, outcome, clock_monotonic_us() - began_us);
    if (is_error(out->outcome))
        log_warning("a bank's answer is no outcome", LOG_TEXT("gateway", gateway->name),
                    LOG_TEXT("operation", operation),
                    LOG_TEXT("reference", id_text(call.reference).text),
                    LOG_TEXT("outcome", outcome), LOG_TEXT("detail", out->detail));
}

void gateway_chain_perform(struct gateway_chain *chain, const struct gateway *gateway,
                           const struct gateway_call *call, struct gateway_result *out)
{
    struct link *link = link_of(chain, gateway);

    ask(gateway, GATEWAY_PERFORM, call, out);
    pthread_mutex_lock(&chain->mutex);
    breaker_record(&link->breaker, is_error(out->outcome), now_ms());
    show_state(link);
    pthread_mutex_unlock(&chain->mutex);
}

void gateway_chain_forgo(struct gateway_chain *chain, const struct gateway *gateway)
{
    struct link *link = link_of(chain, gateway);

    pthread_mutex_lock(&chain->mutex);
    breaker_forgo(&link->breaker);
    pthread_mutex_unlock(&chain->mutex);
}

const struct gateway *gateway_chain_find(const struct gateway_chain *chain, const char *name)
{
    size_t place = place_of(chain, name);

    return place < chain->count ? &chain->links[place].gateway : NULL;
}

void gateway_chain_follow(struct gateway_chain *chain, const struct gateway *gateway,
                          enum gateway_question question, const struct gateway_call *call,
                          struct gateway_result *out)
{
    struct link *link = link_of(chain, gateway);

    ask(gateway, question, call, out);
    pthread_mutex_lock(&chain->mutex);
    /* an open breaker counts nobody, and to a half-open one this would look like its probe */
    if (breaker_look(&link->breaker, now_ms()).state == BREAKER_CLOSED)
        breaker_record(&link->breaker, is_error(out->outcome), now_ms());
    show_state(link);
    pthread_mutex_unlock(&chain->mutex);
}

static void write_methods(struct json_writer *json, const struct gateway *gateway)
{
    json_name(json, "methods");
    json_begin_array(json);
    if (gateway->takes_cards)
        json_text(json, "card");
    if (gateway->takes_transfers)
        json_text(json, "bank_transfer");
    json_end_array(json);
}

static void write_currencies(struct json_writer *json, const struct gateway *gateway)
{
    if (gateway->all_currencies) {
        json_member_text(json, "currencies", "*");
        return;
    }
    json_name(json, "currencies");
    json_begin_array(json);
    for (size_t i = 0; i < gateway->currency_count; i++)
        json_text(json, gateway->currencies[i].code);
    json_end_array(json);
}

static void write_breaker(struct json_writer *json, const struct breaker_view *view)
{
    json_name(json, "breaker");
    json_begin_object(json);
    json_member_text(json, "state", breaker_state_words[view->state]);
    json_member_integer(json, "calls", view->calls);
    json_member_integer(json, "errors", view->errors);
    json_member_integer(json, "retry_in_ms", view->retry_in_ms);
    json_end_object(json);
}

static void write_link(struct json_writer *json, const struct gateway *gateway,
                       const struct breaker_view *view)
{
    json_begin_object(json);
    json_member_text(json, "name", gateway->name);
    json_member_text(json, "protocol", gateway->protocol->name);
    write_currencies(json, gateway);
    write_methods(json, gateway);
    json_member_integer(json, "amount_min", gateway->amount_min);
    json_member_integer(json, "amount_max", gateway->amount_max);
    write_breaker(json, view);
    json_end_object(json);
}

void gateway_chain_write(struct gateway_chain *chain, struct json_writer *json)
{
    json_begin_array(json);
    for (size_t i = 0; i < chain->count; i++) {
        struct link *link = &chain->links[i];

        pthread_mutex_lock(&chain->mutex);
        struct breaker_view view = breaker_look(&link->breaker, now_ms());
        show_state(link);
        pthread_mutex_unlock(&chain->mutex);
        write_link(json, &link->gateway, &view);
    }
    json_end_array(json);
}
