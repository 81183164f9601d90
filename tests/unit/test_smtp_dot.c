#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ingest/smtp_dot.h"

static void put(void *context, struct dsnd_str octets)
{
    assert_true(octets.len > 0);
    assert_int_equal(dsnd_buf_add(context, octets), DSND_OK);
}

static void content_and_end_are_found_however_it_is_cut(void **state)
{
    static const struct {
        const char *in;
        const char *content; /* NULL: the end is not found */
        const char *rest;
        bool bare_cr;
        bool bare_lf;
    } rows[] = {
        {".\r\nNOOP", "", "NOOP", false, false},
        {"a\r\n.\r\n", "a\r\n", "", false, false},
        {"a\r\n..b\r\n.\r\n", "a\r\n.b\r\n", "", false, false},
        {"..\r\n...\r\n.\r\n.\r\n", ".\r\n..\r\n", ".\r\n", false, false},
        {".a\r\n.\r\n", "a\r\n", "", false, false},
        {"a.\r\n.\r\n", "a.\r\n", "", false, false},
        {"a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", "", false, true},
        {"a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "", false, true},
        {"a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "", false, true},
        {"a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", "", true, false},
        {"a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", "", true, false},
        {"a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", "", true, false},
        {"a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n", "", true, false},
        {"a\r\r\n.\r\nb", "a\r\r\n", "b", true, false},
        {"a\r\n.\r.\r\n.\r\n", "a\r\n\r.\r\n", "", true, false},
        {"\n\r\n.\r\n", "\n\r\n", "", false, true},
        {"a\r\n . \r\n. \r\n", NULL, "", false, false},
        {"a\r\n.\r", NULL, "", false, false},
        {"a\r\n..\r\n", NULL, "", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t step = 1; step < 20; step++) {
            struct dsnd_buf got = DSND_BUF_INIT(1000);
            struct dsnd_str in = dsnd_str_of(rows[i].in);
            struct smtp_dot dot;
            bool end = false;

            smtp_dot_clear(&dot);
            while (in.len && !end) {
                struct dsnd_str part = dsnd_str_slice(in, 0, step);
                size_t len = part.len;

                end = smtp_dot_feed(&dot, &part, put, &got);
                in = dsnd_str_slice(in, len - part.len, in.len);
                assert_true(end || !part.len);
            }
            if (end != (rows[i].content != NULL))
                fail_msg("row %zu in steps of %zu: end %d", i, step, end);
            assert_true(dsnd_str_eq(in, dsnd_str_of(rows[i].rest)));
            assert_int_equal(dot.bare_cr, rows[i].bare_cr);
            assert_int_equal(dot.bare_lf, rows[i].bare_lf);
            if (end) {
                assert_int_equal(got.len, strlen(rows[i].content));
                assert_memory_equal(got.len ? got.ptr : "", rows[i].content, got.len);
            }
            dsnd_buf_done(&got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_and_end_are_found_however_it_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
