/*
 * Voucher guesses: how many wrong codes each API key has tried lately.
 *
 * A code is 60 random bits, so nobody finds one by trying; but whoever tries has bad intentions or
 * a broken program, and is slowed down: after `max` wrong codes within VOUCHER_GUESSES_WINDOW_MS
 * the key waits until that time is over. What is counted is this process's: with several instances
 * a key has as many tries at each.
 *
 * Any thread.
 */
#ifndef CHECKOUT_VOUCHER_SERVICE_VOUCHER_GUESSES_H
#define CHECKOUT_VOUCHER_SERVICE_VOUCHER_GUESSES_H

#include "shared/base/buffer.h"
#include "shared/http/access.h"

enum { VOUCHER_GUESSES_WINDOW_MS = 5000 };

/* Keys that are remembered at once; beyond, whoever began longest ago is forgotten. */
enum { VOUCHER_GUESSES_KEYS_MAX = 1024 };

struct voucher_guesses;

/* `max` wrong codes are let pass in one window. */
struct voucher_guesses *voucher_guesses_create(int64_t max);

/* Takes NULL. */
void voucher_guesses_destroy(struct voucher_guesses *guesses);

/* ERROR_RATE_LIMITED "too_many_wrong_codes", with the seconds to wait, while the key must wait.
 * `now_ms` is on the monotonic clock. */
MUST_CHECK bool voucher_guesses_allow(struct voucher_guesses *guesses, const char *key_id,
                                      int64_t now_ms, struct error *err);

/*
 * Counts a wrong code; fails like voucher_guesses_allow() when it is one too many, so that of many
 * at the same moment no more than `max` are told that they are wrong.
 */
MUST_CHECK bool voucher_guesses_count(struct voucher_guesses *guesses, const char *key_id,
                                      int64_t now_ms, struct error *err);

#endif
