/* If-Match: what matches names the version, and whether it can be read does not depend on it. */
#include "shared/http/request.h"

#include "tests/fuzz/fuzz.h"

/* ERROR_NONE: it matches. */
static enum error_kind judge(const char *if_match, int64_t version)
{
    char tag[32];
    struct error err;

    text_format(tag, sizeof(tag), "\"%lld\"", (long long)version);
    bool own_matches = request_if_match(tag, version, &err);
    assert(own_matches);
    if (request_if_match(if_match, version, &err)) {
        assert(strstr(if_match, tag) || if_match[0] == '*');
        return ERROR_NONE;
    }
    fuzz_check_refusal(&err);
    return err.kind;
}

void fuzz(struct span input)
{
    AUTO(fuzz_text_release) char *if_match = fuzz_text(input);
    enum error_kind one = judge(if_match, 3), other = judge(if_match, INT64_MAX);

    assert((one == ERROR_MALFORMED) == (other == ERROR_MALFORMED));
}
