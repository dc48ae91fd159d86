#include "shared/runtime/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "shared/json/json_writer.h"
#include "shared/runtime/metrics.h"

/* The end of a line that was cut, and of any other. */
static const char CUT_END[] = ",\"cut\":true}\n";
static const char END[] = "}\n";

/* A message is one of our literals; this bounds what comes in by mistake. */
enum { MESSAGE_MAX = 1000 };

/* Room for a message, and for a code, in a metric's label; more is cut. */
enum { LABEL_SIZE = 100 };

static const char *const level_names[] = { "debug", "info", "warning", "error" };

/*
 * The log of the process. One of the permitted statics (with the registry of metrics and the queue
 * of spans): a line is written from anywhere. Names and level are set once before threads; the
 * mutex keeps lines apart and guards `untold`.
 */
static struct {
    const char *service;
    char instance[64];
    enum log_level lowest;
    pthread_mutex_t mutex;
    int64_t untold; /* lines dropped since the log last said how many */
} state = { .lowest = LOG_LEVEL_INFO, .mutex = PTHREAD_MUTEX_INITIALIZER };

/* What the calling thread works on. */
static _Thread_local struct {
    char request_id[96];
    char trace_id[40];
} context;

static struct metric *dropped_metric(void)
{
    return metric_counter("checkout_log_dropped_total",
                          "Log lines dropped because they could not be written at once", "");
}

void log_start(const char *service, const char *instance, enum log_level lowest)
{
    state.service = service;
    text_copy(state.instance, sizeof(state.instance), instance ? instance : "");
    state.lowest = lowest;
    (void)dropped_metric(); /* 0 is shown before the first one */
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (strcmp(level_names[i], text) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_context_set(const char *request_id, const char *trace_id)
{
    text_copy(context.request_id, sizeof(context.request_id), request_id ? request_id : "");
    text_copy(context.trace_id, sizeof(context.trace_id), trace_id ? trace_id : "");
}

bool log_enabled(enum log_level level)
{
    return level >= state.lowest;
}

int64_t log_dropped(void)
{
    return metric_value(dropped_metric());
}

/* A value that is not UTF-8 would spoil the line: its bytes beyond ASCII become question marks. */
static void add_text(struct json_writer *json, const char *name, struct span text)
{
    json_name(json, name);
    if (text_is_utf8(text)) {
        json_text_span(json, text);
        return;
    }

    AUTO(buffer_release) struct buffer plain = BUFFER_EMPTY;
    buffer_append_span(&plain, text);
    for (size_t i = 0; i < plain.length; i++)
        if ((unsigned char)plain.at[i] >= 0x80)
            plain.at[i] = '?';
    json_text_span(json, buffer_span(&plain));
}

static void add_text_unless_empty(struct json_writer *json, const char *name, const char *text)
{
    if (text && text[0] != '\0')
        add_text(json, name, span_of(text));
}

/* What every line begins with. Fields come last: they are what may be cut. */
static void add_head(struct json_writer *json, enum log_level level, const char *message)
{
    char cut[MESSAGE_MAX];

    text_copy(cut, sizeof(cut), message);
    json_begin_object(json);
    json_member_instant(json, "time", clock_now());
    json_member_text(json, "level", level_names[level]);
    add_text_unless_empty(json, "service", state.service);
    add_text_unless_empty(json, "instance", state.instance);
    add_text(json, "message", span_of(cut));
    add_text_unless_empty(json, "request_id", context.request_id);
    add_text_unless_empty(json, "trace_id", context.trace_id);
}

/* False when the line would be too long with the field; it is then as it was. */
static bool add_field(struct json_writer *json, const struct log_field *field)
{
    size_t before = json->out->length;
    size_t limit = LOG_LINE_MAX - (sizeof(CUT_END) - 1);

    if (field->text) {
        struct span text = span_of(field->text);
        if (text.length > limit) /* no need to escape a megabyte to find out */
            return false;
        add_text(json, field->name, text);
    } else {
        json_member_integer(json, field->name, field->number);
    }
    if (json->out->length <= limit)
        return true;
    json->out->length = before;
    json->out->at[before] = '\0';
    return false;
}

static void compose(struct buffer *line, enum log_level level, const char *message,
                    const struct log_field *fields, size_t count)
{
    struct json_writer json = { .out = line };
    bool whole = true;

    add_head(&json, level, message);
    for (size_t i = 0; i < count && whole; i++)
        whole = add_field(&json, &fields[i]);
    buffer_append(line, whole ? END : CUT_END);
}

/*
 * Under the mutex. A pipe that is ready takes a line of this length (below PIPE_BUF) at once and in
 * one piece; one that is not ready would hold up the thread, and with it the request.
 */
static bool write_line(const struct buffer *line)
{
    struct pollfd pollfd = { .fd = STDERR_FILENO, .events = POLLOUT };

    if (poll(&pollfd, 1, 0) != 1 || !(pollfd.revents & POLLOUT))
        return false;
    return write(STDERR_FILENO, line->at, line->length) == (ssize_t)line->length;
}

/* Under the mutex: one line that says how many are missing in front of it. */
static bool tell_dropped(void)
{
    AUTO(buffer_release) struct buffer line = BUFFER_EMPTY;

    if (state.untold == 0)
        return true;
    compose(&line, LOG_LEVEL_WARNING, "log lines were dropped",
            &LOG_INTEGER("dropped", state.untold), 1);
    if (!write_line(&line))
        return false;
    state.untold = 0;
    return true;
}

/* What would end a label or its line becomes an apostrophe. */
static void copy_label(char out[LABEL_SIZE], const char *text)
{
    text_copy(out, LABEL_SIZE, text);
    for (char *at = out; *at != '\0'; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ' || (unsigned char)*at > '~')
            *at = '\'';
}

static void count_error(enum log_level level, const char *message, const struct log_field *fields,
                        size_t count)
{
    char labels[2 * LABEL_SIZE + 48], what[LABEL_SIZE], code[LABEL_SIZE] = "";

    for (size_t i = 0; i < count; i++)
        if (fields[i].text && strcmp(fields[i].name, "code") == 0)
            copy_label(code, fields[i].text);
    copy_label(what, message);
    text_format(labels, sizeof(labels), "level=\"%s\",message=\"%s\",code=\"%s\"",
                level_names[level], what, code);
    metric_add(metric_counter("checkout_errors_total",
                              "Warnings and errors that were logged, by their fingerprint", labels),
               1);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count)
{
    AUTO(buffer_release) struct buffer line = BUFFER_EMPTY;

    if (level >= LOG_LEVEL_WARNING)
        count_error(level, message, fields, count);
    if (!log_enabled(level))
        return;
    compose(&line, level, message, fields, count);

    pthread_mutex_lock(&state.mutex);
    if (!tell_dropped() || !write_line(&line)) {
        state.untold++;
        metric_add(dropped_metric(), 1);
    }
    pthread_mutex_unlock(&state.mutex);
}

void log_swallowed(enum log_level level, const char *message, const struct error *err)
{
    const struct log_field fields[] = {
        LOG_TEXT("kind", error_title(err->kind)),
        LOG_TEXT("code", err->code),
        LOG_TEXT("detail", err->detail),
    };

    log_write(level, message, fields, COUNT_OF(fields));
}
