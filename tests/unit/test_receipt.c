#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "relay/receipt.h"
#include "relay/send.h"

static struct dsnd_buf written;

static struct dsnd_str write_one(struct receipt_recipient recipient, const char *octets)
{
    const struct receipt receipt = {
        .hostname = "mx.test",
        .sender = DSND_STR("me@b.example"),
        .envelope_id = DSND_STR("id+2B1+0D+0AX: y"),
        .helo = DSND_STR("client.test"),
        .id = "receipt.1",
        .received_us = INT64_C(1795525200000000),
        .recipients = &recipient,
        .recipient_count = 1,
        .octets = dsnd_str_of(octets),
    };

    dsnd_buf_done(&written);
    written = DSND_BUF_INIT(RECEIPT_OCTETS_MAX);
    assert_int_equal(receipt_write(&receipt, &written), DSND_OK);
    return dsnd_buf_str(&written);
}

static bool has(struct dsnd_str text, const char *line)
{
    return dsnd_str_find(text, dsnd_str_of(line)) != SIZE_MAX;
}

static void a_receipt_says_what_rfc_3464_asks_for(void **state)
{
    struct dsnd_str text =
        write_one((struct receipt_recipient){DSND_STR("a@bounce.test"),
                                             DSND_STR("rfc822;orig+2B1@b.example")},
                  "Subject: x\r\nTo: y\r\n\r\nbody\r\n");

    (void)state;
    assert_true(has(text, "\r\nDate: Tue, 24 Nov 2026 13:00:00 +0000\r\n"));
    assert_true(has(text, "\r\nReporting-MTA: dns; mx.test\r\n"));
    assert_true(has(text, "\r\nReceived-From-MTA: dns; client.test\r\n"));
    assert_true(has(text, "\r\n\r\nOriginal-Recipient: rfc822; orig+1@b.example\r\n"
                          "Final-Recipient: rfc822; a@bounce.test\r\n"
                          "Action: delivered\r\nStatus: 2.0.0\r\n"));
    assert_true(has(text, "Subject: x\r\nTo: y\r\n\r\n--receipt.1--\r\n"));
    assert_false(has(text, "body"));
}

static void what_others_say_makes_no_lines_of_ours(void **state)
{
    struct dsnd_str text =
        write_one((struct receipt_recipient){DSND_STR("a\r\nAction: failed\n@bounce.test"),
                                             DSND_STR("rfc822\r\n;a\nb")},
                  "Subject: \xff\0x\r\nlonger\r\n");

    (void)state;
    assert_false(has(text, "\nX: y"));
    assert_false(has(text, "\nAction: failed"));
    for (size_t i = 0; i < text.len; i++) {
        assert_true(text.ptr[i] != '\n' || (i && text.ptr[i - 1] == '\r'));
        assert_true((unsigned char)text.ptr[i] < 0x80);
    }
}

static void an_address_beyond_ascii_makes_a_global_status(void **state)
{
    struct dsnd_str text = write_one(
        (struct receipt_recipient){DSND_STR("\xc3\xa9@bounce.test"), DSND_STR_ABSENT}, "");

    (void)state;
    assert_true(has(text, "Content-Type: message/global-delivery-status\r\n"));
    assert_true(has(text, "Final-Recipient: utf-8; \xc3\xa9@bounce.test\r\n"));
}

static void long_lines_are_cut(void **state)
{
    static char header[5000];
    struct dsnd_str text;

    (void)state;
    memset(header, 'x', sizeof(header) - 1);
    header[4] = ':';
    text = write_one((struct receipt_recipient){DSND_STR("a@b"), DSND_STR_ABSENT}, header);
    while (text.len)
        assert_true(dsnd_str_line(&text).len <= 998);
}

static void only_urls_of_a_relay_are_taken(void **state)
{
    static const char *const good[] = {"smtp://a.example", "smtp://127.0.0.1:25",
                                       "smtps://[::1]:465"};
    static const char *const bad[] = {
        "",           "smtp://",      "http://a",           "smtp:/a",
        "smtp://a/b", "smtp://u:p@a", "file:///etc/passwd", "smtp://a b",
        "smtp://a?x"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(relay_url_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(relay_url_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_says_what_rfc_3464_asks_for),
        cmocka_unit_test(what_others_say_makes_no_lines_of_ours),
        cmocka_unit_test(an_address_beyond_ascii_makes_a_global_status),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(only_urls_of_a_relay_are_taken),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    dsnd_buf_done(&written);
    return failed;
}
