/* The state of a delivery depends on what was reported, never on the order of arrival. */
#include "store/delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/signature.h"
#include "store/text_ip.h"

enum { EVENTS = 6, HOUR = 3600 };

static struct delivery_event event(enum store_state state, enum report_class klass, int64_t hour,
                                   struct dsnd_str provider)
{
    return (struct delivery_event){
        .state = state,
        .klass = klass,
        .kind = state == STORE_STATE_FAILED ? STORE_KIND_HARD : STORE_KIND_NONE,
        .provider = provider,
        .us = hour * HOUR * 1000000,
        .status_id = hour + 1,
    };
}

static void make_events(struct delivery_event ret_events[EVENTS])
{
    const struct delivery_event events[EVENTS] = {
        event(STORE_STATE_DELAYED, REPORT_CLASS_THROTTLED, 1, DSND_STR("google")),
        event(STORE_STATE_DELAYED, REPORT_CLASS_NETWORK, 2, DSND_STR("")),
        event(STORE_STATE_HANDED_OFF, REPORT_CLASS_NONE, 3, DSND_STR("yahoo")),
        event(STORE_STATE_DELIVERED, REPORT_CLASS_NONE, 4, DSND_STR("google")),
        event(STORE_STATE_FAILED, REPORT_CLASS_MAILBOX_FULL, 5, DSND_STR("google")),
        event(STORE_STATE_FAILED, REPORT_CLASS_MAILBOX_UNKNOWN, 6, DSND_STR("gmx")),
    };

    memcpy(ret_events, events, sizeof(events));
    ret_events[3].complaint = true;
}

static struct delivery apply(const struct delivery_event *events, const int *order, int count)
{
    struct delivery d = {.provider = DSND_STR("")};

    for (int i = 0; i < count; i++)
        delivery_apply(&d, &events[order[i]]);
    d.changed = false;
    return d;
}

static void check_equal(const struct delivery *a, const struct delivery *b)
{
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->klass, b->klass);
    assert_int_equal(a->kind, b->kind);
    assert_true(dsnd_str_eq(a->provider, b->provider));
    assert_int_equal(a->outcome_us, b->outcome_us);
    assert_int_equal(a->status_id, b->status_id);
    assert_int_equal(a->delayed_us, b->delayed_us);
    assert_int_equal(a->delayed_class, b->delayed_class);
    assert_int_equal(a->complained_us, b->complained_us);
}

/* Heap's algorithm; every order must give `expected`. */
static void permute(const struct delivery_event *events, int *order, int n, int count,
                    const struct delivery *expected)
{
    if (n == 1) {
        struct delivery d = apply(events, order, count);

        check_equal(&d, expected);
        return;
    }
    for (int i = 0; i < n; i++) {
        int other = n % 2 ? 0 : i;
        int swap;

        permute(events, order, n - 1, count, expected);
        swap = order[other];
        order[other] = order[n - 1];
        order[n - 1] = swap;
    }
}

static void every_order_of_every_set_gives_the_same_state(void **state)
{
    struct delivery_event events[EVENTS];

    (void)state;
    make_events(events);
    for (unsigned set = 1; set < 1u << EVENTS; set++) {
        int order[EVENTS];
        int count = 0;
        struct delivery expected;

        for (int i = 0; i < EVENTS; i++)
            if (set & 1u << i)
                order[count++] = i;
        expected = apply(events, order, count);
        permute(events, order, count, count, &expected);
    }
}

static void of_equal_outcomes_the_first_stands(void **state)
{
    const struct delivery_event events[] = {
        event(STORE_STATE_FAILED, REPORT_CLASS_MAILBOX_FULL, 7, DSND_STR("google")),
        event(STORE_STATE_FAILED, REPORT_CLASS_MAILBOX_FULL, 5, DSND_STR("yahoo")),
        event(STORE_STATE_FAILED, REPORT_CLASS_MAILBOX_FULL, 6, DSND_STR("apple")),
    };
    const int order[] = {0, 1, 2};
    struct delivery d = apply(events, order, 3);

    (void)state;
    assert_int_equal(d.outcome_us, events[1].us);
    assert_int_equal(d.status_id, events[1].status_id);
    assert_true(dsnd_str_eq(d.provider, DSND_STR("yahoo")));
}

static void the_strongest_outcome_wins(void **state)
{
    struct delivery_event events[EVENTS];
    const int all[EVENTS] = {5, 4, 3, 2, 1, 0};
    struct delivery d;

    (void)state;
    make_events(events);
    d = apply(events, all, EVENTS);
    assert_int_equal(d.state, STORE_STATE_FAILED);
    assert_int_equal(d.delayed_us, events[0].us); /* the first delay, whatever came then */
    assert_int_equal(d.delayed_class, REPORT_CLASS_THROTTLED);
    assert_true(d.complained_us != 0);
}

struct signature_case {
    const char *text;
    const char *signature;
};

static const struct signature_case signature_cases[] = {
    {"", ""},
    {"550 5.1.1 <a@b.example>: No such USER", "0 0.0.0 : no such user"},
    {"no such user id 4F0A11BC22", "no such user id"},
    {"  user\t(unknown)\r\n ", "user unknown"},
    {"a@b", ""},
    {"550 5.7.1 host id5 of 9", "0 0.0.0 host id0 of 0"},
    {"550 5.7.1 host id15 of 1024", "0 0.0.0 host id0 of 0"},
    {"550 \"john doe\"@b.example: unknown", "0 unknown"},
    {"550 said \"no\" of <\"j \\\" doe\"@b>", "0 said no of"},
    {"said \"no such user\" to a@b", "said no such user to"},
    {"\xC3\xA4nder", "\xC3\xA4nder"},
};

