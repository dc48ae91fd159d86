#include "shared/http/request.h"

#include "shared/http/framing.h"
#include "shared/http/percent.h"

bool request_id_at(const struct request *req, size_t index, struct id *out, struct error *err)
{
    char text[ID_TEXT_SIZE];

    assert(index < req->segment_count);
    if (text_copy_span(text, sizeof(text), req->segments[index]) && id_parse(text, out))
        return true;
    return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such object.");
}

bool request_text_at(const struct request *req, size_t index, char *out, size_t size,
                     struct error *err)
{
    assert(index < req->segment_count);
    if (percent_decode(req->segments[index], false, out, size))
        return true;
    return error_set(err, ERROR_NOT_FOUND, "not_found", "There is no such object.");
}

const char *request_header(const struct request *req, const char *name)
{
    const struct head *head = req->connection;

    return head ? head_find(head, name) : NULL;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* One entity tag (RFC 9110, section 8.8.3); returns what follows it, NULL when it is none. */
static const char *read_tag(const char *at, bool *weak, struct span *tag)
{
    *weak = strncmp(at, "W/", 2) == 0;
    if (*weak)
        at += 2;
    if (*at != '"')
        return NULL;
    tag->at = ++at;
    while (*at != '"' && ((unsigned char)*at >= 0x80 || (*at > 0x20 && *at != 0x7f)))
        at++;
    tag->length = (size_t)(at - tag->at);
    return *at == '"' ? at + 1 : NULL;
}

/* Reads a list of tags, whose elements may be empty; NULL in `at` on return: it is malformed. */
static bool list_matches(const char **at, struct span expected)
{
    bool found = false;
    size_t count = 0;

    while (*at && **at != '\0') {
        bool weak;
        struct span tag;

        *at = skip_blanks(*at + strspn(*at, ", \t"));
        if (**at == '\0')
            break;
        *at = read_tag(*at, &weak, &tag);
        if (!*at)
            return false;
        *at = skip_blanks(*at);
        if (**at != ',' && **at != '\0')
            *at = NULL;
        found = found || (!weak && span_equal(tag, expected));
        count++;
    }
    if (count == 0)
        *at = NULL;
    return found;
}

bool request_if_match(const char *if_match, int64_t version, struct error *err)
{
    char text[24];
    const char *at = if_match;

    if (!if_match || (if_match[0] == '*' && *skip_blanks(if_match + 1) == '\0'))
        return true;
    text_format(text, sizeof(text), "%lld", (long long)version);
    bool found = list_matches(&at, span_of(text));
    if (!at)
        return error_set(err, ERROR_MALFORMED, "if_match_malformed",
                         "If-Match is * or a list of entity tags such as \"3\".");
    return found || error_set(err, ERROR_PRECONDITION, "version_stale",
                              "The object is at version %lld.", (long long)version);
}
