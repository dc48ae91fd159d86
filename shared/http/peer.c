#include "shared/http/peer.h"

#include <strings.h>

#include "shared/base/text.h"

/* Bytes of an IPv6 address that name its customer. */
enum { IPV6_NETWORK_BYTES = 8 };

enum { IPV4_BITS = 32 };

static bool parse_ipv4(struct span text, struct in_addr *out)
{
    char address[INET_ADDRSTRLEN];

    return text_copy_span(address, sizeof(address), text) && inet_pton(AF_INET, address, out) == 1;
}

/* The next word of a list with commas and blanks; false at its end. */
static bool next_word(const char **at, struct span *out)
{
    *at += strspn(*at, ", \t");
    *out = (struct span){ *at, strcspn(*at, ", \t") };
    *at += out->length;
    return out->length > 0;
}

/* The bits of the mask that "/16" stands for, in network order; none are those of one address. */
static bool parse_mask(struct span text, in_addr_t *out)
{
    int64_t bits = IPV4_BITS;

    if (text.length > 0)
        if (!number_parse((struct span){ text.at + 1, text.length - 1 }, &bits) || bits < 1 ||
            bits > IPV4_BITS)
            return false;
    *out = htonl(UINT32_MAX << (IPV4_BITS - bits));
    return true;
}

/* An address, or a network: "172.16.0.0/12". */
static bool parse_proxy(struct span word, struct proxy *out)
{
    const char *slash = memchr(word.at, '/', word.length);
    size_t length = slash ? (size_t)(slash - word.at) : word.length;

    return parse_ipv4((struct span){ word.at, length }, &out->address) &&
           parse_mask((struct span){ word.at + length, word.length - length }, &out->mask);
}

bool proxies_parse(const char *text, struct proxies *out, struct error *err)
{
    struct proxies proxies = { .count = 0 };
    struct span word;

    while (next_word(&text, &word)) {
        if (proxies.count == PROXIES_MAX || !parse_proxy(word, &proxies.list[proxies.count]))
            return error_set(err, ERROR_CONFIGURATION, "configuration_invalid",
                             "must be at most %d IPv4 addresses or networks, comma-separated",
                             PROXIES_MAX);
        proxies.count++;
    }
    *out = proxies;
    return true;
}

static bool is_trusted(const struct proxies *trusted, const char *connected)
{
    struct in_addr address;

    if (!parse_ipv4(span_of(connected), &address))
        return false;
    for (size_t i = 0; i < trusted->count; i++)
        if (((trusted->list[i].address.s_addr ^ address.s_addr) & trusted->list[i].mask) == 0)
            return true;
    return false;
}

/* Of all headers of that name, which are one list, the last word. */
static struct span last_hop(const struct head *head)
{
    struct span last = { "", 0 }, word;

    for (size_t i = 0; i < head->header_count; i++) {
        const char *at = head->headers[i].value;
        if (strcasecmp(head->headers[i].name, "X-Forwarded-For") != 0)
            continue;
        while (next_word(&at, &word))
            last = word;
    }
    return last;
}

/* One spelling per address; false if it is none. */
static bool read_address(struct span text, struct peer *out)
{
    char address[INET6_ADDRSTRLEN];
    struct in_addr ipv4;
    struct in6_addr ipv6;

    if (parse_ipv4(text, &ipv4))
        return inet_ntop(AF_INET, &ipv4, out->address, sizeof(out->address)) != NULL;
    if (!text_copy_span(address, sizeof(address), text) || inet_pton(AF_INET6, address, &ipv6) != 1)
        return false;
    memset(ipv6.s6_addr + IPV6_NETWORK_BYTES, 0, sizeof(ipv6.s6_addr) - IPV6_NETWORK_BYTES);
    return inet_ntop(AF_INET6, &ipv6, out->address, sizeof(out->address)) != NULL;
}

struct peer peer_of(const struct proxies *trusted, const char *connected, const struct head *head)
{
    struct peer peer;

    if (is_trusted(trusted, connected) && read_address(last_hop(head), &peer))
        return peer;
    if (!read_address(span_of(connected), &peer))
        text_copy(peer.address, sizeof(peer.address), "unknown");
    return peer;
}
