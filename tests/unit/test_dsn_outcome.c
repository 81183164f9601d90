/* What the fields of one recipient decide: whom, what happened, with which code (RFC 3464). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "parse/parse.h"
#include "parse/rules.h"

enum { ARENA_OCTETS = 1 << 22, SAID_SIZE = 256, MESSAGE_SIZE = 2048 };

static struct rule_set *rules;
static struct parser *parser;

static int make_parser(void **state)
{
    (void)state;
    return rule_set_builtin(&rules) ||
           parser_new(&parse_limits_default, rules, DSND_STR(""), &parser);
}

static int free_parser(void **state)
{
    (void)state;
    parser_free(parser);
    rule_set_free(rules);
    return 0;
}

static const struct {
    const char *name;
    const char *fields;   /* of the recipient, each with its line end */
    const char *expected; /* "recipient action status smtp_status" */
} cases[] = {
    {"the address the sender used is the key",
     "Original-Recipient: rfc822;ann@alias.test\nFinal-Recipient: rfc822;box7@real.test\n"
     "Action: failed\nStatus: 5.1.1\n",
     "ann@alias.test failed 5.1.1 -"},
    {"an original recipient that is no address gives way",
     "Original-Recipient: x400;/G=Ann/S=There/\nFinal-Recipient: rfc822;box7@real.test\n"
     "Action: failed\nStatus: 5.1.1\n",
     "box7@real.test failed 5.1.1 -"},
    {"xtext in the original recipient is decoded",
     "Original-Recipient: rfc822;ann+2Bnews@alias.test\nFinal-Recipient: rfc822;b@real.test\n"
     "Action: failed\nStatus: 5.1.1\n",
     "ann+news@alias.test failed 5.1.1 -"},
    {"the action decides, not the status: delayed with a permanent code",
     "Final-Recipient: rfc822;ann@there.test\nAction: delayed\nStatus: 5.4.1\n",
     "ann@there.test delayed 5.4.1 -"},
    {"the action decides, not the status: failed with a transient code",
     "Final-Recipient: rfc822;ann@there.test\nAction: failed\nStatus: 4.4.7\n",
     "ann@there.test failed 4.4.7 -"},
    {"the action decides, not the status: failed with a code of success",
     "Final-Recipient: rfc822;ann@there.test\nAction: failed\nStatus: 2.0.0\n",
     "ann@there.test failed 2.0.0 -"},
    {"the action decides, not the status: relayed",
     "Final-Recipient: rfc822;ann@there.test\nAction: relayed\nStatus: 2.1.9\n",
     "ann@there.test relayed 2.1.9 -"},
    {"expanded", "Final-Recipient: rfc822;ann@there.test\nAction: expanded\nStatus: 2.0.0\n",
     "ann@there.test expanded 2.0.0 -"},
    {"without an action a code of success means delivered",
     "Final-Recipient: rfc822;ann@there.test\nStatus: 2.0.0\n", "ann@there.test delivered 2.0.0 -"},
    {"without an action any other code means failed",
     "Final-Recipient: rfc822;ann@there.test\nStatus: 4.2.2\n", "ann@there.test failed 4.2.2 -"},
    {"the remote reply's code is kept beside the reported one",
     "Final-Recipient: rfc822;ann@there.test\nAction: failed\nStatus: 5.0.0\n"
     "Diagnostic-Code: smtp; 550 5.1.1 unknown\n",
     "ann@there.test failed 5.0.0 5.1.1"},
    {"no code is invented from the remote reply",
     "Final-Recipient: rfc822;ann@there.test\nAction: failed\n"
     "Diagnostic-Code: smtp; 550 unknown\n",
     "ann@there.test failed - -"},
    {"fields in any order and case",
     "STATUS: 5.1.1\naction: FAILED\nfinal-recipient: RFC822; ann@there.test\n",
     "ann@there.test failed 5.1.1 -"},
};

static const char *code(struct report_status status, char room[REPORT_STATUS_SIZE])
{
    report_status_format(status, room);
    return room[0] ? room : "-";
}

/* `len` octets of the message, in a copy of their own so that a sanitizer sees what is beyond. */
static void summarize(const char *message, size_t len, char said[SAID_SIZE])
{
    struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_OCTETS);
    struct report report;
    char *copy = malloc(len + 1);

    assert_non_null(copy);
    memcpy(copy, message, len);
    assert_int_equal(parser_run(parser, dsnd_str_make(copy, len), &arena, &report), DSND_OK);
    said[0] = '\0';
    if (report.recipient_count) {
        const struct report_recipient *one = &report.recipients[0];
        const char *action = report_action_name(one->action);
        char reported[REPORT_STATUS_SIZE];
        char remote[REPORT_STATUS_SIZE];

        (void)snprintf(said, SAID_SIZE, "%.*s %s %s %s", DSND_STR_ARG(one->recipient),
                       action ? action : "-", code(one->status, reported),
                       code(one->smtp_status, remote));
    }
    dsnd_arena_done(&arena);
    free(copy);
}

static size_t message_of(const char *fields, char message[MESSAGE_SIZE])
{
    int len = snprintf(message, MESSAGE_SIZE,
                       "From: MAILER-DAEMON@mx.test\nTo: list@sender.test\nSubject: failure\n"
                       "MIME-Version: 1.0\nContent-Type: multipart/report;\n"
                       " report-type=delivery-status; boundary=b\n\n--b\n"
                       "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
                       "%s\n--b--\n",
                       fields);

    assert_in_range(len, 1, MESSAGE_SIZE - 1);
    return (size_t)len;
}

static void the_fields_decide_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char message[MESSAGE_SIZE];
        char said[SAID_SIZE];

        summarize(message, message_of(cases[i].fields, message), said);
        if (strcmp(said, cases[i].expected) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", cases[i].name, said, cases[i].expected);
    }
}

static void a_report_cut_anywhere_is_read_without_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char message[MESSAGE_SIZE];
        size_t whole = message_of(cases[i].fields, message);
        char said[SAID_SIZE];

        for (size_t len = 0; len < whole; len++)
            summarize(message, len, said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_decide_as_the_table_says),
        cmocka_unit_test(a_report_cut_anywhere_is_read_without_harm),
    };

    return cmocka_run_group_tests(tests, make_parser, free_parser);
}
