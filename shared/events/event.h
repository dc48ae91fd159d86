/*
 * Event: what happened to one subject, and its public object at that version.
 *
 * In the log it is a row; on the bus and in the feed it is a CloudEvent 1.0 in structured JSON:
 * specversion, id, source ("/order-service"), type ("order.sent"), subject, time, datacontenttype,
 * dataschema (a URN that ends in where the schema is served), sequence (20 digits as text:
 * CloudEvents integers have 32 bits), stream, subjectversion, merchantid, traceparent, data. Its
 * topic is checkout/v1/{merchant}/{order|payment|refund|voucher}/{subject}/{event}.
 */
#ifndef CHECKOUT_EVENTS_EVENT_H
#define CHECKOUT_EVENTS_EVENT_H

#include "shared/base/buffer.h"
#include "shared/base/clock.h"
#include "shared/base/error.h"
#include "shared/base/id.h"
#include "shared/http/access.h"
#include "shared/runtime/trace.h"

struct json_value; /* shared/json/json_reader.h */

enum { EVENT_TYPE_SIZE = 48, EVENT_SOURCE_SIZE = 48, EVENT_TOPIC_SIZE = 192 };

#define EVENT_CONTENT_TYPE "application/cloudevents+json; charset=utf-8"

struct event {
    int stream;
    int64_t sequence; /* 0 until it stands in the log */
    struct id id;
    char merchant[MERCHANT_SIZE];
    char type[EVENT_TYPE_SIZE];
    struct id subject;
    int64_t subject_version;
    struct instant time;
    char traceparent[TRACEPARENT_SIZE];
    char parent_id[17]; /* while it is announced: the span that caused it; otherwise "" */
    struct span data;   /* JSON text, borrowed */
};

/* An event being made, with the text of its data. The event must not be moved by value. */
struct announcement {
    struct event event;
    struct buffer data;
};

#define ANNOUNCEMENT_EMPTY ((struct announcement){ .data = BUFFER_EMPTY })

/* The data is written into `data` next, then announcement_seal() makes the event complete. */
void announcement_begin(struct announcement *announcement, int stream, const char *merchant,
                        const char *type, const struct trace *trace);
void announcement_seal(struct announcement *announcement, struct id subject,
                       int64_t subject_version, struct instant time);
void announcement_release(struct announcement *announcement);

/* Appends the CloudEvent; `service` is the producer's name ("order-service"). */
void event_write(const struct event *event, const char *service, struct buffer *out);

/* The topic; "order.sent" gives ".../order/<subject>/sent". */
void event_topic(const struct event *event, char *out, size_t size);

/*
 * Reads a CloudEvent of `service`. ERROR_VALIDATION or ERROR_MALFORMED says what is wrong with it.
 * `data` is appended to `storage` (which must outlive the event) and borrowed from there. What is
 * in it is for whoever wants to know to parse; only its brackets are known to be closed.
 */
MUST_CHECK bool event_read(struct span text, const char *service, struct buffer *storage,
                           struct event *out, struct error *err);

/* As event_read(), from a value of a larger document. */
MUST_CHECK bool event_read_value(struct json_value *value, const char *service,
                                 struct buffer *storage, struct event *out, struct error *err);

/* True if the topic is the one that the event belongs on. */
bool event_fits_topic(const struct event *event, const char *topic);

#endif
