/*
 * Letter: one webhook on its way - signed as Standard Webhooks say, and posted.
 *
 * Where to is a template: "http://127.0.0.1:8082/v1/provider_webhooks/{bank}/{account}". Any
 * thread; at most LETTERS_MAX are on their way at once.
 */
#ifndef CHECKOUT_BANK_LETTER_H
#define CHECKOUT_BANK_LETTER_H

#include "payment-service/bank-simulator/bank_book.h"

enum { LETTERS_MAX = 64, LETTER_MS = 5000 };

struct letters;

/*
 * Texts are borrowed. ERROR_CONFIGURATION when the address is none, or nothing can be signed with
 * the secret.
 */
MUST_CHECK bool letters_create(const char *url, const char *secret, struct letters **out,
                               struct error *err);

/* Takes NULL. */
void letters_destroy(struct letters *letters);

struct letter {
    const struct bank_place *place;
    struct id id;
    const char *content_type;
    struct span body;
    struct instant at; /* what its timestamp says */
    bool forged;       /* signed with a secret that nobody has */
};

/* The status it was answered with, or 0 when it was not. */
int letters_post(struct letters *letters, const struct letter *letter);

#endif
