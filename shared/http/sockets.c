#include "shared/http/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/buffer.h"

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

int64_t sockets_bytes_read(struct sockets *sockets, struct endpoint endpoint)
{
    int descriptor = sockets_find(sockets, endpoint);
    struct tcp_info info;
    socklen_t length = sizeof(info);
    int unread;

    if (descriptor < 0 || getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        length <
            offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received) ||
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

void sockets_end_reading(struct sockets *sockets, uint16_t local_port)
{
    for_each_local(sockets, local_port, end_reading);
}

void sockets_close(struct sockets *sockets, uint16_t local_port)
{
    for_each_local(sockets, local_port, close_it);
}
