#include "voucher-service/voucher_guesses.h"

#include <pthread.h>

/* A key that tried a wrong code, and since when. */
struct guesser {
    char key_id[ACCESS_KEY_ID_MAX + 1]; /* "": free */
    int64_t since_ms;
    int64_t count;
};

/* The mutex guards all of it. Only who tries wrong codes makes the table longer to search. */
struct voucher_guesses {
    pthread_mutex_t mutex;
    int64_t max;
    size_t used;
    struct guesser guessers[VOUCHER_GUESSES_KEYS_MAX];
};

struct voucher_guesses *voucher_guesses_create(int64_t max)
{
    struct voucher_guesses *guesses = memory_allocate_zeroed(1, sizeof(*guesses));

    guesses->max = max;
    pthread_mutex_init(&guesses->mutex, NULL);
    return guesses;
}

void voucher_guesses_destroy(struct voucher_guesses *guesses)
{
    if (!guesses)
        return;
    pthread_mutex_destroy(&guesses->mutex);
    free(guesses);
}

/* Under the lock. */
static struct guesser *find(struct voucher_guesses *guesses, const char *key_id)
{
    for (size_t i = 0; i < guesses->used; i++)
        if (strcmp(guesses->guessers[i].key_id, key_id) == 0)
            return &guesses->guessers[i];
    return NULL;
}

/* Under the lock: a free place, or that of who began longest ago. */
static struct guesser *make_room(struct voucher_guesses *guesses, const char *key_id)
{
    struct guesser *place = &guesses->guessers[0];

    if (guesses->used < VOUCHER_GUESSES_KEYS_MAX)
        place = &guesses->guessers[guesses->used++];
    for (size_t i = 0; i < guesses->used && place->key_id[0] != '\0'; i++)
        if (guesses->guessers[i].since_ms < place->since_ms)
            place = &guesses->guessers[i];
    text_copy(place->key_id, sizeof(place->key_id), key_id);
    place->count = 0;
    return place;
}

static int64_t left_ms(const struct guesser *guesser, int64_t now_ms)
{
    return guesser->since_ms + VOUCHER_GUESSES_WINDOW_MS - now_ms;
}

static bool refuse(int64_t wait_ms, struct error *err)
{
    error_set(err, ERROR_RATE_LIMITED, "too_many_wrong_codes",
              "This key has tried too many codes that do not exist. Wait, then try a right one.");
    err->retry_after_s = (wait_ms + 999) / 1000;
    return false;
}

bool voucher_guesses_allow(struct voucher_guesses *guesses, const char *key_id, int64_t now_ms,
                           struct error *err)
{
    int64_t wait_ms = 0;

    pthread_mutex_lock(&guesses->mutex);
    struct guesser *guesser = find(guesses, key_id);
    if (guesser && guesser->count >= guesses->max)
        wait_ms = left_ms(guesser, now_ms);
    pthread_mutex_unlock(&guesses->mutex);
    return wait_ms <= 0 || refuse(wait_ms, err);
}

bool voucher_guesses_count(struct voucher_guesses *guesses, const char *key_id, int64_t now_ms,
                           struct error *err)
{
    pthread_mutex_lock(&guesses->mutex);
    struct guesser *guesser = find(guesses, key_id);
    if (!guesser)
        guesser = make_room(guesses, key_id);
    if (guesser->count == 0 || left_ms(guesser, now_ms) <= 0) {
        guesser->since_ms = now_ms;
        guesser->count = 0;
    }
    bool passes = guesser->count < guesses->max;
    int64_t wait_ms = left_ms(guesser, now_ms);
    if (passes)
        guesser->count++;
    pthread_mutex_unlock(&guesses->mutex);
    return passes || refuse(wait_ms, err);
}
