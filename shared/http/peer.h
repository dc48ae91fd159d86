/*
 * Peer: which address a request comes from, as far as it can be believed.
 *
 * It is the other end of the connection. Where that is one of our own proxies, it is the last hop
 * that X-Forwarded-For names: the one that the proxy saw itself. What anybody else claims about
 * itself is passed over. An IPv6 address stands for its /64, which is what one customer has.
 */
#ifndef CHECKOUT_HTTP_PEER_H
#define CHECKOUT_HTTP_PEER_H

#include <arpa/inet.h>

#include "shared/http/framing.h"

enum { PROXIES_MAX = 16 };

/* One address, or all that are the same where the mask (in network order) has ones. */
struct proxy {
    struct in_addr address;
    in_addr_t mask;
};

/* IPv4 only, as is our side of every connection. */
struct proxies {
    size_t count;
    struct proxy list[PROXIES_MAX];
};

struct peer {
    char address[INET6_ADDRSTRLEN];
};

/* Reads addresses and networks (RFC 4632) with commas between them; "" for none.
 * ERROR_CONFIGURATION otherwise. */
MUST_CHECK bool proxies_parse(const char *text, struct proxies *out, struct error *err);

/* `connected` is the other end of the connection. */
struct peer peer_of(const struct proxies *trusted, const char *connected, const struct head *head);

#endif
