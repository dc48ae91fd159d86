/*
 * Notice: what a bank's webhook says, whatever language it is told in.
 *
 * Nothing of a webhook is read before its signature was checked. Its type says what kind of notice
 * it is, and of which operation; the record in it says what became of the reference.
 */
#ifndef CHECKOUT_PAYMENT_SERVICE_GATEWAY_NOTICE_H
#define CHECKOUT_PAYMENT_SERVICE_GATEWAY_NOTICE_H

#include "payment-service/gateway_record.h"

/* Characters of a type. */
enum { GATEWAY_TYPE_MAX = 60 };

struct gateway_notice_type {
    const char *type; /* "authorization.approved" */
    enum gateway_notice_kind kind;
    enum gateway_operation operation; /* that its record must be of */
};

/* NULL for a type that is nothing to us. */
const struct gateway_notice_type *gateway_notice_type(const char *type);

/* Whether a record may come with such a type. */
bool gateway_notice_fits(const struct gateway_notice_type *type,
                         const struct gateway_record *record);

/* The notice of a record that fits. */
void gateway_notice_fill(struct gateway_notice *out, const struct gateway_notice_type *type,
                         const struct gateway_record *record);

/* Checks the signature, then that the body says it is of that type ("text/xml"):
 * ERROR_UNAUTHENTICATED as webhook_verify(), ERROR_MEDIA_TYPE "media_type_unsupported". */
MUST_CHECK bool gateway_webhook_check(const struct gateway *gateway,
                                      const struct gateway_webhook *webhook,
                                      const char *content_type, struct error *err);

#endif
