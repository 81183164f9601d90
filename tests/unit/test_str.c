#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"

static void number_takes_digits_only(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        enum dsnd_err err;
        uint64_t value;
    } rows[] = {
        {"0", 9, DSND_OK, 0},
        {"9", 9, DSND_OK, 9},
        {"10", 9, DSND_ERR_LIMIT, 0},
        {"", 9, DSND_ERR_SYNTAX, 0},
        {"+5", 9, DSND_ERR_SYNTAX, 0},
        {" 5", 9, DSND_ERR_SYNTAX, 0},
        {"5 ", 9, DSND_ERR_SYNTAX, 0},
        {"18446744073709551615", UINT64_MAX, DSND_OK, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, DSND_ERR_LIMIT, 0},
        {"99999999999999999999999", UINT64_MAX, DSND_ERR_LIMIT, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t value = 0;

        assert_int_equal(dsnd_str_to_u64(dsnd_str_of(rows[i].text), rows[i].max, &value),
                         rows[i].err);
        assert_int_equal(value, rows[i].value);
    }
}

static void lines_end_at_crlf_lf_and_cr(void **state)
{
    struct dsnd_str text = DSND_STR("a\r\nb\n\rc");
    static const char *const want[] = {"a", "b", "", "c"};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_true(dsnd_str_eq(dsnd_str_line(&text), dsnd_str_of(want[i])));
    assert_false(dsnd_str_present(dsnd_str_line(&text)));
}

static void cut_without_separator_leaves_absent(void **state)
{
    struct dsnd_str s = DSND_STR("a=b");

    (void)state;
    assert_true(dsnd_str_eq(dsnd_str_cut(&s, '='), DSND_STR("a")));
    assert_true(dsnd_str_eq(s, DSND_STR("b")));
    assert_true(dsnd_str_eq(dsnd_str_cut(&s, '='), DSND_STR("b")));
    assert_false(dsnd_str_present(s));
}

static void absent_is_not_empty(void **state)
{
    (void)state;
    assert_false(dsnd_str_eq(DSND_STR_ABSENT, DSND_STR("")));
    assert_true(dsnd_str_eq(DSND_STR_ABSENT, DSND_STR_ABSENT));
    assert_int_equal(dsnd_str_find(DSND_STR_ABSENT, DSND_STR("a")), SIZE_MAX);
}

static void finds_fold_ascii_only(void **state)
{
    (void)state;
    assert_int_equal(dsnd_str_ifind(DSND_STR("xxUser UNKNOWN"), DSND_STR("user unknown")), 2);
    assert_int_equal(dsnd_str_find(DSND_STR("xxUser"), DSND_STR("user")), SIZE_MAX);
    assert_true(dsnd_str_iends(DSND_STR("a.GOOGLE.com"), DSND_STR(".google.com")));
    assert_false(dsnd_str_iends(DSND_STR("com"), DSND_STR(".google.com")));
}

/* Around 256, the octets searched at once, and its double. */
static void a_long_line_ends_at_its_first_line_end(void **state)
{
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    char room[600];

    (void)state;
    for (size_t length = 250; length < 520; length++)
        for (size_t i = 0; i < 3; i++) {
            size_t end = strlen(ends[i]);
            struct dsnd_str text = dsnd_str_make(room, length + end + 2);

            memset(room, 'x', sizeof(room));
            memcpy(room + length, ends[i], end);
            assert_int_equal(dsnd_str_line(&text).len, length);
            assert_int_equal(dsnd_str_line(&text).len, 2);
            assert_false(dsnd_str_present(dsnd_str_line(&text)));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_line_ends_at_its_first_line_end),
        cmocka_unit_test(number_takes_digits_only),
        cmocka_unit_test(lines_end_at_crlf_lf_and_cr),
        cmocka_unit_test(cut_without_separator_leaves_absent),
        cmocka_unit_test(absent_is_not_empty),
        cmocka_unit_test(finds_fold_ascii_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
