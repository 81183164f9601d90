#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "base/siphash.h"
#include "ingest/smtp_listen.h"
#include "ingest/smtp_peers.h"
#include "ingest/smtp_talkers.h"

static void siphash_agrees_with_its_authors(void **state)
{
    /* The vector of the paper, appendix A: key 00..0f, input 00..0e. */
    const struct siphash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    char in[15];

    (void)state;
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (char)i;
    assert_true(siphash(&key, dsnd_str_make(in, sizeof(in))) == UINT64_C(0xa129ca6149be45e5));
}

static struct smtp_peer_key key_of(const char *text)
{
    struct smtp_addresses addresses = {.count = 0};
    char error[200];

    assert_int_equal(smtp_listen_parse(text, SMTP_KIND_PLAIN, error, sizeof(error), &addresses),
                     DSND_OK);
    return smtp_peer_key_of((const struct sockaddr *)&addresses.at[0].storage);
}

static void clients_are_ipv4_addresses_and_ipv6_networks(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } rows[] = {
        {"192.0.2.1:1", "192.0.2.1:2", true},
        {"192.0.2.1:1", "192.0.2.2:1", false},
        {"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
        {"[2001:db8::1]:1", "[2001:db8::ffff:1]:1", true},
        {"[2001:db8:0:1::1]:1", "[2001:db8::1]:1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct smtp_peer_key a = key_of(rows[i].a);
        struct smtp_peer_key b = key_of(rows[i].b);

        assert_int_equal(memcmp(&a, &b, sizeof(a)) == 0, rows[i].same);
    }
}

static void a_client_has_its_share_and_no_more(void **state)
{
    static const struct smtp_peer_limits limits = {.sessions = 2};
    struct smtp_peer_key one = key_of("192.0.2.1:1");
    struct smtp_peer_key other = key_of("192.0.2.2:1");
    struct smtp_peers *peers;

    (void)state;
    assert_int_equal(smtp_peers_new(&peers), DSND_OK);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_ENTERED);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_ENTERED);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_FULL);
    assert_int_equal(smtp_peers_enter(peers, &other, &limits, 0), SMTP_PEERS_ENTERED);
    smtp_peers_leave(peers, &one, 0);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_ENTERED);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_FULL);
    smtp_peers_free(peers);
}

static void sessions_of_a_client_have_one_share_of_memory(void **state)
{
    static const struct smtp_peer_limits limits = {.sessions = 2};
    static const struct smtp_peer_key local = {.family = AF_UNIX};
    struct smtp_peer_key one = key_of("192.0.2.1:1");
    struct smtp_peer_key same = key_of("[::ffff:192.0.2.1]:2");
    struct smtp_peer_key other = key_of("192.0.2.2:1");
    struct smtp_peers *peers;

    (void)state;
    assert_int_equal(smtp_peers_new(&peers), DSND_OK);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_ENTERED);
    assert_int_equal(smtp_peers_enter(peers, &other, &limits, 0), SMTP_PEERS_ENTERED);
    assert_non_null(smtp_peers_share(peers, &one));
    assert_ptr_equal(smtp_peers_share(peers, &one), smtp_peers_share(peers, &same));
    assert_ptr_not_equal(smtp_peers_share(peers, &one), smtp_peers_share(peers, &other));
    assert_null(smtp_peers_share(peers, &local));
    smtp_peers_free(peers);
}

static void a_client_is_logged_once_a_window(void **state)
{
    static const struct smtp_peer_limits limits = {.sessions = 1};
    struct smtp_peer_key one = key_of("192.0.2.1:1");
    struct smtp_peers *peers;

    (void)state;
    assert_int_equal(smtp_peers_new(&peers), DSND_OK);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_ENTERED);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 1), SMTP_PEERS_FULL);
    assert_true(smtp_peers_refused_first(peers, &one));
    assert_false(smtp_peers_refused_first(peers, &one));
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, SMTP_PEERS_WINDOW_MS), SMTP_PEERS_FULL);
    assert_true(smtp_peers_refused_first(peers, &one));
    smtp_peers_free(peers);
}

static void connections_count_after_they_have_ended(void **state)
{
    static const struct smtp_peer_limits limits = {.sessions = 9, .rates = {2}};
    struct smtp_peer_key one = key_of("192.0.2.1:1");
    struct smtp_peer_key other = key_of("192.0.2.2:1");
    struct smtp_peers *peers;

    (void)state;
    assert_int_equal(smtp_peers_new(&peers), DSND_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(smtp_peers_enter(peers, &one, &limits, 5), SMTP_PEERS_ENTERED);
        smtp_peers_leave(peers, &one, 5);
    }
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 5), SMTP_PEERS_TOO_FAST);
    assert_int_equal(smtp_peers_enter(peers, &other, &limits, 5), SMTP_PEERS_ENTERED);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, SMTP_PEERS_WINDOW_MS + 4),
                     SMTP_PEERS_TOO_FAST);
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, SMTP_PEERS_WINDOW_MS + 5),
                     SMTP_PEERS_ENTERED);
    smtp_peers_free(peers);
}