static void a_signature_names_nobody(void **state)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);

    (void)state;
    for (size_t i = 0; i < sizeof(signature_cases) / sizeof(*signature_cases); i++) {
        struct dsnd_str signature;

        assert_int_equal(
            store_text_signature(&arena, dsnd_str_of(signature_cases[i].text), &signature),
            DSND_OK);
        if (!dsnd_str_eq(signature, dsnd_str_of(signature_cases[i].signature)))
            fail_msg("\"%s\" became \"%.*s\"", signature_cases[i].text, DSND_STR_ARG(signature));
    }
    dsnd_arena_done(&arena);
}

static void a_long_signature_is_cut_between_characters(void **state)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);
    struct dsnd_str signature;
    char text[401] = "a";

    (void)state;
    for (size_t i = 1; i < sizeof(text); i++)
        text[i] = i % 2 ? '\xC3' : '\xA4';
    assert_int_equal(store_text_signature(&arena, dsnd_str_make(text, sizeof(text)), &signature),
                     DSND_OK);
    assert_int_equal(signature.len, STORE_SIGNATURE_MAX - 1);
    dsnd_arena_done(&arena);
}

static void a_masked_text_names_nobody(void **state)
{
    static const struct {
        const char *text;
        const char *masked;
    } rows[] = {
        {"", ""},
        {"550 5.7.1 blocked", "550 5.7.1 blocked"},
        {"550 <a@b.example>: blocked (b@c)", "550 <...>: blocked (...)"},
        {"550 <\"john doe\"@b.example>: \"blocked\"", "550 <...>: \"blocked\""},
        {"@", "..."},
        {"@ @ @", "... ... ..."},
    };
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);
    char text[1001];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct dsnd_str masked;

        assert_int_equal(store_text_mask(&arena, dsnd_str_of(rows[i].text), &masked), DSND_OK);
        if (!dsnd_str_eq(masked, dsnd_str_of(rows[i].masked)))
            fail_msg("\"%s\" became \"%.*s\"", rows[i].text, DSND_STR_ARG(masked));
    }
    for (size_t i = 0; i < sizeof(text); i++) {
        struct dsnd_str masked;

        memset(text, i % 2 ? '@' : ' ', i);
        assert_int_equal(store_text_mask(&arena, dsnd_str_make(text, i), &masked), DSND_OK);
        assert_true(masked.len <= STORE_MASKED_MAX);
        dsnd_arena_done(&arena);
    }
    dsnd_arena_done(&arena);
}

static void the_address_that_was_refused_is_ours(void **state)
{
    static const struct {
        const char *text;
        const char *remote_mta;
        const char *ip; /* NULL: none */
    } rows[] = {
        {"", NULL, NULL},
        {"550 5.7.1 refused", NULL, NULL},
        {"550-5.7.1 [203.0.113.5      12] Our system has detected", NULL, "203.0.113.5"},
        {"554 5.7.1 Client host [203.0.113.5] blocked using zen.spamhaus.org; "
         "https://www.spamhaus.org/query/ip/203.0.113.9",
         NULL, "203.0.113.5"},
        {"see https://www.spamhaus.org/query/ip/203.0.113.9", NULL, "203.0.113.9"},
        {"listed (127.0.0.2), sender 203.0.113.5:25.", NULL, "203.0.113.5"},
        {"host mx.example.net[198.51.100.1] said: 550 5.7.1 IP=203.0.113.5 is bad", NULL,
         "203.0.113.5"},
        {"host mx.example.net [198.51.100.1]: 550 5.7.1 203.0.113.5", NULL, "203.0.113.5"},
        {"host mx.example.net [198.51.100.1]: 550 go away", NULL, NULL},
        {"198.51.100.1 refuses 203.0.113.5", "mx.example.net [198.51.100.1]", "203.0.113.5"},
        {"[IPv6:2001:DB8:0::5] has no PTR", NULL, "2001:db8::5"},
        {"[2001:db8::5] has no PTR", NULL, "2001:db8::5"},
        {"at 10:15:30, ::1, :: and 0.0.0.0", NULL, NULL},
        {"mail-203.0.113.5.example", NULL, NULL},
        {"1.2.3.4.5", NULL, NULL},
        {"AB::CD from 300.1.1.1", NULL, "ab::cd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char ip[STORE_IP_SIZE] = "";
        bool found = store_text_ip(dsnd_str_of(rows[i].text), dsnd_str_of(rows[i].remote_mta), ip);

        if (found != (rows[i].ip != NULL) || (found && strcmp(ip, rows[i].ip) != 0))
            fail_msg("\"%s\" gave %s", rows[i].text, found ? ip : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_of_every_set_gives_the_same_state),
        cmocka_unit_test(of_equal_outcomes_the_first_stands),
        cmocka_unit_test(the_strongest_outcome_wins),
        cmocka_unit_test(a_signature_names_nobody),
        cmocka_unit_test(a_long_signature_is_cut_between_characters),
        cmocka_unit_test(a_masked_text_names_nobody),
        cmocka_unit_test(the_address_that_was_refused_is_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
