/*
 * Trace: W3C Trace Context, level 1.
 *
 * A request carries a traceparent in or gets a new one; what it causes (events, log lines, calls)
 * carries the same trace id with a span id of its own.
 */
#ifndef CHECKOUT_RUNTIME_TRACE_H
#define CHECKOUT_RUNTIME_TRACE_H

#include "shared/base/text.h"

/* "00-<32>-<16>-<2>" and a NUL. */
enum { TRACEPARENT_SIZE = 56 };

struct trace {
    char trace_id[33];
    char span_id[17];
    char parent_id[17]; /* the span that caused this one, or "" where that is not known */
    char flags[3];
};

/* A new trace, sampled. Any thread. */
struct trace trace_create(void);

/* A new span in the same trace. */
struct trace trace_child(const struct trace *parent);

/*
 * Version 00 must be exactly four fields; a higher version (never ff) may have more behind a dash.
 * All-zero ids and capital letters are invalid.
 */
MUST_CHECK bool trace_parse(struct span traceparent, struct trace *out);

/* Writes version 00 into `out` of TRACEPARENT_SIZE bytes. */
void trace_format(const struct trace *trace, char *out);

#endif
