#include "shared/base/error.h"
#include "shared/base/text.h"
#include "tests/unit/table.h"

static const struct status_row {
    const char *label;
    enum error_kind kind;
    int status;
} status_rows[] = {
    { "what is malformed is 400", ERROR_MALFORMED, 400 },
    { "who is unknown gets 401", ERROR_UNAUTHENTICATED, 401 },
    { "what is forbidden is 403", ERROR_FORBIDDEN, 403 },
    { "what is not there is 404", ERROR_NOT_FOUND, 404 },
    { "a wrong method is 405", ERROR_METHOD, 405 },
    { "a conflict is 409", ERROR_CONFLICT, 409 },
    { "a stale version is 412", ERROR_PRECONDITION, 412 },
    { "what is too large is 413", ERROR_TOO_LARGE, 413 },
    { "another media type is 415", ERROR_MEDIA_TYPE, 415 },
    { "wrong fields are 422", ERROR_VALIDATION, 422 },
    { "too often is 429", ERROR_RATE_LIMITED, 429 },
    { "too many headers are 431", ERROR_HEADERS_TOO_LARGE, 431 },
    { "what is not spoken is 501", ERROR_NOT_IMPLEMENTED, 501 },
    { "a dependency that is away is 503", ERROR_UNAVAILABLE, 503 },
    { "a full queue is 503", ERROR_OVERLOADED, 503 },
    { "an unknown outcome is 503", ERROR_UNKNOWN_OUTCOME, 503 },
    { "a passed deadline is 503", ERROR_DEADLINE, 503 },
    { "data that the database refuses is no fault of ours", ERROR_DATA, 422 },
    { "a deadlock is 503", ERROR_TRANSIENT, 503 },
    { "our own bug is 500", ERROR_INTERNAL, 500 },
};

static void check_status(void **state)
{
    const struct status_row *row = *state;

    assert_int_equal(error_status(row->kind), row->status);
}

static void every_kind_has_a_title_and_a_status(UNUSED void **state)
{
    for (int kind = 0; kind < ERROR_KIND_COUNT; kind++) {
        assert_true(strlen(error_title((enum error_kind)kind)) > 0);
        assert_in_range(error_status((enum error_kind)kind), 400, 599);
    }
}

static void setting_an_error_fills_it_and_returns_false(UNUSED void **state)
{
    struct error err;

    memset(&err, 0xff, sizeof(err));
    assert_false(error_set(&err, ERROR_CONFLICT, "version_conflict", "order %d", 7));
    assert_int_equal(err.kind, ERROR_CONFLICT);
    assert_string_equal(err.code, "version_conflict");
    assert_string_equal(err.detail, "order 7");
    assert_string_equal(err.extra, "");
    assert_int_equal(err.retry_after_s, 0);
    assert_int_equal(err.field_count, 0);
    assert_int_equal(err.fields_omitted, 0);
}

static void an_error_may_be_set_from_its_own_texts(UNUSED void **state)
{
    struct error err;

    error_set(&err, ERROR_CONFLICT, "some_code", "inner");
    error_set(&err, ERROR_INTERNAL, err.code, "outer (%s)", err.detail);
    assert_string_equal(err.code, "some_code");
    assert_string_equal(err.detail, "outer (inner)");
}

static void a_prefix_stands_before_the_detail(UNUSED void **state)
{
    struct error err;

    error_set(&err, ERROR_UNAVAILABLE, "database_unavailable", "no answer");
    assert_false(error_prefix(&err, "orders"));
    assert_string_equal(err.detail, "orders: no answer");
    assert_string_equal(err.code, "database_unavailable");
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
}

static void a_long_detail_is_cut_between_characters(UNUSED void **state)
{
    struct error err;
    char text[sizeof(err.detail) + 100];

    /* an odd number of bytes before two-byte characters, so that the cut falls into one */
    text_format(text, sizeof(text), "%s", "");
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa4", 3);
    error_set(&err, ERROR_INTERNAL, "x", "%s", text);
    assert_int_equal(strlen(err.detail), sizeof(err.detail) - 2);
    assert_true(text_is_utf8(span_of(err.detail)));
    error_prefix(&err, "x");
    assert_true(text_is_utf8(span_of(err.detail)));
}

static void fields_are_listed_up_to_the_limit_and_counted_beyond(UNUSED void **state)
{
    struct error err;

    error_begin_validation(&err);
    assert_int_equal(err.kind, ERROR_VALIDATION);
    for (int i = 0; i < ERROR_FIELDS_MAX + 3; i++) {
        char pointer[16];
        text_format(pointer, sizeof(pointer), "/lines/%d", i);
        error_add_field(&err, pointer, "required", "is %s", "required");
    }
    assert_int_equal(err.field_count, ERROR_FIELDS_MAX);
    assert_int_equal(err.fields_omitted, 3);
    assert_string_equal(err.fields[0].pointer, "/lines/0");
    assert_string_equal(err.fields[63].pointer, "/lines/63");
    assert_string_equal(err.fields[63].code, "required");
    assert_string_equal(err.fields[63].detail, "is required");
}

static void beginning_again_forgets_the_fields(UNUSED void **state)
{
    struct error err;

    error_begin_validation(&err);
    error_add_field(&err, "/a", "required", "is required");
    error_begin_validation(&err);
    assert_int_equal(err.field_count, 0);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, status_rows, check_status);
    TABLE_ADD(&table, every_kind_has_a_title_and_a_status);
    TABLE_ADD(&table, setting_an_error_fills_it_and_returns_false);
    TABLE_ADD(&table, an_error_may_be_set_from_its_own_texts);
    TABLE_ADD(&table, a_prefix_stands_before_the_detail);
    TABLE_ADD(&table, a_long_detail_is_cut_between_characters);
    TABLE_ADD(&table, fields_are_listed_up_to_the_limit_and_counted_beyond);
    TABLE_ADD(&table, beginning_again_forgets_the_fields);
    return table_run(&table);
}
