/* Values from requests: percent-encoding, parameters, times, cursors. */
#include "tests/support/unit.h"

#include <string.h>

#include "api/cursor.h"
#include "api/encode.h"
#include "api/params.h"
#include "api/timestamp.h"
#include "base/clock.h"

static void percent_decoding_is_strict(void **state)
{
    static const struct {
        const char *text;
        const char *want;
        enum dsnd_err err;
    } rows[] = {
        {"", "", DSND_OK},
        {"a+b", "a+b", DSND_OK},
        {"a%20b%2B%2b", "a b++", DSND_OK},
        {"%c3%a9", "\xc3\xa9", DSND_OK},
        {"%", NULL, DSND_ERR_SYNTAX},
        {"%4", NULL, DSND_ERR_SYNTAX},
        {"%zz", NULL, DSND_ERR_SYNTAX},
        {"%u0041", NULL, DSND_ERR_SYNTAX},
        {"%00", NULL, DSND_ERR_SYNTAX},
        {"%ff", NULL, DSND_ERR_SYNTAX},
        {"%c0%ae", NULL, DSND_ERR_SYNTAX},
        {"%ed%a0%80", NULL, DSND_ERR_SYNTAX},
    };
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct dsnd_str got = DSND_STR_ABSENT;

        assert_int_equal(params_decode(dsnd_str_of(rows[i].text), &arena, &got), rows[i].err);
        if (!rows[i].err)
            assert_str(got, rows[i].want);
    }
    dsnd_arena_done(&arena);
}

static void a_value_at_the_limit_is_taken_and_one_octet_more_refused(void **state)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);
    char text[PARAMS_VALUE_MAX + 1];
    struct dsnd_str got;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(params_decode(dsnd_str_make(text, PARAMS_VALUE_MAX), &arena, &got), DSND_OK);
    assert_int_equal(params_decode(dsnd_str_make(text, sizeof(text)), &arena, &got),
                     DSND_ERR_LIMIT);
    dsnd_arena_done(&arena);
}

struct target {
    int64_t limit;
    struct dsnd_str text;
    struct dsnd_str address;
    struct dsnd_str key;
    struct dsnd_str from;
    int choice;
};

static enum dsnd_err read_query(const char *query, struct dsnd_arena *arena, struct target *target,
                                struct params_error *error)
{
    static const char *const choices[] = {"one", "two", NULL};
    static const struct param_spec specs[] = {
        {"limit", PARAM_COUNT, offsetof(struct target, limit), 1, 10, NULL},
        {"text", PARAM_STRING, offsetof(struct target, text), 0, 5, NULL},
        {"address", PARAM_ADDRESS, offsetof(struct target, address), 0, 0, NULL},
        {"key", PARAM_KEY, offsetof(struct target, key), 0, 0, NULL},
        {"from", PARAM_TIME, offsetof(struct target, from), 0, 0, NULL},
        {"choice", PARAM_CHOICE, offsetof(struct target, choice), 0, 0, choices},
    };
    struct params params;
    enum dsnd_err err = params_parse(dsnd_str_of(query), arena, &params, error);

    return err ? err : params_read(&params, specs, ROWS(specs), arena, target, error);
}

static void parameters_are_read_by_their_types(void **state)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);
    struct target target = {.choice = -1};
    struct params_error error;

    (void)state;
    assert_int_equal(read_query("limit=10&text=a%20b&&address=a+b@c&key=k_-9&choice=two&"
                                "from=2026-11-23T11:00:00.5%2B01:00",
                                &arena, &target, &error),
                     DSND_OK);
    assert_int_equal(target.limit, 10);
    assert_str(target.text, "a b");
    assert_str(target.address, "a+b@c");
    assert_str(target.key, "k_-9");
    assert_str(target.from, "2026-11-23T10:00:00.500000Z");
    assert_int_equal(target.choice, 1);
    dsnd_arena_done(&arena);
}

static void what_is_wrong_is_named_with_what_is_allowed(void **state)
{
    static const struct {
        const char *query;
        const char *name;
        const char *word;
    } rows[] = {
        {"limit=0", "limit", "1 to 10"},
        {"limit=11", "limit", "1 to 10"},
        {"limit=", "limit", "1 to 10"},
        {"limit=99999999999999999999", "limit", "1 to 10"},
        {"limit=-1", "limit", "1 to 10"},
        {"limit=1&limit=1", "limit", "more than once"},
        {"text=", "text", "empty"},
        {"text=abcdef", "text", "too long"},
        {"address=a", "address", "mail address"},
        {"address=a@", "address", "mail address"},
        {"address=a%0a@b", "address", "mail address"},
        {"address=a%20b@c", "address", "mail address"},
        {"address=%22@c%20d", "address", "mail address"},
        {"address=%22a%20b@c", "address", "mail address"},
        {"address=%22a%22@c%20d", "address", "mail address"},
        {"address=%22a%09b%22@c", "address", "mail address"},
        {"key=UP", "key", "a-z"},
        {"key=aaaaaaaaaaaaaaaaaaaaa", "key", "1 to 20"},
        {"from=yesterday", "from", "RFC 3339"},
        {"choice=three", "choice", "one, two"},
        {"nosuch=1", "nosuch", "limit, text"},
        {"no%0asuch=1", "no?such", "limit, text"},
        {"text=%ff", "text", "UTF-8"},
        {"a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&b", "b", "24"},
    };
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct target target = {.choice = -1};
        struct params_error error = {"", ""};

        assert_int_not_equal(read_query(rows[i].query, &arena, &target, &error), DSND_OK);
        assert_string_equal(error.name, rows[i].name);
        if (!strstr(error.detail, rows[i].word))
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].query, error.detail, rows[i].word);
    }
    dsnd_arena_done(&arena);
}

