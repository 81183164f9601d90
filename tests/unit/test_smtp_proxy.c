#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ingest/smtp_listen.h"
#include "ingest/smtp_proxy.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define V4_ADDRESSES "\xc0\0\2\7\xc0\0\2\1\x12\x34\0\x19"
#define V6_CLIENT "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
#define V6_SERVER "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"

/* A header, what is to be said of it, and of whom it speaks ("" where the balancer for itself). */
static const struct {
    const char *name;
    struct dsnd_str in;
    enum dsnd_err err;
    const char *client;
} headers[] = {
    {"v1 IPv4", DSND_STR_INIT("PROXY TCP4 192.0.2.7 192.0.2.1 4660 25\r\n"), DSND_OK, "192.0.2.7"},
    {"v1 IPv6", DSND_STR_INIT("PROXY TCP6 2001:db8::7 2001:db8::1 4660 25\r\n"), DSND_OK,
     "2001:db8::7"},
    {"v1 unknown", DSND_STR_INIT("PROXY UNKNOWN\r\n"), DSND_OK, ""},
    {"v1 unknown with more", DSND_STR_INIT("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), DSND_OK, ""},
    {"v1 port too large", DSND_STR_INIT("PROXY TCP4 192.0.2.7 192.0.2.1 65536 25\r\n"),
     DSND_ERR_SYNTAX, NULL},
    {"v1 port with a leading zero", DSND_STR_INIT("PROXY TCP4 192.0.2.7 192.0.2.1 025 25\r\n"),
     DSND_ERR_SYNTAX, NULL},
    {"v1 without a port", DSND_STR_INIT("PROXY TCP4 192.0.2.7 192.0.2.1 25\r\n"), DSND_ERR_SYNTAX,
     NULL},
    {"v1 of mixed families", DSND_STR_INIT("PROXY TCP4 192.0.2.7 2001:db8::1 1 25\r\n"),
     DSND_ERR_SYNTAX, NULL},
    {"v1 of another protocol", DSND_STR_INIT("PROXY UDP4 192.0.2.7 192.0.2.1 1 25\r\n"),
     DSND_ERR_SYNTAX, NULL},
    {"v1 with two blanks", DSND_STR_INIT("PROXY TCP4  192.0.2.7 192.0.2.1 1 25\r\n"),
     DSND_ERR_SYNTAX, NULL},
    {"v1 with a bare LF", DSND_STR_INIT("PROXY TCP4 192.0.2.7 192.0.2.1 1 25\n"), DSND_ERR_SYNTAX,
     NULL},
    {"a command instead", DSND_STR_INIT("EHLO x\r\n"), DSND_ERR_SYNTAX, NULL},
    {"v2 IPv4", DSND_STR_INIT(V2 "\x21\x11\0\x0c" V4_ADDRESSES), DSND_OK, "192.0.2.7"},
    {"v2 IPv4 with more", DSND_STR_INIT(V2 "\x21\x11\0\x0f" V4_ADDRESSES "\3\0\0"), DSND_OK,
     "192.0.2.7"},
    {"v2 IPv6", DSND_STR_INIT(V2 "\x21\x21\0\x24" V6_CLIENT V6_SERVER "\x12\x34\0\x19"), DSND_OK,
     "2001:db8::7"},
    {"v2 local", DSND_STR_INIT(V2 "\x20\0\0\0"), DSND_OK, ""},
    {"v2 local with addresses", DSND_STR_INIT(V2 "\x20\x11\0\x0c" V4_ADDRESSES), DSND_OK, ""},
    {"v2 of someone unknown", DSND_STR_INIT(V2 "\x21\0\0\0"), DSND_OK, ""},
    {"v2 of someone unknown, with more", DSND_STR_INIT(V2 "\x21\0\0\3\4\0\0"), DSND_OK, ""},
    {"v2 of an unknown transport", DSND_STR_INIT(V2 "\x21\x03\0\0"), DSND_ERR_SYNTAX, NULL},
    {"v2 of a unix socket", DSND_STR_INIT(V2 "\x21\x31\0\0"), DSND_ERR_SYNTAX, NULL},
    {"v2 too short for IPv4", DSND_STR_INIT(V2 "\x21\x11\0\4\xc0\0\2\7"), DSND_ERR_SYNTAX, NULL},
    {"v2 of version 3", DSND_STR_INIT(V2 "\x31\x11\0\x0c" V4_ADDRESSES), DSND_ERR_SYNTAX, NULL},
    {"v2 of an unknown command", DSND_STR_INIT(V2 "\x22\x11\0\x0c" V4_ADDRESSES), DSND_ERR_SYNTAX,
     NULL},
    {"v2 too long", DSND_STR_INIT(V2 "\x21\x11\x08\0"), DSND_ERR_LIMIT, NULL},
    {"nearly v2", DSND_STR_INIT("\r\n\r\n\0\r\nQUIX\n"), DSND_ERR_SYNTAX, NULL},
};

static void check(size_t row, struct dsnd_str in)
{
    struct sockaddr_storage client;
    char text[SMTP_LISTEN_TEXT_SIZE];
    size_t len = 0;
    enum dsnd_err err = smtp_proxy_parse(in, &len, &client);

    if (err != headers[row].err)
        fail_msg("%s: %s", headers[row].name, dsnd_err_text(err));
    if (err)
        return;
    assert_int_equal(len, headers[row].in.len);
    if (!*headers[row].client) {
        assert_int_equal(client.ss_family, AF_UNSPEC);
        return;
    }
    smtp_listen_text((const struct sockaddr *)&client, text);
    assert_string_equal(text, headers[row].client);
}

static void headers_are_read_and_what_follows_is_left(void **state)
{
    char octets[512];

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        struct dsnd_str in = headers[i].in;

        check(i, in);
        assert_true(in.len < sizeof(octets) / 2);
        memcpy(octets, in.ptr, in.len);
        (void)snprintf(octets + in.len, sizeof(octets) - in.len, "EHLO x\r\n");
        check(i, dsnd_str_make(octets, in.len + strlen("EHLO x\r\n")));
    }
}

static void a_header_in_pieces_is_waited_for(void **state)
{
    struct sockaddr_storage client;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
        for (size_t cut = 0; !headers[i].err && cut < headers[i].in.len; cut++)
            assert_int_equal(smtp_proxy_parse(dsnd_str_slice(headers[i].in, 0, cut), &len, &client),
                             DSND_ERR_UNAVAILABLE);
}

static void a_header_without_end_is_not_waited_for(void **state)
{
    char octets[108];
    struct sockaddr_storage client;
    size_t len;

    (void)state;
    memset(octets, 'x', sizeof(octets));
    (void)snprintf(octets, sizeof(octets), "PROXY UNKNOWN");
    octets[strlen(octets)] = ' ';
    assert_int_equal(smtp_proxy_parse(dsnd_str_make(octets, 106), &len, &client),
                     DSND_ERR_UNAVAILABLE);
    assert_int_equal(smtp_proxy_parse(dsnd_str_make(octets, 107), &len, &client), DSND_ERR_SYNTAX);
    octets[106] = '\r';
    octets[107] = '\n';
    assert_int_equal(smtp_proxy_parse(dsnd_str_make(octets, 108), &len, &client), DSND_ERR_SYNTAX);
    octets[105] = '\r';
    octets[106] = '\n';
    assert_int_equal(smtp_proxy_parse(dsnd_str_make(octets, 108), &len, &client), DSND_OK);
    assert_int_equal(len, 107);
}

static bool holds(const char *networks, const char *address)
{
    struct smtp_networks parsed;
    struct smtp_addresses addresses = {.count = 0};
    char error[200];

    assert_int_equal(smtp_networks_parse(networks, error, sizeof(error), &parsed), DSND_OK);
    assert_int_equal(smtp_listen_parse(address, SMTP_KIND_PLAIN, error, sizeof(error), &addresses),
                     DSND_OK);
    return smtp_networks_hold(&parsed, (const struct sockaddr *)&addresses.at[0].storage);
}

static void networks_hold_their_addresses_and_no_other(void **state)
{
    (void)state;
    assert_true(holds("192.0.2.7", "192.0.2.7:1"));
    assert_false(holds("192.0.2.7", "192.0.2.6:1"));
    assert_true(holds("10.0.0.0/8, 192.0.2.0/25", "192.0.2.127:1"));
    assert_false(holds("10.0.0.0/8, 192.0.2.0/25", "192.0.2.128:1"));
    assert_true(holds("10.0.0.0/8", "[::ffff:10.1.2.3]:1"));
    assert_true(holds("2001:db8::/33", "[2001:db8:7fff::1]:1"));
    assert_false(holds("2001:db8::/33", "[2001:db8:8000::1]:1"));
    assert_true(holds("0.0.0.0/0", "203.0.113.9:1"));
    assert_false(holds("0.0.0.0/0", "[2001:db8::1]:1"));
    assert_false(holds("", "127.0.0.1:1"));
    assert_false(holds("0.0.0.0/0", "/run/a.socket"));
}

static void what_is_no_network_is_named(void **state)
{
    static const char *const rows[] = {"192.0.2",   "192.0.2.0/33", "2001:db8::/129",
                                       "10.0.0.0/", "10.0.0.0/-1",  "here"};
    struct smtp_networks parsed;
    char error[200];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(smtp_networks_parse(rows[i], error, sizeof(error), &parsed),
                         DSND_ERR_SYNTAX);
        assert_non_null(strstr(error, rows[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read_and_what_follows_is_left),
        cmocka_unit_test(a_header_in_pieces_is_waited_for),
        cmocka_unit_test(a_header_without_end_is_not_waited_for),
        cmocka_unit_test(networks_hold_their_addresses_and_no_other),
        cmocka_unit_test(what_is_no_network_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
