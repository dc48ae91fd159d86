#include "shared/db/write.h"

void write_begin(struct write *write, const struct statement *statement, enum write_kind kind,
                 int stream, struct id row)
{
    write->statement = statement;
    write->kind = kind;
    write->stream = stream;
    write->row = row;
    write->also = (struct id){ { 0 } };
    write->of_new_row = false;
    write->key[0] = '\0';
    parameters_begin(&write->parameters);
    write->event_count = 0;
    write->outcome = WRITE_REFUSED;
}

void write_also(struct write *write, struct id also)
{
    assert(write->kind == WRITE_CHANGE);
    write->also = also;
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

static bool has_also(const struct write *write)
{
    static const struct id none = { { 0 } };

    return !id_equal(write->also, none);
}

/* The row that is locked first. */
static struct id first_row(const struct write *write)
{
    return has_also(write) ? write->also : write->row;
}

/* Changes, creations, changes of what was created. */
static int rank_of(const struct write *write)
{
    if (write->kind == WRITE_CREATE)
        return 1;
    return write->of_new_row ? 2 : 0;
}

int write_compare(const struct write *a, const struct write *b)
{
    if (rank_of(a) != rank_of(b))
        return rank_of(a) - rank_of(b);
    if (a->kind == WRITE_CHANGE)
        return id_compare(first_row(a), first_row(b));
    return strcmp(a->key, b->key);
}

bool write_may_share(const struct write *a, const struct write *b)
{
    if (a->statement != b->statement || rank_of(a) != rank_of(b) || id_equal(a->row, b->row))
        return false;
    if (has_also(a) && id_equal(a->also, b->also))
        return false;
    return a->key[0] == '\0' || strcmp(a->key, b->key) != 0;
}