static void a_quoted_local_part_may_hold_spaces(void **state)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);
    struct target target = {.choice = -1};
    struct params_error error;

    (void)state;
    assert_int_equal(read_query("address=%22john%20doe%22@c", &arena, &target, &error), DSND_OK);
    assert_str(target.address, "\"john doe\"@c");
    dsnd_arena_done(&arena);
}

static void times_are_rfc_3339(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000000Z"},
        {"2026-11-23t10:00:00z", "2026-11-23T10:00:00.000000Z"},
        {"2026-11-23 10:00:00Z", NULL},
        {"2026-11-23", "2026-11-23T00:00:00.000000Z"},
        {"2026-11-23T10:00:00.1234567Z", "2026-11-23T10:00:00.123456Z"},
        {"2026-11-23T00:30:00+01:00", "2026-11-22T23:30:00.000000Z"},
        {"2026-12-31T23:59:60Z", "2027-01-01T00:00:00.000000Z"},
        {"2024-02-29", "2024-02-29T00:00:00.000000Z"},
        {"2026-02-29", NULL},
        {"2026-13-01", NULL},
        {"2026-00-01", NULL},
        {"2026-11-31", NULL},
        {"2026-11-23T24:00:00Z", NULL},
        {"2026-11-23T10:60:00Z", NULL},
        {"2026-11-23T10:00:00", NULL},
        {"2026-11-23T10:00Z", NULL},
        {"2026-11-23T10:00:00.Z", NULL},
        {"2026-11-23T10:00:00+25:00", NULL},
        {"1969-12-31", NULL},
        {"2200-01-01", NULL},
        {"9999999-01-01", NULL},
        {"", NULL},
        {"now", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char text[DSND_RFC3339_SIZE];
        int64_t us;
        enum dsnd_err err = timestamp_parse(dsnd_str_of(rows[i].text), &us);

        if (!err != (rows[i].want != NULL))
            fail_msg("%s", rows[i].text);
        if (err)
            continue;
        dsnd_clock_format(us, text);
        assert_string_equal(text, rows[i].want);
    }
}

static void a_cursor_comes_back_and_fits_its_own_list_only(void **state)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(65536);
    struct dsnd_buf text = DSND_BUF_INIT(CURSOR_TEXT_MAX);
    struct cursor cursor = {{DSND_STR("2026-11-23 10:00:00+00"), DSND_STR("a\"\\b")}, 2};
    struct cursor got;
    struct dsnd_str whole;

    (void)state;
    assert_int_equal(cursor_encode(&cursor, "lists", &text), DSND_OK);
    whole = dsnd_buf_str(&text);
    assert_int_equal(cursor_decode(whole, "lists", 2, &arena, &got), DSND_OK);
    assert_str(got.key[0], "2026-11-23 10:00:00+00");
    assert_str(got.key[1], "a\"\\b");
    assert_int_equal(cursor_decode(whole, "other", 2, &arena, &got), DSND_ERR_SYNTAX);
    assert_int_equal(cursor_decode(whole, "lists", 1, &arena, &got), DSND_ERR_SYNTAX);
    for (size_t len = 0; len < whole.len; len++)
        if (cursor_decode(dsnd_str_slice(whole, 0, len), "lists", 2, &arena, &got) == DSND_OK)
            assert_str(got.key[0], "2026-11-23 10:00:00+00");
    dsnd_buf_done(&text);
    dsnd_arena_done(&arena);
}

static void base64url_is_canonical(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"", ""},      {"Zg", "f"},     {"Zm8", "fo"},  {"Zm9v", "foo"}, {"_-8", "\xff\xef"},
        {"Z", NULL},   {"Zh", NULL},    {"Zm9=", NULL}, {"Zg==", NULL},  {"Zm9v ", NULL},
        {"+/8", NULL}, {"Zm9vZ", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct dsnd_buf out = DSND_BUF_INIT(100);
        struct dsnd_buf again = DSND_BUF_INIT(100);
        enum dsnd_err err = encode_base64url_decode(dsnd_str_of(rows[i].text), &out);

        if (!err != (rows[i].want != NULL))
            fail_msg("%s", rows[i].text);
        if (!err) {
            assert_true(dsnd_str_eq(dsnd_buf_str(&out), dsnd_str_of(rows[i].want)));
            assert_int_equal(encode_base64url(dsnd_buf_str(&out), &again), DSND_OK);
            assert_true(dsnd_str_eq(dsnd_buf_str(&again), dsnd_str_of(rows[i].text)));
        }
        dsnd_buf_done(&out);
        dsnd_buf_done(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_decoding_is_strict),
        cmocka_unit_test(a_value_at_the_limit_is_taken_and_one_octet_more_refused),
        cmocka_unit_test(parameters_are_read_by_their_types),
        cmocka_unit_test(what_is_wrong_is_named_with_what_is_allowed),
        cmocka_unit_test(a_quoted_local_part_may_hold_spaces),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(a_cursor_comes_back_and_fits_its_own_list_only),
        cmocka_unit_test(base64url_is_canonical),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
