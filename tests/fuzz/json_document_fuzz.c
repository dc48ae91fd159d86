/* Any JSON: what was read is written, and reads as the same; members may be of any type. */
#include "shared/json/json_pieces.h"
#include "shared/json/json_reader.h"

#include "shared/json/json_library.h"
#include "tests/fuzz/fuzz.h"

static bool parse(struct span text, struct json_document *out)
{
    struct error err;
    bool parsed = json_document_parse(text, out, &err);

    if (!parsed)
        fuzz_check_refusal(&err);
    return parsed;
}

static void check_written(const struct json_document *document)
{
    AUTO(json_document_release) struct json_document again = { NULL };
    AUTO(buffer_release) struct buffer first = BUFFER_EMPTY, second = BUFFER_EMPTY;

    json_value_write(document->root, &first);
    bool parsed = parse(buffer_span(&first), &again);
    assert(parsed);
    assert(json_equal(json_library_value(document->root), json_library_value(again.root)));
    json_value_write(again.root, &second);
    assert(span_equal(buffer_span(&first), buffer_span(&second)));
}

/* As what a member is read, and whether it is that or recorded. */
static bool read_member(void *ctx, const char *name, const struct json_value *value)
{
    struct json_reader *reader = ctx;
    struct json_reader inner;
    struct json_value *array;
    struct instant instant;
    struct id id;
    char text[4 * 40 + 1];
    int64_t number;
    size_t count;
    bool flag;

    (void)value;
    json_read_text(reader, name, JSON_REQUIRED, 1, 40, text, sizeof(text));
    json_read_integer(reader, name, JSON_REQUIRED, -5, INT64_MAX, &number);
    json_read_boolean(reader, name, JSON_OPTIONAL, &flag);
    json_read_id(reader, name, JSON_OPTIONAL, &id);
    json_read_instant(reader, name, JSON_OPTIONAL, &instant);
    if (json_read_array(reader, name, JSON_OPTIONAL, 1, 9, &array, &count))
        json_read_element(reader, name, array, count - 1, &inner);
    if (json_read_object(reader, name, JSON_OPTIONAL, &inner))
        json_reader_end(&inner);
    return true;
}

static void read_members(const struct json_document *document)
{
    struct json_reader reader;
    struct error err;

    json_reader_begin(&reader, document, &err);
    json_reader_end(&reader);
    if (reader.object && json_member_count(document->root) <= JSON_MEMBERS_MAX)
        json_each_member(document->root, read_member, &reader);
    fuzz_check_refusal(&err);
}

/* What is left out is the very member, and the rest is as good without it. */
static void check_pieces(struct span input, const struct json_document *document)
{
    static const char *const names[] = { "data", "lines", NULL };
    AUTO(json_document_release) struct json_document rest = { NULL };
    AUTO(buffer_release) struct buffer cut = BUFFER_EMPTY;
    json_t *root = json_library_value(document->root);
    struct span pieces[COUNT_OF(names) - 1];

    bool closed = json_cut(input, names, pieces, &cut);
    assert(closed && parse(buffer_span(&cut), &rest));
    for (size_t i = 0; json_is_object(root) && names[i] != NULL; i++) {
        AUTO(json_document_release) struct json_document piece = { NULL };

        if (pieces[i].length > 0 && parse(pieces[i], &piece))
            assert(json_equal(json_object_get(root, names[i]), json_library_value(piece.root)));
    }
}

/* Members that were asked for are those of the whole document. */
static void check_asked_for(struct span input, const struct json_document *document)
{
    static const char *const names[] = { "data", "lines", NULL };
    AUTO(json_document_release) struct json_document rest = { NULL };
    json_t *root = json_library_value(document->root);
    struct error err;

    bool parsed = json_document_parse_members(input, names, &rest, &err);
    assert(parsed);
    for (size_t i = 0; json_is_object(root) && names[i] != NULL; i++) {
        json_t *whole = json_object_get(root, names[i]);
        json_t *asked_for = json_object_get(json_library_value(rest.root), names[i]);
        assert(whole ? json_equal(whole, asked_for) : !asked_for);
    }
}

void fuzz(struct span input)
{
    AUTO(json_document_release) struct json_document document = { NULL };

    if (!parse(input, &document))
        return;
    check_written(&document);
    check_pieces(input, &document);
    check_asked_for(input, &document);
    read_members(&document);
}
