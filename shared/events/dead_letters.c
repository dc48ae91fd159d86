#include "shared/events/dead_letters.h"

#include "shared/http/page.h"
#include "shared/json/json_writer.h"

STATEMENT(dead_letter_list, "any",
          "SELECT id, source, stream, sequence, reason, detail, topic, payload, "
          "octet_length(payload) AS payload_bytes, status, created_at, resolved_at "
          "FROM dead_letters WHERE status = $1 AND id < $2 ORDER BY id DESC LIMIT $3");

STATEMENT(dead_letter_select, "any",
          "SELECT id, source, stream, sequence, reason, detail, topic, payload, "
          "octet_length(payload) AS payload_bytes, status, created_at, resolved_at "
          "FROM dead_letters WHERE id = $1");

/* ---- Reading ------------------------------------------------------------------------------ */

static struct buffer read_payload(const struct row *row)
{
    struct buffer payload = BUFFER_EMPTY;
    size_t length = (size_t)row_integer(row, "payload_bytes");

    buffer_reserve(&payload, length + 1);
    if (row_bytes(row, "payload", payload.at, length))
        payload.length = length;
    return payload;
}

/* A payload that is no text is told by its length only. */
static void write_payload(struct json_writer *json, const struct row *row)
{
    AUTO(buffer_release) struct buffer payload = read_payload(row);
    struct span text = buffer_span(&payload);

    json_name(json, "payload");
    if (text_is_utf8(text))
        json_text_span(json, text);
    else
        json_null_value(json);
    json_member_integer(json, "payload_bytes", (int64_t)payload.length);
}

static void write_letter(struct json_writer *json, const struct row *row)
{
    json_begin_object(json);
    json_member_id(json, "id", row_id(row, "id"));
    json_member_text(json, "source", row_text(row, "source"));
    json_member_integer(json, "stream", row_integer(row, "stream"));
    if (row_is_null(row, "sequence")) {
        json_name(json, "sequence");
        json_null_value(json);
    } else {
        json_member_integer(json, "sequence", row_integer(row, "sequence"));
    }
    json_member_text(json, "reason", row_text(row, "reason"));
    json_member_text(json, "detail", row_text(row, "detail"));
    json_member_text_or_null(json, "topic", row_text(row, "topic"));
    json_member_text(json, "status", row_text(row, "status"));
    json_member_instant(json, "created_at", row_instant(row, "created_at"));
    write_payload(json, row);
    json_end_object(json);
}

static const char *const statuses[] = { "open", "replayed", "discarded" };

static bool read_list(struct dead_letters *letters, const struct request *req, struct page *page,
                      struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    struct query query;
    size_t status = 0;

    parameters_begin(&parameters);
    query_begin(&query, req->query, err);
    query_read_choice(&query, "status", statuses, COUNT_OF(statuses), &status);
    page_read(&query, page);
    query_end(&query);
    if (!query_ok(&query))
        return false;
    parameters_add_text(&parameters, statuses[status]);
    parameters_add_id(&parameters, page->before);
    parameters_add_integer(&parameters, page->limit + 1);
    return db_query(letters->pool, &dead_letter_list, &parameters, req->caller.deadline, out, err);
}

/* GET /v1/dead_letters */
static bool list_letters(void *ctx, const struct request *req, struct reply *reply,
                         struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct json_writer json = { .out = &reply->body };
    struct page page;
    struct id last = { { 0 } };

    if (!read_list(ctx, req, &page, &rows, err))
        return false;
    page_open(&reply->body);
    for (size_t i = 0; i < rows.count && (int64_t)i < page.limit; i++) {
        struct row row = rows_at(&rows, i);

        write_letter(&json, &row);
        json.comma = true;
        last = row_id(&row, "id");
    }
    page_close(&reply->body, (int64_t)rows.count > page.limit, last);
    return reply_json(reply, HTTP_OK);
}

static bool read_letter(struct dead_letters *letters, const struct request *req, struct rows *out,
                        struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    struct id id;

    parameters_begin(&parameters);
    if (!request_id_at(req, 0, &id, err))
        return false;
    parameters_add_id(&parameters, id);
    if (!db_query(letters->pool, &dead_letter_select, &parameters, req->caller.deadline, out, err))
        return false;
    if (out->count == 0)
        return error_set(err, ERROR_NOT_FOUND, "not_found", "there is no such dead letter");
    return true;
}

