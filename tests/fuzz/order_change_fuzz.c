/* PATCH /v1/orders/{id}: a merge patch that is applied a second time changes nothing. */
#include "order-service/order_json.h"

#include "tests/fuzz/fuzz.h"

static bool merge(struct span metadata, struct json_value *patch, struct buffer *out, bool *changed)
{
    struct error err;
    bool merged = order_metadata_merge(metadata, patch, out, changed, &err);

    if (!merged)
        fuzz_check_refusal(&err);
    return merged;
}

static void check_patch(struct json_value *patch)
{
    static const char metadata[] = "{\"channel\":\"web\",\"gift\":\"yes\"}";
    AUTO(buffer_release) struct buffer once = BUFFER_EMPTY, twice = BUFFER_EMPTY;
    bool changed;

    if (!merge(span_of(metadata), patch, &once, &changed))
        return;
    fuzz_check_json(buffer_span(&once));
    assert(changed || span_equal(buffer_span(&once), span_of(metadata)));
    bool merged = merge(buffer_span(&once), patch, &twice, &changed);
    assert(merged && !changed && span_equal(buffer_span(&once), buffer_span(&twice)));
}

void fuzz(struct span input)
{
    AUTO(json_document_release) struct json_document document = { NULL };
    struct order_change change;
    struct error err;

    if (!json_document_parse(input, &document, &err) ||
        !order_change_read(&document, &change, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(!change.has_status || order_status_is_requestable(change.status));
    if (change.metadata)
        check_patch(change.metadata);
}
