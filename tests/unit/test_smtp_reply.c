#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ingest/smtp_reply.h"

static void every_reply_is_well_formed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SMTP_REPLY_COUNT; i++) {
        const struct smtp_reply_text *row = smtp_reply_text((enum smtp_reply)i);
        struct dsnd_buf out = DSND_BUF_INIT(1000);

        assert_in_range(row->code, 211, 555);
        /* RFC 2034: the class of the enhanced status is that of the reply; none with 3yz. */
        if (row->code / 100 == 3)
            assert_string_equal(row->enhanced, "");
        else
            assert_int_equal(row->enhanced[0] - '0', row->code / 100);
        assert_int_equal(smtp_reply_add(&out, (enum smtp_reply)i), DSND_OK);
        assert_true(out.len <= SMTP_REPLY_LINE_MAX);
        assert_memory_equal(out.ptr + out.len - 2, "\r\n", 2);
        dsnd_buf_done(&out);
    }
}

static void a_long_reply_is_cut_at_512_octets(void **state)
{
    struct dsnd_buf out = DSND_BUF_INIT(1000);
    char text[600];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(smtp_reply_addf(&out, 250, ' ', "%s", text), DSND_OK);
    assert_int_equal(out.len, SMTP_REPLY_LINE_MAX);
    assert_memory_equal(out.ptr + out.len - 3, "x\r\n", 3);
    dsnd_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reply_is_well_formed),
        cmocka_unit_test(a_long_reply_is_cut_at_512_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
