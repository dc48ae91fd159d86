#include "shared/db/write.h"

void write_begin(struct write *write, const struct statement *statement, enum write_kind kind,
                 int stream, struct id row)
{
    write->statement = statement;
    write->kind = kind;
    write->stream = stream;
    write->row = row;
    write->key[0] = '\0';
    parameters_begin(&write->parameters);
    write->event_count = 0;
    write->outcome = WRITE_REFUSED;
}

void write_announce(struct write *write, const struct event *event)
{
    assert(write->event_count < WRITE_EVENTS_MAX);
    write->events[write->event_count++] = event;
}

void write_release(struct write *write)
{
    parameters_release(&write->parameters);
}

int write_compare(const struct write *a, const struct write *b)
{
    if (a->kind != b->kind)
        return a->kind == WRITE_CHANGE ? -1 : 1;
    if (a->kind == WRITE_CHANGE)
        return id_compare(a->row, b->row);
    return strcmp(a->key, b->key);
}

bool write_may_share(const struct write *a, const struct write *b)
{
    if (a->statement != b->statement || a->kind != b->kind || id_equal(a->row, b->row))
        return false;
    return a->key[0] == '\0' || strcmp(a->key, b->key) != 0;
}
