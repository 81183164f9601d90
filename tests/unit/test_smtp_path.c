#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ingest/journal.h"
#include "ingest/smtp_command.h"
#include "ingest/smtp_param.h"
#include "ingest/smtp_path.h"

#define L50 "12345678901234567890123456789012345678901234567890"

static void paths_are_read_as_rfc_5321_writes_them(void **state)
{
    static const struct {
        const char *in;
        enum dsnd_err err;
        const char *address;
        const char *local;
        const char *domain;
        const char *rest;
    } rows[] = {
        {"TO:<>", DSND_OK, "", "", "", ""},
        {"to: <a@b.example> X=1", DSND_OK, "a@b.example", "a", "b.example", " X=1"},
        {"TO:<\"a b\\\"@>\"@b.example>", DSND_OK, "\"a b\\\"@>\"@b.example", "\"a b\\\"@>\"",
         "b.example", ""},
        {"TO:<@x.example,@y.example:a@b.example>", DSND_OK, "a@b.example", "a", "b.example", ""},
        {"TO:<a@[192.0.2.1]>", DSND_OK, "a@[192.0.2.1]", "a", "[192.0.2.1]", ""},
        {"TO:<a@[IPv6:2001:db8::1]>", DSND_OK, "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]",
         ""},
        {"TO:<PostMaster>", DSND_OK, "PostMaster", "PostMaster", "", ""},
        {"TO:<a.b+c=d_e-f'g@x_y.example>", DSND_OK, "a.b+c=d_e-f'g@x_y.example", "a.b+c=d_e-f'g",
         "x_y.example", ""},
        {"FROM:<a@b.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:a@b.example", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@b.example", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<@b.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<@b.example:>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@b..example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@b.example.>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@-b.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@b-.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a..b@b.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<.a@b.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a.@b.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a b@b.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<\"a@b.example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@[>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@b.example>X=1", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<<a@b.example>>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<a@" L50 L50 ".example>", DSND_ERR_SYNTAX, NULL, NULL, NULL, NULL},
        {"TO:<" L50 L50 L50 L50 L50 L50 "@b.example>", DSND_ERR_LIMIT, NULL, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct dsnd_str in = dsnd_str_of(rows[i].in);
        struct smtp_path path;
        enum dsnd_err err = smtp_path_parse(DSND_STR("TO:"), &in, &path);

        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].in, dsnd_err_text(err));
        if (err)
            continue;
        assert_true(dsnd_str_eq(path.address, dsnd_str_of(rows[i].address)));
        assert_true(dsnd_str_eq(path.local, dsnd_str_of(rows[i].local)));
        assert_true(dsnd_str_eq(path.domain, dsnd_str_of(rows[i].domain)));
        assert_true(dsnd_str_eq(in, dsnd_str_of(rows[i].rest)));
        assert_false(path.utf8);
    }
}

static void mail_parameters_are_checked(void **state)
{
    static const struct {
        const char *in;
        enum dsnd_err err;
    } rows[] = {
        {"", DSND_OK},
        {" SIZE=18446744073709551615 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b", DSND_OK},
        {" size=0 body=binarymime", DSND_OK},
        {" ENVID=" L50 L50, DSND_OK},
        {" ENVID=" L50 L50 "1", DSND_ERR_SYNTAX},
        {" SIZE=18446744073709551616", DSND_ERR_LIMIT},
        {" SIZE=000000000000000000001", DSND_ERR_SYNTAX},
        {" SIZE=-1", DSND_ERR_SYNTAX},
        {" SIZE", DSND_ERR_SYNTAX},
        {" SIZE=", DSND_ERR_SYNTAX},
        {" SIZE==1", DSND_ERR_SYNTAX},
        {" SIZE=1 SIZE=1", DSND_ERR_SYNTAX},
        {" BODY=9BIT", DSND_ERR_SYNTAX},
        {" SMTPUTF8=1", DSND_ERR_SYNTAX},
        {" RET=SOME", DSND_ERR_SYNTAX},
        {" ENVID=a+2b", DSND_ERR_SYNTAX},
        {" ENVID=a+", DSND_ERR_SYNTAX},
        {" FOO=1", DSND_ERR_NOT_FOUND},
        {" FOO=1 ;", DSND_ERR_SYNTAX},
        {" =1", DSND_ERR_SYNTAX},
        {" -X=1", DSND_ERR_SYNTAX},
        {" NOTIFY=NEVER", DSND_ERR_NOT_FOUND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct smtp_mail_params params;
        enum dsnd_err err = smtp_param_mail(dsnd_str_of(rows[i].in), &params);

        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].in, dsnd_err_text(err));
    }
}

