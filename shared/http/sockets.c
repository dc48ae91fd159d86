#include "shared/http/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/buffer.h"

/* TCP_ESTABLISHED and TCP_LISTEN, whose header does not go together with the one of TCP_INFO. */
enum { TCP_CONNECTED = 1, TCP_LISTENING = 10 };

/* Silent connections that are looked at together; if there are more, the others are next. */
enum { SILENT_MAX = 1024 };

struct sockets {
    pthread_mutex_t mutex; /* guards the folder's position */
    DIR *folder;
};

struct sockets *sockets_create(void)
{
    DIR *folder = opendir("/proc/self/fd");

    if (!folder)
        return NULL;
    struct sockets *sockets = memory_allocate_zeroed(1, sizeof(*sockets));
    pthread_mutex_init(&sockets->mutex, NULL);
    sockets->folder = folder;
    return sockets;
}

void sockets_destroy(struct sockets *sockets)
{
    if (!sockets)
        return;
    closedir(sockets->folder);
    pthread_mutex_destroy(&sockets->mutex);
    free(sockets);
}

/* The next descriptor in the folder, or -1 behind the last. */
static int next_descriptor(struct sockets *sockets)
{
    struct dirent *entry;

    while ((entry = readdir(sockets->folder))) {
        int64_t number;
        if (number_parse(span_of(entry->d_name), &number))
            return (int)number;
    }
    return -1;
}

typedef int get_address(int descriptor, struct sockaddr *address, socklen_t *length);

/* False for what is no IPv4 socket, or has no such address. */
static bool read_address(get_address *get, int descriptor, struct sockaddr_in *out)
{
    socklen_t length = sizeof(*out);

    return get(descriptor, (struct sockaddr *)out, &length) == 0 && length == sizeof(*out) &&
           out->sin_family == AF_INET;
}

static bool is_local(int descriptor, uint16_t port)
{
    struct sockaddr_in address;

    return read_address(getsockname, descriptor, &address) && ntohs(address.sin_port) == port;
}

static bool is_remote(int descriptor, struct endpoint endpoint)
{
    struct sockaddr_in address;

    return read_address(getpeername, descriptor, &address) &&
           ntohs(address.sin_port) == endpoint.remote_port &&
           address.sin_addr.s_addr == endpoint.remote_address;
}

int sockets_find(struct sockets *sockets, struct endpoint endpoint)
{
    int descriptor;

    pthread_mutex_lock(&sockets->mutex);
    rewinddir(sockets->folder);
    while ((descriptor = next_descriptor(sockets)) >= 0)
        if (is_remote(descriptor, endpoint) && is_local(descriptor, endpoint.local_port))
            break;
    pthread_mutex_unlock(&sockets->mutex);
    return descriptor;
}

/* False for what is no connection, or when the kernel tells less than we need. */
static bool read_info(int descriptor, struct tcp_info *out)
{
    socklen_t length = sizeof(*out);
    size_t needed =
        offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(out->tcpi_bytes_received);

    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, out, &length) == 0 && length >= needed;
}

int64_t sockets_bytes_read(struct sockets *sockets, struct endpoint endpoint)
{
    int descriptor = sockets_find(sockets, endpoint);
    struct tcp_info info;
    int unread;

    if (descriptor < 0 || !read_info(descriptor, &info) ||
        ioctl(descriptor, FIONREAD, &unread) != 0)
        return -1;
    return (int64_t)info.tcpi_bytes_received - unread;
}

static void end_reading(int descriptor)
{
    shutdown(descriptor, SHUT_RD);
}

static void close_it(int descriptor)
{
    close(descriptor);
}

static void for_each_local(struct sockets *sockets, uint16_t port, void (*act)(int descriptor))
{
    int descriptor;

    pthread_mutex_lock(&sockets->mutex);
    rewinddir(sockets->folder);
    while ((descriptor = next_descriptor(sockets)) >= 0)
        if (is_local(descriptor, port))
            act(descriptor);
    pthread_mutex_unlock(&sockets->mutex);
}

int64_t sockets_count(struct sockets *sockets, uint16_t local_port)
{
    int64_t count = 0;
    struct tcp_info info;
    int descriptor;

    pthread_mutex_lock(&sockets->mutex);
    rewinddir(sockets->folder);
    while ((descriptor = next_descriptor(sockets)) >= 0)
        if (is_local(descriptor, local_port) && read_info(descriptor, &info))
            count += info.tcpi_state == TCP_LISTENING ? (int64_t)info.tcpi_unacked : 1;
    pthread_mutex_unlock(&sockets->mutex);
    return count;
}

/* How long a connection has been there without a word; -1 when it said something, or is none. */
static int64_t silence_ms(int descriptor, uint16_t port)
{
    struct tcp_info info;

    if (!is_local(descriptor, port) || !read_info(descriptor, &info) ||
        info.tcpi_state != TCP_CONNECTED || info.tcpi_bytes_received > 0)
        return -1;
    return info.tcpi_last_data_recv;
}

struct silent {
    int descriptor;
    int64_t ms;
};

static int compare_longest_first(const void *left, const void *right)
{
    int64_t left_ms = ((const struct silent *)left)->ms;
    int64_t right_ms = ((const struct silent *)right)->ms;

    return (left_ms < right_ms) - (left_ms > right_ms);
}

static size_t find_silent(struct sockets *sockets, uint16_t port, int64_t min_ms,
                          struct silent found[SILENT_MAX])
{
    size_t count = 0;
    int descriptor;

    pthread_mutex_lock(&sockets->mutex);
    rewinddir(sockets->folder);
    while (count < SILENT_MAX && (descriptor = next_descriptor(sockets)) >= 0) {
        int64_t ms = silence_ms(descriptor, port);
        if (ms >= min_ms)
            found[count++] = (struct silent){ descriptor, ms };
    }
    pthread_mutex_unlock(&sockets->mutex);
    qsort(found, count, sizeof(*found), compare_longest_first);
    return count;
}

/*
 * Its thread may have closed it meanwhile, and the descriptor be the next client's. A second
 * descriptor of ours stays the one connection that is judged, and then shut.
 */
static bool end_silent(int descriptor, uint16_t port, int64_t min_ms)
{
    int held = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);

    if (held < 0)
        return false;
    bool silent = silence_ms(held, port) >= min_ms;
    if (silent)
        shutdown(held, SHUT_RD);
    close(held);
    return silent;
}

int64_t sockets_end_silent(struct sockets *sockets, uint16_t local_port, int64_t silent_ms,
                           int64_t count)
{
    struct silent found[SILENT_MAX];
    size_t found_count = find_silent(sockets, local_port, silent_ms, found);
    int64_t ended = 0;

    for (size_t i = 0; i < found_count && ended < count; i++)
        if (end_silent(found[i].descriptor, local_port, silent_ms))
            ended++;
    return ended;
}

void sockets_end_reading(struct sockets *sockets, uint16_t local_port)
{
    for_each_local(sockets, local_port, end_reading);
}

void sockets_close(struct sockets *sockets, uint16_t local_port)
{
    for_each_local(sockets, local_port, close_it);
}