static void errors_shut_the_door_and_messages_are_told(void **state)
{
    static const struct smtp_peer_limits limits = {
        .sessions = 9, .rates = {[SMTP_PEERS_MESSAGE] = 1, [SMTP_PEERS_ERROR] = 2}};
    struct smtp_peer_key one = key_of("192.0.2.1:1");
    struct smtp_peers *peers;

    (void)state;
    assert_int_equal(smtp_peers_new(&peers), DSND_OK);
    assert_true(smtp_peers_count(peers, &one, SMTP_PEERS_MESSAGE, &limits, 0));
    assert_false(smtp_peers_count(peers, &one, SMTP_PEERS_MESSAGE, &limits, 0));
    assert_true(smtp_peers_count(peers, &one, SMTP_PEERS_CONNECTION, &limits, 0));
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_ENTERED);
    assert_true(smtp_peers_count(peers, &one, SMTP_PEERS_ERROR, &limits, 0));
    assert_true(smtp_peers_count(peers, &one, SMTP_PEERS_ERROR, &limits, 0));
    assert_int_equal(smtp_peers_enter(peers, &one, &limits, 0), SMTP_PEERS_TOO_FAST);
    smtp_peers_free(peers);
}

static void listen_says_what_is_allowed(void **state)
{
    static const struct {
        const char *text;
        enum dsnd_err err;
        size_t count;
    } rows[] = {
        {"", DSND_OK, 0},
        {"127.0.0.1:25, [::1]:25 ,/run/x", DSND_OK, 3},
        {"127.0.0.1", DSND_ERR_SYNTAX, 0},
        {":25", DSND_ERR_SYNTAX, 0},
        {"127.0.0.1:65536", DSND_ERR_SYNTAX, 0},
        {"127.0.0.1:x", DSND_ERR_SYNTAX, 0},
        {"/a/path/that/is/longer/than/a/unix/socket/takes/a/path/that/is/longer/than/a/unix/socket/"
         "takes/a/path/that/is",
         DSND_ERR_SYNTAX, 0},
        {"/1,/2,/3,/4,/5,/6,/7,/8,/9,/10,/11,/12,/13,/14,/15,/16,/17", DSND_ERR_LIMIT, 16},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct smtp_addresses addresses = {.count = 0};
        char error[200] = "";

        assert_int_equal(
            smtp_listen_parse(rows[i].text, SMTP_KIND_PLAIN, error, sizeof(error), &addresses),
            rows[i].err);
        assert_int_equal(addresses.count, rows[i].count);
        assert_int_equal(error[0] != '\0', rows[i].err != DSND_OK);
    }
}

static void who_is_refused_most_is_told_whatever_the_crowd(void **state)
{
    struct smtp_talker top[SMTP_TALKERS_TOLD];
    struct smtp_peer_key loud = key_of("192.0.2.7:25");
    struct smtp_peer_key louder = key_of("[2001:db8::1]:25");
    struct smtp_talkers talkers;
    char text[SMTP_LISTEN_TEXT_SIZE];

    (void)state;
    smtp_talkers_init(&talkers);
    for (unsigned i = 0; i < 20000; i++) {
        struct smtp_peer_key other = loud;

        memcpy(other.octets, &i, sizeof(i));
        smtp_talkers_count(&talkers, &other);
        if (i % 10 == 0)
            smtp_talkers_count(&talkers, &loud);
        if (i % 5 == 0)
            smtp_talkers_count(&talkers, &louder);
    }
    assert_int_equal(smtp_talkers_top(&talkers, talkers.window_ms + 59999, top), 0);
    assert_int_equal(smtp_talkers_top(&talkers, talkers.window_ms + 60000, top), SMTP_TALKERS_TOLD);
    smtp_talkers_text(&top[0].key, text);
    assert_string_equal(text, "2001:db8::/64");
    assert_true(top[0].refusals >= 4000);
    smtp_talkers_text(&top[1].key, text);
    assert_string_equal(text, "192.0.2.7");
    /* A new window begins with nobody, and a few refusals are not worth a line. */
    for (int i = 0; i < SMTP_TALKERS_MIN - 1; i++)
        smtp_talkers_count(&talkers, &loud);
    assert_int_equal(smtp_talkers_top(&talkers, talkers.window_ms + 60000, top), 0);
    smtp_talkers_done(&talkers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_agrees_with_its_authors),
        cmocka_unit_test(clients_are_ipv4_addresses_and_ipv6_networks),
        cmocka_unit_test(a_client_has_its_share_and_no_more),
        cmocka_unit_test(sessions_of_a_client_have_one_share_of_memory),
        cmocka_unit_test(a_client_is_logged_once_a_window),
        cmocka_unit_test(connections_count_after_they_have_ended),
        cmocka_unit_test(errors_shut_the_door_and_messages_are_told),
        cmocka_unit_test(who_is_refused_most_is_told_whatever_the_crowd),
        cmocka_unit_test(listen_says_what_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
