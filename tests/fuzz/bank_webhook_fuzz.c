/* POST /control/webhooks: a webhook that is made up is in the bank's language all the same. */
#include "payment-service/bank-simulator/bank_control_json.h"
#include "shared/soap/envelope.h"

#include "tests/fuzz/fuzz.h"

#define NOW ((struct instant){ INT64_C(1769903999123) })

/* Texts are escaped: whatever begins with "<" is a tag. */
static bool is_small(struct span body)
{
    size_t elements = 0, depth = 0, deepest = 0;

    for (size_t i = 0; i + 1 < body.length; i++) {
        if (body.at[i] != '<' || body.at[i + 1] == '?')
            continue;
        if (body.at[i + 1] == '/') {
            depth--;
            continue;
        }
        elements++;
        depth++;
        deepest = depth > deepest ? depth : deepest;
    }
    return body.length < SOAP_BYTES_MAX && elements < SOAP_ELEMENTS_MAX && deepest < SOAP_DEPTH_MAX;
}

static void check_envelope(struct span body)
{
    AUTO(envelope_release) struct envelope envelope = ENVELOPE_EMPTY;
    struct error err;

    if (!is_small(body))
        return;
    bool parsed = envelope_parse(body, &envelope, &err);
    assert(parsed && strcmp(envelope_message(&envelope), "Notification") == 0);
}

/* One that was given as a text is that text, whatever it is. */
static bool is_given(struct span input)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct json_reader reader;
    struct error err;

    if (!json_document_parse(input, &document, &err))
        return false;
    json_reader_begin(&reader, &document, &err);
    return json_has(&reader, "body");
}

static void check(struct span input, const struct control_webhook *webhook)
{
    assert(webhook->bank && bank_account_is_valid(span_of(webhook->account)));
    assert(webhook->type[0] != '\0' && !text_has_control(span_of(webhook->content_type)));
    assert(webhook->repeat >= 1 && webhook->repeat <= FAULT_COPIES_MAX);
    if (is_given(input))
        return;
    if (webhook->bank->speaks_soap)
        check_envelope(buffer_span(&webhook->body));
    else
        fuzz_check_json(buffer_span(&webhook->body));
}

void fuzz(struct span input)
{
    struct control_webhook webhook;
    static bool started;
    struct error err;

    started = started || soap_library_start();
    assert(started);
    if (control_webhook_read(input, NOW, &webhook, &err))
        check(input, &webhook);
    else
        fuzz_check_refusal(&err);
    buffer_release(&webhook.body);
}
