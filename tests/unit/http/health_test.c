#include "shared/http/health.h"

#include "tests/unit/table.h"

static bool is_well(void *ctx, char *note, size_t note_size)
{
    text_copy(note, note_size, "a \"note\"");
    return *(bool *)ctx;
}

static bool is_draining(void *ctx)
{
    return *(bool *)ctx;
}

static const struct row {
    const char *label;
    bool required_is_well, other_is_well, draining;
    int status;
    const char *word;
} rows[] = {
    { "ready when all is well", true, true, false, 200, "ready" },
    { "degraded without what is not required", true, false, false, 200, "degraded" },
    { "unavailable without what is required", false, true, false, 503, "unavailable" },
    { "draining whatever else", true, true, true, 503, "draining" },
};

static void check_row(void **state)
{
    static struct error err;
    struct row row = *(const struct row *)*state;
    struct health health = { .service = "test",
                             .is_draining = is_draining,
                             .is_draining_ctx = &row.draining };
    struct router router = { .count = 0 };
    struct route_match match;
    struct reply reply;
    char start[60];

    health_add(&health,
               &(struct health_check){ "database", true, &row.required_is_well, is_well });
    health_add(&health, &(struct health_check){ "broker", false, &row.other_is_well, is_well });
    health_add_routes(&health, &router);
    assert_true(router_find(&router, HTTP_GET, "/readyz", &match, &err));
    assert_true(health_serves(match.route));
    reply_begin(&reply);
    assert_true(match.route->handle(match.ctx, NULL, &reply, &err));
    assert_int_equal(reply.status, row.status);
    text_format(start, sizeof(start), "{\"status\":\"%s\",", row.word);
    assert_memory_equal(reply.body.at, start, strlen(start));
    assert_non_null(strstr(reply.body.at, "{\"name\":\"broker\",\"required\":false,\"ok\":"));
    assert_non_null(strstr(reply.body.at, "\"note\":\"a \\\"note\\\"\""));
    reply_release(&reply);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    return table_run(&table);
}
