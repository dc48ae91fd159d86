/* Idempotency-Key: what was read is printable, and in quotes it reads as the same. */
#include "shared/http/idempotency.h"

#include "shared/http/request.h"
#include "tests/fuzz/fuzz.h"

static void quote(const char *key, struct buffer *out)
{
    buffer_append(out, "\"");
    for (; *key != '\0'; key++) {
        if (*key == '"' || *key == '\\')
            buffer_append(out, "\\");
        buffer_append_bytes(out, key, 1);
    }
    buffer_append(out, "\"");
}

void fuzz(struct span input)
{
    AUTO(fuzz_text_release) char *header = fuzz_text(input);
    AUTO(buffer_release) struct buffer quoted = BUFFER_EMPTY;
    char key[IDEMPOTENCY_KEY_MAX + 1], again[IDEMPOTENCY_KEY_MAX + 1];
    struct error err;

    if (!idempotency_key_parse(header, key, &err)) {
        fuzz_check_refusal(&err);
        return;
    }
    assert(key[0] != '\0' && text_is_utf8(span_of(key)) && !text_has_control(span_of(key)));
    quote(key, &quoted);
    bool parsed = idempotency_key_parse(quoted.at, again, &err);
    assert(parsed && strcmp(again, key) == 0);
}