/* ---- Resolving ---------------------------------------------------------------------------- */

static bool require_open(const struct row *row, struct error *err)
{
    if (strcmp(row_text(row, "status"), "open") == 0)
        return true;
    return error_set(err, ERROR_CONFLICT, "dead_letter_resolved", "it was %s already",
                     row_text(row, "status"));
}

static bool reply_resolved(struct dead_letters *letters, const struct request *req,
                           struct reply *reply, struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;
    struct json_writer json = { .out = &reply->body };

    if (!read_letter(letters, req, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    write_letter(&json, &row);
    return reply_json(reply, HTTP_OK);
}

static struct consumer *consumer_of(struct dead_letters *letters, const char *source)
{
    for (size_t i = 0; i < letters->consumer_count; i++)
        if (strcmp(consumer_source(letters->consumers[i]), source) == 0)
            return letters->consumers[i];
    return NULL;
}

/* What the database or the broker can not do now is no verdict on the letter. */
static bool explain_failure(struct error *err)
{
    if (error_status(err->kind) == 503 || err->kind == ERROR_INTERNAL ||
        strcmp(err->code, "dead_letter_resolved") == 0)
        return false;
    char reason[sizeof(err->detail)];

    text_copy(reason, sizeof(reason), err->field_count > 0 ? err->fields[0].detail : err->detail);
    return error_set(err, ERROR_CONFLICT, "dead_letter_still_fails", "%s", reason);
}

static bool replay(struct dead_letters *letters, const struct request *req, const struct row *row,
                   struct error *err)
{
    struct consumer *consumer = consumer_of(letters, row_text(row, "source"));
    AUTO(buffer_release) struct buffer payload = read_payload(row);
    AUTO(write_release) struct write write;

    dead_letter_resolve(&write, (int)row_integer(row, "stream"), row_id(row, "id"), "replayed");
    if (consumer == NULL)
        return error_set(err, ERROR_CONFLICT, "dead_letter_still_fails",
                         "this service does not consume %s", row_text(row, "source"));
    return consumer_replay(consumer, buffer_span(&payload), &write, req->caller.deadline, err) ||
           explain_failure(err);
}

/* POST /v1/dead_letters/{id}/replay */
static bool replay_letter(void *ctx, const struct request *req, struct reply *reply,
                          struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    if (!read_letter(ctx, req, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    return require_open(&row, err) && replay(ctx, req, &row, err) &&
           reply_resolved(ctx, req, reply, err);
}

static bool discard(struct dead_letters *letters, const struct request *req, const struct row *row,
                    struct error *err)
{
    AUTO(write_release) struct write write;

    dead_letter_resolve(&write, (int)row_integer(row, "stream"), row_id(row, "id"), "discarded");
    if (!journal_commit(letters->journal, &write, req->caller.deadline, err))
        return false;
    if (write.outcome == WRITE_REFUSED)
        return error_set(err, ERROR_CONFLICT, "dead_letter_resolved", "it is not open any more");
    return true;
}

/* POST /v1/dead_letters/{id}/discard */
static bool discard_letter(void *ctx, const struct request *req, struct reply *reply,
                           struct error *err)
{
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    if (!read_letter(ctx, req, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    return require_open(&row, err) && discard(ctx, req, &row, err) &&
           reply_resolved(ctx, req, reply, err);
}

void dead_letters_add_routes(struct dead_letters *letters, struct router *router)
{
    static const struct route routes[] = {
        { HTTP_GET, "/v1/dead_letters", SCOPE_OPERATOR, 0, list_letters },
        { HTTP_POST, "/v1/dead_letters/{id}/replay", SCOPE_OPERATOR, ROUTE_IDEMPOTENCY_KEY,
          replay_letter },
        { HTTP_POST, "/v1/dead_letters/{id}/discard", SCOPE_OPERATOR, ROUTE_IDEMPOTENCY_KEY,
          discard_letter },
    };

    router_add(router, routes, COUNT_OF(routes), letters);
}
