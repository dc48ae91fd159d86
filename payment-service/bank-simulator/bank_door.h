/*
 * Door: what all calls go through, whatever language they speak.
 *
 *     if (!door_find(door, req, SPEAKS_JSON, &bank, err))      the key is wrong, or the bank
 *         return false;
 *     struct visit visit = { .place = ..., .act = ..., ... };
 *     door_enter(door, &visit);
 *     bool done = read(...) && door_serve(door, &visit, reply, err);
 *     door_leave(door, &visit, done ? reply : NULL, err);
 *     return done;
 *
 * Between reading a call and doing it stands what shall go wrong: scripted faults, and cards whose
 * expiry does. Some of that holds the connection for as long as a caller may wait; at most
 * DOOR_HELD_MAX at once, so that threads are left for others, which are let go without an answer
 * instead. Every call is remembered (bank_calls.h) with what became of it.
 *
 * Any thread.
 */
#ifndef CHECKOUT_BANK_DOOR_H
#define CHECKOUT_BANK_DOOR_H

#include "payment-service/bank-simulator/bank_calls.h"
#include "payment-service/bank-simulator/bank_desk.h"
#include "shared/http/router.h"

enum { DOOR_HELD_MAX = 64, DOOR_HELD_MS = 30000 };

struct door_settings {
    struct desk *desk; /* borrowed, like all of these */
    struct faults *faults;
    struct calls *calls;
    const char *bank_key;
    int64_t latency_ms; /* of every call */
};

struct door;

struct door *door_create(const struct door_settings *settings);

/* Takes NULL. */
void door_destroy(struct door *door);

/* Lets go who waits in vain: what they wait for has ended. */
void door_release(struct door *door);

/* Lets go whoever is held, and holds nobody any more: before draining. */
void door_close(struct door *door);

struct desk *door_desk(struct door *door);

/* True if the header is "Bearer <key>"; in constant time. */
bool door_knows(const char *authorization, const char *key);

enum door_language { SPEAKS_JSON, SPEAKS_SOAP, SPEAKS_FILES };

/*
 * Checks the caller's key, and finds the bank that the route's first placeholder names and that
 * speaks the language; a file is a file for all of them. ERROR_UNAUTHENTICATED "key_missing" or
 * "key_invalid"; ERROR_NOT_FOUND "bank_not_found".
 */
MUST_CHECK bool door_find(const struct door *door, const struct request *req,
                          enum door_language language, const struct bank **out, struct error *err);

/* ERROR_NOT_FOUND "account_not_found" for what can not be one. */
MUST_CHECK bool door_read_account(struct span text, struct bank_place *out, struct error *err);

/* One call. */
struct visit {
    struct bank_place place;
    enum bank_operation operation;
    struct deadline deadline;
    /* Does what is asked for and writes the answer; sets call.effect. */
    bool (*act)(void *ctx, struct visit *visit, struct reply *reply, struct error *err);
    void *ctx;

    struct bank_card card;   /* of an authorization; wiped when the visit ends */
    enum bank_manner manner; /* that the card asks for */
    struct call call;        /* as it will be remembered */
    int64_t number;          /* among the calls */
    bool held;               /* the caller waited in vain */
};

/* Remembers that it came. The first fields are set; the rest is zero. */
void door_enter(struct door *door, struct visit *visit);

/* The call's references and money, once they are read. */
void visit_note(struct visit *visit, const struct bank_instruction *instruction);

MUST_CHECK bool door_serve(struct door *door, struct visit *visit, struct reply *reply,
                           struct error *err);

/* `reply` is NULL for a call that failed with `err`. */
void door_leave(struct door *door, struct visit *visit, const struct reply *reply,
                const struct error *err);

#endif
