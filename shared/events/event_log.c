#include "shared/events/event_log.h"

#include "shared/db/array.h"
#include "shared/runtime/metrics.h"
#include "shared/runtime/trace_span.h"

STATEMENT(event_log_lock, "any", "SELECT stream FROM streams WHERE stream = $1 FOR UPDATE");

/* A statement of its own: its snapshot is taken after the lock was granted. */
STATEMENT(event_log_append, "any",
          "INSERT INTO events (stream, sequence, id, merchant_id, type, subject, subject_version, "
          "time, traceparent, data) "
          "SELECT $1::smallint, head.sequence + input.position, input.id, input.merchant_id, "
          "input.type, input.subject, input.subject_version, input.time, input.traceparent, "
          "input.data::json "
          "FROM (SELECT coalesce(max(sequence), 0) AS sequence FROM events "
          "WHERE stream = $1::smallint) AS head, "
          "unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], "
          "$7::timestamptz[], $8::text[], $9::text[]) WITH ORDINALITY AS input (id, merchant_id, "
          "type, subject, subject_version, time, traceparent, data, position)");

/* By the index of versions; the id tells this event from one that took its place. */
STATEMENT(event_log_find, "any",
          "SELECT count(*) AS count FROM events WHERE stream = $1 AND subject = $2 "
          "AND subject_version = $3 AND id = $4");

STATEMENT(event_log_page, "any",
          "SELECT stream, sequence, id, merchant_id, type, subject, subject_version, time, "
          "traceparent, data FROM events WHERE stream = $1 AND sequence > $2 "
          "ORDER BY sequence LIMIT $3");

STATEMENT(event_log_ends, "any",
          "SELECT coalesce((SELECT max(sequence) FROM events WHERE stream = $1), 0) AS head, "
          "coalesce((SELECT sequence FROM relay_position WHERE stream = $1), 0) AS announced");

enum { APPEND_COLUMNS = 8 };

/* The columns of the append, in the order of its parameters $2 to $9. */
static void write_columns(const struct event *const *events, size_t count, struct buffer *out,
                          size_t *ends)
{
    static const enum parameter_type types[APPEND_COLUMNS] = {
        PARAMETER_ID,      PARAMETER_TEXT,    PARAMETER_TEXT, PARAMETER_ID,
        PARAMETER_INTEGER, PARAMETER_INSTANT, PARAMETER_TEXT, PARAMETER_TEXT,
    };

    for (size_t column = 0; column < APPEND_COLUMNS; column++) {
        array_begin(out, types[column], count);
        for (size_t i = 0; i < count; i++) {
            const struct event *event = events[i];

            switch (column) {
            case 0:
                array_add(out, (struct span){ (const char *)event->id.bytes, 16 });
                break;
            case 1:
                array_add(out, span_of(event->merchant));
                break;
            case 2:
                array_add(out, span_of(event->type));
                break;
            case 3:
                array_add(out, (struct span){ (const char *)event->subject.bytes, 16 });
                break;
            case 4:
                array_add_integer(out, event->subject_version);
                break;
            case 5:
                array_add_instant(out, event->time);
                break;
            case 6:
                array_add(out, span_of(event->traceparent));
                break;
            default:
                array_add(out, event->data);
                break;
            }
        }
        ends[column] = out->length;
    }
}

static bool send_append(struct connection *connection, int stream,
                        const struct event *const *events, size_t count, struct error *err)
{
    AUTO(buffer_release) struct buffer columns = BUFFER_EMPTY;
    struct pipeline_value values[1 + APPEND_COLUMNS];
    size_t ends[APPEND_COLUMNS], start = 0;
    char stream_text[16];

    text_format(stream_text, sizeof(stream_text), "%d", stream);
    values[0] = (struct pipeline_value){ .value = span_of(stream_text) };
    write_columns(events, count, &columns, ends);
    for (size_t i = 0; i < APPEND_COLUMNS; i++) {
        values[1 + i] = (struct pipeline_value){ .value = { columns.at + start, ends[i] - start },
                                                 .binary = true };
        start = ends[i];
    }
    return pipeline_send(connection, &event_log_lock, values, 1, err) &&
           pipeline_send(connection, &event_log_append, values, COUNT_OF(values), err);
}

static bool find(struct connection *connection, const struct event *event, struct deadline deadline,
                 bool *found, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, event->stream);
    parameters_add_id(&parameters, event->subject);
    parameters_add_integer(&parameters, event->subject_version);
    parameters_add_id(&parameters, event->id);
    if (!connection_query(connection, &event_log_find, &parameters, deadline, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    *found = row_integer(&row, "count") == 1;
    return true;
}

/* The event's own span: it is what those that publish and consume it descend from. */
static void trace_commit(const struct event *event, int64_t since_us)
{
    struct trace_span span;
    struct trace trace;

    if (!trace_spans_collected() || !trace_parse(span_of(event->traceparent), &trace) ||
        !trace_wanted(&trace))
        return;
    text_copy(trace.parent_id, sizeof(trace.parent_id), event->parent_id);
    trace_span_begin(&span, &trace, TRACE_SPAN_INTERNAL, since_us);
    trace_span_name(&span, "commit %s", event->type);
    trace_span_add(&span, "checkout.subject", id_text(event->subject).text);
    trace_span_end(&span);
}

static void committed(const struct event *event, int64_t since_us)
{
    char labels[EVENT_TYPE_SIZE + 16];

    trace_commit(event, since_us);
    text_format(labels, sizeof(labels), "type=\"%s\"", event->type);
    metric_add(metric_counter("checkout_events_total",
                              "Events committed to the log by this process", labels),
               1);
}

const struct appender *event_log_appender(void)
{
    static const struct statement *const statements[] = { &event_log_lock, &event_log_append };
    static const struct appender appender = { .send = send_append,
                                              .statements = statements,
                                              .statement_count = COUNT_OF(statements),
                                              .find = find,
                                              .committed = committed };

    return &appender;
}

bool event_log_read(struct connection *connection, const struct event_range *range,
                    struct deadline deadline, struct rows *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, range->stream);
    parameters_add_integer(&parameters, range->after);
    parameters_add_integer(&parameters, range->limit);
    return connection_query(connection, &event_log_page, &parameters, deadline, out, err);
}

void event_log_row(const struct rows *rows, size_t index, struct event *out)
{
    struct row row = rows_at(rows, index);

    out->stream = (int)row_integer(&row, "stream");
    out->sequence = row_integer(&row, "sequence");
    out->id = row_id(&row, "id");
    row_copy_text(&row, "merchant_id", out->merchant, sizeof(out->merchant));
    row_copy_text(&row, "type", out->type, sizeof(out->type));
    out->subject = row_id(&row, "subject");
    out->subject_version = row_integer(&row, "subject_version");
    out->time = row_instant(&row, "time");
    row_copy_text(&row, "traceparent", out->traceparent, sizeof(out->traceparent));
    out->parent_id[0] = '\0';
    out->data = row_span(&row, "data");
}

bool event_log_extent(struct pool *pool, int stream, struct deadline deadline,
                      struct event_extent *out, struct error *err)
{
    AUTO(parameters_release) struct parameters parameters;
    AUTO(rows_release) struct rows rows = ROWS_EMPTY;

    parameters_begin(&parameters);
    parameters_add_integer(&parameters, stream);
    if (!db_query(pool, &event_log_ends, &parameters, deadline, &rows, err))
        return false;
    struct row row = rows_at(&rows, 0);
    *out = (struct event_extent){ row_integer(&row, "head"), row_integer(&row, "announced") };
    return true;
}
