/*
 * Sockets: the server's own connections, found among the process's descriptors.
 *
 * civetweb tells nobody which descriptor a connection has, and has no way to end one from outside.
 * A connection is known by its peer's address and port, so it is looked for by them - seldom: when
 * a deadline has passed, when there are more connections than threads, or when the server ends. The
 * folder that lists the descriptors is opened once, so that this works when no descriptor is left.
 * Any thread.
 */
#ifndef CHECKOUT_HTTP_SOCKETS_H
#define CHECKOUT_HTTP_SOCKETS_H

#include "shared/base/compiler.h"

/* One of the server's connections (IPv4: the library speaks nothing else here). */
struct endpoint {
    uint32_t remote_address; /* in network order */
    uint16_t remote_port;
    uint16_t local_port;
};

struct sockets;

/* NULL when the descriptors cannot be listed. */
struct sockets *sockets_create(void);
void sockets_destroy(struct sockets *sockets);

/* The descriptor of a connection, or -1. It stays that connection's only as long as the caller
 * knows that nobody closes it. */
int sockets_find(struct sockets *sockets, struct endpoint endpoint);

/* How many bytes were read from a connection so far; -1 when the kernel does not tell. */
int64_t sockets_bytes_read(struct sockets *sockets, struct endpoint endpoint);

/* Connections to that port: those that were accepted, and those that the kernel has waiting. */
int64_t sockets_count(struct sockets *sockets, uint16_t local_port);

/*
 * shutdown()s for reading, so that their threads close them, at most `count` connections to that
 * port: those on which nothing was ever received, the oldest first, and none that is younger than
 * `silent_ms`. What has arrived in the last moment is still read and answered. Returns how many.
 */
int64_t sockets_end_silent(struct sockets *sockets, uint16_t local_port, int64_t silent_ms,
                           int64_t count);

/* shutdown()s every socket bound to that port for reading: listeners stop, idle connections end. */
void sockets_end_reading(struct sockets *sockets, uint16_t local_port);

/* Closes every socket bound to that port; nobody may use one any more. */
void sockets_close(struct sockets *sockets, uint16_t local_port);

#endif
