#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

static void utf8_follows_rfc_3629(void **state)
{
    static const struct {
        const char *octets;
        bool valid;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xbc", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},
        {"\xc0\xaf", false},         /* overlong */
        {"\xe0\x80\xaf", false},     /* overlong */
        {"\xf0\x80\x80\xaf", false}, /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xf4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\xff", false},
        {"\xc3", false},
        {"\xe2\x82", false},
        {"a\xc3z", false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        if (utf8_valid(dsnd_str_of(rows[i].octets)) != rows[i].valid)
            fail_msg("row %zu", i);
    /* Wherever it stands among plain letters, which are counted in words of eight. */
    for (size_t i = 0; i < ROWS(rows); i++)
        for (int at = 0; at <= 24; at++) {
            char text[64];
            int len = snprintf(text, sizeof(text), "%.*s%s%.*s", at, "aaaaaaaaaaaaaaaaaaaaaaaa",
                               rows[i].octets, 24 - at, "aaaaaaaaaaaaaaaaaaaaaaaa");

            if (utf8_valid(dsnd_str_make(text, (size_t)len)) != rows[i].valid)
                fail_msg("row %zu behind %d letters", i, at);
        }
}

static void cut_never_splits_a_character(void **state)
{
    static const char text[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t max = 0; max < ROWS(want); max++)
        assert_int_equal(utf8_cut(dsnd_str_of(text), max).len, want[max]);
}

static void log_values_hold_no_control_octet(void **state)
{
    char all[256];
    char out[2048];

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    log_escape(dsnd_str_make(all, sizeof(all)), out, sizeof(out));
    for (size_t i = 0; out[i]; i++)
        assert_true(out[i] > 0x20 && out[i] < 0x7f && out[i] != '"');
    assert_string_equal(log_escape(DSND_STR("a b\r\n\xc2\x9b"), out, sizeof(out)),
                        "a\\x20b\\x0d\\x0a\\xc2\\x9b");
    assert_string_equal(log_quote(DSND_STR("a \"b\"\n"), out, sizeof(out)), "a \\x22b\\x22\\x0a");
    assert_string_equal(log_escape(DSND_STR("\xc3\xbc"), out, sizeof(out)), "\xc3\xbc");
    assert_string_equal(log_escape(DSND_STR("abcdef"), out, 4), "abc");
    assert_string_equal(log_escape(DSND_STR("ab\n"), out, 6), "ab");
}

static void times_are_rfc_3339(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(1795514400123456), "2026-11-24T10:00:00.123456Z"},
        {INT64_MAX, "9999-12-31T23:59:59.000000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000000Z"},
    };
    char text[DSND_RFC3339_SIZE];

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        dsnd_clock_format(rows[i].us, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_follows_rfc_3629),
        cmocka_unit_test(cut_never_splits_a_character),
        cmocka_unit_test(log_values_hold_no_control_octet),
        cmocka_unit_test(times_are_rfc_3339),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
