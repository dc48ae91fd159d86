#include "shared/http/peer.h"

#include "tests/unit/table.h"

static const struct row {
    const char *label;
    const char *trusted;
    const char *connected;
    const char *forwarded[3]; /* values of X-Forwarded-For, NULL behind the last */
    const char *peer;
} rows[] = {
    { "without a proxy it is the other end", "", "10.0.0.9", { NULL }, "10.0.0.9" },
    { "what a stranger claims is passed over", "127.0.0.1", "10.0.0.9", { "1.2.3.4" }, "10.0.0.9" },
    { "nobody is trusted unless named", "", "127.0.0.1", { "1.2.3.4" }, "127.0.0.1" },
    { "a proxy's word is believed", "127.0.0.1", "127.0.0.1", { "1.2.3.4" }, "1.2.3.4" },
    { "of several hops the last", "127.0.0.1", "127.0.0.1", { "6.6.6.6, 1.2.3.4" }, "1.2.3.4" },
    { "of several headers the last",
      "127.0.0.1",
      "127.0.0.1",
      { "6.6.6.6", "1.2.3.4" },
      "1.2.3.4" },
    { "one of several proxies", "10.0.0.1, 10.0.0.2", "10.0.0.2", { "1.2.3.4" }, "1.2.3.4" },
    { "one of a network", "172.16.0.0/12", "172.31.255.9", { "1.2.3.4" }, "1.2.3.4" },
    { "one beside that network", "172.16.0.0/12", "172.32.0.1", { "1.2.3.4" }, "172.32.0.1" },
    { "a proxy that says nothing is meant itself",
      "127.0.0.1",
      "127.0.0.1",
      { NULL },
      "127.0.0.1" },
    { "an empty list too", "127.0.0.1", "127.0.0.1", { " , " }, "127.0.0.1" },
    { "what is no address too", "127.0.0.1", "127.0.0.1", { "unknown" }, "127.0.0.1" },
    { "an address with a port too", "127.0.0.1", "127.0.0.1", { "1.2.3.4:80" }, "127.0.0.1" },
    { "an IPv6 address stands for its /64",
      "127.0.0.1",
      "127.0.0.1",
      { "2001:db8:1:2:3:4:5:6" },
      "2001:db8:1:2::" },
    { "however it is spelled",
      "127.0.0.1",
      "127.0.0.1",
      { "2001:0DB8:1:2::99" },
      "2001:db8:1:2::" },
    { "a text that is very long",
      "127.0.0.1",
      "127.0.0.1",
      { "1111111111111111111111111111111111111111111111111111111111111" },
      "127.0.0.1" },
    { "what the library can not tell is nobody in particular", "", "", { NULL }, "unknown" },
};

static void check_row(void **state)
{
    static struct error err;
    const struct row *row = *state;
    struct head head = { .header_count = 1, .headers = { { "Host", "shop" } } };
    struct proxies proxies;

    for (size_t i = 0; i < COUNT_OF(row->forwarded) && row->forwarded[i]; i++)
        head.headers[head.header_count++] = (struct header){ "x-forwarded-for", row->forwarded[i] };
    assert_true(proxies_parse(row->trusted, &proxies, &err));
    assert_string_equal(peer_of(&proxies, row->connected, &head).address, row->peer);
}

static const struct setting_row {
    const char *label;
    const char *text;
    size_t count; /* 0 and not "": refused */
} setting_rows[] = {
    { "none", "", 0 },
    { "one", "127.0.0.1", 1 },
    { "two, with a blank", "127.0.0.1, 10.0.0.1", 2 },
    { "a name is refused", "localhost", 0 },
    { "a network", "10.0.0.0/8", 1 },
    { "a network of one", "10.0.0.1/32", 1 },
    { "all addresses are refused", "0.0.0.0/0", 0 },
    { "more bits than there are are refused", "10.0.0.0/33", 0 },
    { "a network without its bits is refused", "10.0.0.0/", 0 },
    { "a network of a name is refused", "localhost/8", 0 },
    { "an IPv6 address is refused", "::1", 0 },
    { "seventeen are refused",
      "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
      "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
      0 },
};

static void check_setting(void **state)
{
    static struct error err;
    const struct setting_row *row = *state;
    struct proxies proxies;
    bool good = row->count > 0 || row->text[0] == '\0';

    assert_int_equal(proxies_parse(row->text, &proxies, &err), good);
    if (good)
        assert_int_equal(proxies.count, row->count);
    else
        assert_int_equal(err.kind, ERROR_CONFIGURATION);
}

int main(void)
{
    struct table table = TABLE_EMPTY;

    TABLE_ADD_ROWS(&table, rows, check_row);
    TABLE_ADD_ROWS(&table, setting_rows, check_setting);
    return table_run(&table);
}