static void mail_parameters_are_stored(void **state)
{
    struct smtp_mail_params params;

    (void)state;
    assert_int_equal(
        smtp_param_mail(DSND_STR(" SIZE=7 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=q+2Bq"), &params),
        DSND_OK);
    assert_int_equal(params.size, 7);
    assert_int_equal(params.body, SMTP_BODY_8BITMIME);
    assert_true(params.smtputf8);
    assert_int_equal(params.ret, 2);
    assert_true(dsnd_str_eq(params.envelope_id, DSND_STR("q+2Bq")));
    assert_int_equal(smtp_param_mail(DSND_STR(""), &params), DSND_OK);
    assert_false(dsnd_str_present(params.envelope_id));
}

static void rcpt_parameters_are_checked(void **state)
{
    static const struct {
        const char *in;
        enum dsnd_err err;
        uint8_t notify;
    } rows[] = {
        {"", DSND_OK, 0},
        {" NOTIFY=NEVER", DSND_OK, JOURNAL_NOTIFY_NEVER},
        {" NOTIFY=success,Delay", DSND_OK, JOURNAL_NOTIFY_SUCCESS | JOURNAL_NOTIFY_DELAY},
        {" ORCPT=rfc822;a+2Bb@x.example NOTIFY=FAILURE", DSND_OK, JOURNAL_NOTIFY_FAILURE},
        {" ORCPT=utf-8;\xd0\xb0@x.example", DSND_OK, 0},
        {" ORCPT=utf-8;\\x{430}@x.example", DSND_OK, 0},
        {" ORCPT=rfc822;\xd0\xb0@x.example", DSND_ERR_SYNTAX, 0},
        {" NOTIFY=", DSND_ERR_SYNTAX, 0},
        {" NOTIFY=,", DSND_ERR_SYNTAX, 0},
        {" NOTIFY=FAILURE,", DSND_ERR_SYNTAX, 0},
        {" NOTIFY=NEVER,SUCCESS", DSND_ERR_SYNTAX, 0},
        {" NOTIFY=MAYBE", DSND_ERR_SYNTAX, 0},
        {" NOTIFY=NEVER NOTIFY=NEVER", DSND_ERR_SYNTAX, 0},
        {" ORCPT=rfc822;", DSND_ERR_SYNTAX, 0},
        {" ORCPT=;a", DSND_ERR_SYNTAX, 0},
        {" ORCPT=a@x.example", DSND_ERR_SYNTAX, 0},
        {" ORCPT=rfc822;a+zz", DSND_ERR_SYNTAX, 0},
        {" RET=FULL", DSND_ERR_NOT_FOUND, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct smtp_rcpt_params params;
        enum dsnd_err err = smtp_param_rcpt(dsnd_str_of(rows[i].in), &params);

        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].in, dsnd_err_text(err));
        if (!err)
            assert_int_equal(params.notify, rows[i].notify);
    }
}

static void chunk_sizes_are_whole_numbers(void **state)
{
    static const struct {
        const char *in;
        enum dsnd_err err;
        uint64_t octets;
        bool last;
        bool bad;
    } rows[] = {
        {"0", DSND_OK, 0, false, false},
        {"86 last", DSND_OK, 86, true, false},
        {"9223372036854775807", DSND_OK, INT64_MAX, false, false},
        {"9223372036854775808", DSND_ERR_LIMIT, 0, false, false},
        {"99999999999999999999999 LAST", DSND_ERR_LIMIT, 0, false, false},
        {"", DSND_ERR_SYNTAX, 0, false, false},
        {"-1", DSND_ERR_SYNTAX, 0, false, false},
        {"1 FIRST", DSND_OK, 1, true, true},
        {"1 LAST LAST", DSND_OK, 1, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct smtp_chunk chunk = {0};

        assert_int_equal(smtp_command_chunk(dsnd_str_of(rows[i].in), &chunk), rows[i].err);
        assert_int_equal(chunk.octets, rows[i].octets);
        assert_int_equal(chunk.last, rows[i].last);
        assert_int_equal(chunk.bad, rows[i].bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_read_as_rfc_5321_writes_them),
        cmocka_unit_test(mail_parameters_are_checked),
        cmocka_unit_test(mail_parameters_are_stored),
        cmocka_unit_test(rcpt_parameters_are_checked),
        cmocka_unit_test(chunk_sizes_are_whole_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
