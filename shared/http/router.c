#include "shared/http/router.h"

#include "shared/http/method.h"
#include "shared/http/percent.h"
#include "shared/json/json_writer.h"

void router_add(struct router *router, const struct route *routes, size_t count, void *ctx)
{
    assert(router->count + count <= ROUTER_ROUTES_MAX);
    for (size_t i = 0; i < count; i++) {
        assert(routes[i].pattern[0] == '/' && routes[i].handle);
        /* HEAD is GET's, OPTIONS is never a route: the search for others relies on it */
        assert(routes[i].method != HTTP_HEAD && routes[i].method != HTTP_OPTIONS);
        /* a route that nobody may use is one that forgot its scope */
        assert((routes[i].scopes != 0) != ((routes[i].flags & ROUTE_PUBLIC) != 0));
        assert(!(routes[i].flags & (ROUTE_XML | ROUTE_SECRET_BODY)) ||
               (routes[i].flags & ROUTE_BODY));
        for (size_t k = 0; k < router->count; k++)
            assert(router->entries[k].route->method != routes[i].method ||
                   strcmp(router->entries[k].route->pattern, routes[i].pattern) != 0);
        router->entries[router->count].route = &routes[i];
        router->entries[router->count].ctx = ctx;
        router->count++;
    }
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-._~", byte));
}

/* Whether the byte may be encoded in a path: not what has a plain spelling, nor what none has. */
static bool may_be_encoded(int byte)
{
    return byte >= 0x20 && byte != 0x7f && byte != '/' && !is_unreserved((unsigned char)byte);
}

/* The length of a canonical segment at the start of `text`, or -1. */
static int segment_length(const char *text)
{
    const char *at = text;

    while (*at != '/' && *at != '\0') {
        if (*at == '%' && may_be_encoded(percent_byte(at)))
            at += 3;
        else if (is_unreserved((unsigned char)*at) || strchr("!$&'()*+,;=:@", *at))
            at++;
        else
            return -1;
    }
    if (at == text || strncmp(text, ".", (size_t)(at - text)) == 0 ||
        strncmp(text, "..", (size_t)(at - text)) == 0)
        return -1;
    return (int)(at - text);
}

/* RFC 3986, section 6.2.2, and no empty segments: one resource has one path. */
static bool is_canonical(const char *path)
{
    if (strcmp(path, "/") == 0)
        return true;
    while (*path == '/') {
        int length = segment_length(path + 1);
        if (length < 0)
            return false;
        path += 1 + length;
        if (*path == '\0')
            return true;
    }
    return false;
}

/* Segment by segment; writes the values of placeholders. Both begin with '/'. */
static bool matches(const char *pattern, const char *path, struct route_match *match)
{
    match->segment_count = 0;
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        size_t expected = strcspn(pattern, "/");
        size_t length = strcspn(path, "/");

        if (pattern[0] == '{' && length > 0) {
            assert(match->segment_count < REQUEST_SEGMENTS_MAX);
            match->segments[match->segment_count++] = (struct span){ path, length };
        } else if (expected != length || strncmp(pattern, path, length) != 0) {
            return false;
        }
        pattern += expected;
        path += length;
    }
    return *pattern == '\0' && *path == '\0';
}

/* The pattern that serves the path; where two do, the one with fewer placeholders is meant. */
static const char *find_pattern(const struct router *router, const char *path)
{
    const char *best = NULL;
    size_t best_count = 0;

    for (size_t i = 0; i < router->count; i++) {
        struct route_match match;
        const char *pattern = router->entries[i].route->pattern;

        if (!matches(pattern, path, &match) || (best && match.segment_count >= best_count))
            continue;
        best = pattern;
        best_count = match.segment_count;
    }
    return best;
}

static bool find_method(const struct router *router, enum http_method method, const char *pattern,
                        struct route_match *out)
{
    if (method == HTTP_HEAD)
        method = HTTP_GET;
    for (size_t i = 0; i < router->count; i++) {
        const struct route *route = router->entries[i].route;
        if (route->method == method && strcmp(route->pattern, pattern) == 0) {
            out->route = route;
            out->ctx = router->entries[i].ctx;
            return true;
        }
    }
    return false;
}

void router_allow(const struct router *router, const char *path, char *out, size_t size)
{
    AUTO(buffer_release) struct buffer list = BUFFER_EMPTY;
    const char *pattern = is_canonical(path) ? find_pattern(router, path) : NULL;

    for (int i = 0; i <= HTTP_OPTIONS && pattern; i++) {
        struct route_match match;
        if (find_method(router, (enum http_method)i, pattern, &match))
            buffer_append_format(&list, "%s%s", list.length > 0 ? ", " : "",
                                 http_method_name((enum http_method)i));
    }
    text_copy_span(out, size, buffer_span(&list));
}

bool router_find(const struct router *router, enum http_method method, const char *path,
                 struct route_match *out, struct error *err)
{
    struct route_match match;

    if (!is_canonical(path))
        return error_set(err, ERROR_MALFORMED, "path_malformed",
                         "The path is not in canonical form (RFC 3986, section 6.2.2).");
    const char *pattern = find_pattern(router, path);
    if (!pattern)
        return error_set(err, ERROR_NOT_FOUND, "not_found", "Nothing is served at this path.");
    if (!matches(pattern, path, &match) || !find_method(router, method, pattern, &match))
        return error_set(err, ERROR_METHOD, "method_not_allowed",
                         "The path is served, with other methods; Allow lists them.");
    *out = match;
    return true;
}

void router_print(const struct router *router, FILE *to)
{
    AUTO(buffer_release) struct buffer text = BUFFER_EMPTY;
    struct json_writer json = { .out = &text };

    json_begin_array(&json);
    for (size_t i = 0; i < router->count; i++) {
        const struct route *route = router->entries[i].route;
        json_begin_object(&json);
        json_member_text(&json, "method", http_method_name(route->method));
        json_member_text(&json, "path", route->pattern);
        json_name(&json, "scopes");
        access_write_scopes(route->scopes, &json);
        json_member_boolean(&json, "public", (route->flags & ROUTE_PUBLIC) != 0);
        json_member_boolean(&json, "body", (route->flags & ROUTE_BODY) != 0);
        json_member_boolean(&json, "xml", (route->flags & ROUTE_XML) != 0);
        json_end_object(&json);
    }
    json_end_array(&json);
    fprintf(to, "%s\n", text.at);
}
