#include "shared/http/client_pool.h"

#include <pthread.h>

/* Clients that are free stand first, the one used last on top: its connection is warm. */
struct client_pool {
    pthread_mutex_t mutex;
    size_t size;
    size_t free_count;
    struct client **free_clients;
};

struct client_pool *client_pool_create(size_t size)
{
    struct client_pool *pool = memory_allocate_zeroed(1, sizeof(*pool));

    assert(size > 0);
    pthread_mutex_init(&pool->mutex, NULL);
    pool->size = size;
    pool->free_clients = memory_allocate_zeroed(size, sizeof(struct client *));
    for (; pool->free_count < size; pool->free_count++)
        pool->free_clients[pool->free_count] = client_create();
    return pool;
}

void client_pool_destroy(struct client_pool *pool)
{
    if (!pool)
        return;
    assert(pool->free_count == pool->size);
    for (size_t i = 0; i < pool->size; i++)
        client_destroy(pool->free_clients[i]);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->free_clients);
    free(pool);
}

/* NULL when all are at work. */
static struct client *take(struct client_pool *pool)
{
    struct client *client = NULL;

    pthread_mutex_lock(&pool->mutex);
    if (pool->free_count > 0)
        client = pool->free_clients[--pool->free_count];
    pthread_mutex_unlock(&pool->mutex);
    return client;
}

static void give_back(struct client_pool *pool, struct client *client)
{
    pthread_mutex_lock(&pool->mutex);
    pool->free_clients[pool->free_count++] = client;
    pthread_mutex_unlock(&pool->mutex);
}

bool client_pool_send(struct client_pool *pool, const struct client_request *request, int *status,
                      struct buffer *answer, struct error *err)
{
    struct client *client = take(pool);

    if (!client)
        return error_set(err, ERROR_OVERLOADED, "peer_busy",
                         "%zu requests to it are under way already", pool->size);
    bool sent = client_send(client, request, status, answer, err);
    give_back(pool, client);
    return sent;
}
