#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ingest/smtp_line.h"

/* Results as text: "line|" for each line, "LONG|" and "BARE|" for the bad ones, "TLS" at its end.
 */
static void collect(struct dsnd_str in, size_t step, char *dst, size_t size)
{
    struct smtp_line lines;
    size_t used = 0;

    smtp_line_clear(&lines);
    dst[0] = '\0';
    while (in.len) {
        struct dsnd_str part = dsnd_str_slice(in, 0, step);

        in = dsnd_str_slice(in, part.len, in.len);
        while (part.len) {
            struct dsnd_str line = DSND_STR("");
            enum smtp_line_status status = smtp_line_feed(&lines, &part, &line);

            if (status == SMTP_LINE_MORE)
                continue;
            if (status == SMTP_LINE_TLS) {
                (void)snprintf(dst + used, size - used, "TLS");
                return;
            }
            if (status == SMTP_LINE_TOO_LONG)
                line = DSND_STR("LONG");
            if (status == SMTP_LINE_BARE)
                line = DSND_STR("BARE");
            used += (size_t)snprintf(dst + used, size - used, "%.*s|", DSND_STR_ARG(line));
        }
    }
}

static void only_crlf_ends_a_line(void **state)
{
    static const struct {
        const char *name;
        const char *in;
        const char *want;
    } rows[] = {
        {"one", "NOOP\r\n", "NOOP|"},
        {"empty", "\r\n\r\n", "||"},
        {"two", "a\r\nb\r\n", "a|b|"},
        {"unfinished", "a\r\nb", "a|"},
        {"bare LF", "a\nb\r\nc\r\n", "BARE|c|"},
        {"bare LF first", "\na\r\nc\r\n", "BARE|c|"},
        {"bare CR", "a\rb\r\nc\r\n", "BARE|c|"},
        {"CR CR LF", "a\r\r\nc\r\n", "BARE|c|"},
        {"LF CR LF", "a\n\r\nc\r\n", "BARE|c|"},
        {"CR at the end is not yet bare", "a\r", ""},
        {"a handshake has no lines", "a\r\n\x16\x03\x01\n\r\nb\r\n", "a|TLS"},
        {"half of what marks one", "\x16\r\n\x03\r\nb\x16\x03\r\n", "\x16|\x03|b\x16\x03|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t step = 1; step < 8; step++) {
            char got[256];

            collect(dsnd_str_of(rows[i].in), step, got, sizeof(got));
            if (strcmp(got, rows[i].want) != 0)
                fail_msg("%s in steps of %zu: %s", rows[i].name, step, got);
        }
    }
}

static void limit_counts_cr_and_lf(void **state)
{
    static char in[SMTP_LINE_MAX + 16];
    static char got[SMTP_LINE_MAX + 16];
    static const char lines[5] = {'\r', '\n', 'y', '\r', '\n'};

    (void)state;
    for (size_t step = 1; step <= sizeof(in); step += 700) {
        memset(in, 'x', sizeof(in));
        memcpy(in + SMTP_LINE_MAX - 2, lines, sizeof(lines));
        collect(dsnd_str_make(in, SMTP_LINE_MAX + 3), step, got, sizeof(got));
        assert_int_equal(strlen(got), SMTP_LINE_MAX - 2 + 3);
        memset(in, 'x', sizeof(in));
        memcpy(in + SMTP_LINE_MAX - 1, lines, sizeof(lines));
        collect(dsnd_str_make(in, SMTP_LINE_MAX + 4), step, got, sizeof(got));
        assert_string_equal(got, "LONG|y|");
    }
}

static void empty_tells_whether_a_line_has_begun(void **state)
{
    struct smtp_line lines;
    struct dsnd_str line;
    struct dsnd_str in = DSND_STR("NO");

    (void)state;
    smtp_line_clear(&lines);
    assert_true(smtp_line_empty(&lines));
    assert_int_equal(smtp_line_feed(&lines, &in, &line), SMTP_LINE_MORE);
    assert_false(smtp_line_empty(&lines));
    in = DSND_STR("OP\r\n");
    assert_int_equal(smtp_line_feed(&lines, &in, &line), SMTP_LINE_READY);
    assert_true(smtp_line_empty(&lines));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_crlf_ends_a_line),
        cmocka_unit_test(limit_counts_cr_and_lf),
        cmocka_unit_test(empty_tells_whether_a_line_has_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
