/*
 * Message: calls and records in SOAP, the fields of which are those of the JSON API.
 */
#ifndef CHECKOUT_BANK_MESSAGE_H
#define CHECKOUT_BANK_MESSAGE_H

#include "payment-service/bank-simulator/bank_json.h"
#include "shared/soap/envelope.h"

#define BANK_NAME_SPACE "urn:checkout:bank:1"

/* The operation of a message ("AnnounceTransfer"); false for a name that none has. */
MUST_CHECK bool bank_message_operation(const char *message, enum bank_operation *out);

/* "CaptureResponse" */
const char *bank_message_response(enum bank_operation operation);

struct bank_message {
    char account[BANK_ACCOUNT_SIZE]; /* as it came; not yet checked */
    struct bank_instruction instruction;
    struct bank_card card; /* the caller wipes it */
};

/* As bank_instruction_read(). Also of BANK_LOOK_UP, which has a reference and nothing else. */
MUST_CHECK bool bank_message_read(const struct envelope *envelope, enum bank_operation operation,
                                  struct bank_message *out, struct error *err);

/* <record>...</record>; what is null in JSON is left out. */
void bank_message_write_record(struct buffer *out, const struct bank_record *record,
                               const struct bank_view *view);

/* Whether each name in the object, at whatever depth, is one of an element of ours: ASCII. */
bool bank_message_can_write_any(const struct json_value *object);

/* The children that such an object makes, in its order: for records that somebody made up. */
void bank_message_write_any(struct buffer *out, const struct json_value *object);

#endif
