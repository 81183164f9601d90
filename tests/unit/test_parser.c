#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/buf.h"
#include "parse/parse.h"
#include "parse/rules.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

enum { MESSAGE_MAX = 4096, SUMMARY_MAX = 512, HOSTILE_OCTETS = 1 << 20, ARENA_OCTETS = 1 << 26 };

static struct rule_set *rules;
static struct parser *parser;
static struct parser *whole; /* the MIME parser sees all of the message */

static int make_parser(void **state)
{
    (void)state;
    if (rule_set_builtin(&rules) ||
        parser_new(&parse_limits_default, rules, DSND_STR(""), &parser) ||
        parser_new(&parse_limits_default, rules, DSND_STR(""), &whole))
        return -1;
    parser_show_all(whole);
    return 0;
}

static int free_parser(void **state)
{
    (void)state;
    parser_free(parser);
    parser_free(whole);
    rule_set_free(rules);
    return 0;
}

/* "kind; address action code status; ..." of a message. */
static void summarize_by(struct parser *by, struct dsnd_str message, char *dst, size_t size)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_OCTETS);
    struct report report;
    int len;

    assert_int_equal(parser_run(by, message, &arena, &report), DSND_OK);
    len = snprintf(dst, size, "%s", report_kind_name(report.kind));
    for (size_t i = 0; i < report.recipient_count && (size_t)len < size; i++) {
        const struct report_recipient *one = &report.recipients[i];
        const char *action = report_action_name(one->action);
        char status[REPORT_STATUS_SIZE];

        report_status_format(one->smtp_status.klass ? one->smtp_status : one->status, status);
        len +=
            snprintf(dst + len, size - (size_t)len, "; %.*s %s %u %s", DSND_STR_ARG(one->recipient),
                     action ? action : "-", one->smtp_code, status);
    }
    dsnd_arena_done(&arena);
}

static void summarize(struct dsnd_str message, char *dst, size_t size)
{
    summarize_by(parser, message, dst, size);
}

/* Each case with LF and with CR LF line ends. */
static struct dsnd_str with_crlf(const char *text, char room[MESSAGE_MAX])
{
    size_t len = 0;

    for (; *text && len + 2 < MESSAGE_MAX; text++) {
        if (*text == '\n')
            room[len++] = '\r';
        room[len++] = *text;
    }
    return dsnd_str_make(room, len);
}

#define DAEMON "Return-Path: <>\nFrom: MAILER-DAEMON@mx.test\nTo: list@sender.test\n"

static const struct {
    const char *name;
    const char *message;
    const char *expected;
} cases[] = {
    {"qmail",
     DAEMON "Subject: failure notice\n\nHi. This is the qmail-send program at mx.test.\n"
            "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
            "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
            "<ann@there.test>:\n192.0.2.1 does not like recipient.\n"
            "Remote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.\n\n"
            "--- Below this line is a copy of the message.\n\nReturn-Path: <list@sender.test>\n"
            "To: other@there.test\nSubject: hello\n\n550 5.7.1 of an older report\n",
     "bounce_text; ann@there.test failed 550 5.1.1"},
    {"Sendmail",
     DAEMON "Subject: Returned mail: User unknown\n\nThe original message was received today\n"
            "from localhost\n\n   ----- The following addresses had permanent fatal errors -----\n"
            "<bob@there.test>\n\n   ----- Transcript of session follows -----\n"
            "... while talking to mail.there.test.:\n>>> RCPT To:<bob@there.test>\n"
            "<<< 550 5.1.1 <bob@there.test>... User unknown\n550 <bob@there.test>... "
            "User unknown\n\n   ----- Original message follows -----\n\n"
            "From: list@sender.test\nTo: bob@there.test\n\nhello\n",
     "bounce_text; bob@there.test failed 550 5.1.1"},
    {"Exim's two recipients",
     DAEMON "Subject: Mail delivery failed: returning message to sender\n\n"
            "This message was created automatically by mail delivery software.\n\n"
            "A message that you sent could not be delivered to one or more of its\n"
            "recipients. This is a permanent error. The following address(es) failed:\n\n"
            "  ann@there.test\n    SMTP error from remote mail server after RCPT TO:"
            "<ann@there.test>:\n    host mx.there.test [192.0.2.1]: 550 5.1.1 unknown\n"
            "  bob@else.test\n    SMTP error from remote mail server after RCPT TO:"
            "<bob@else.test>:\n    host mx.else.test [192.0.2.2]: 552 5.2.2 full\n\n"
            "------ This is a copy of the message, including all the headers. ------\n\n"
            "Return-path: <list@sender.test>\nTo: third@there.test\n\nhello\n",
     "bounce_text; ann@there.test failed 550 5.1.1; bob@else.test failed 552 5.2.2"},
    {"Exim's warning",
     DAEMON "Subject: Warning: message 1abcde-000001-AB delayed 24 hours\n\n"
            "This message was created automatically by mail delivery software.\n"
            "A message that you sent has not yet been delivered to all its recipients\n"
            "after more than 24 hours on the queue on mx.test.\n\n"
            "The address to which the message has not yet been delivered is:\n\n"
            "  ann@there.test\n\nNo action is required on your part. Delivery attempts will\n"
            "continue for some time.\n",
     "bounce_text; ann@there.test delayed 0 "},
    {"MailMarshal: the reply stands before the list",
     "From: postmaster@mx.test\nTo: list@sender.test\nSubject: Undeliverable Mail: \"hello\"\n\n"
     "Your message:\n   From:    list@sender.test\n\nCould not be delivered because of\n\n"
     "550 5.1.1 User unknown\n\nThe following recipients were affected:\n    ann@there.test\n\n"
     "Additional Information\n======\nSender-MTA: <192.0.2.1>\n",
     "bounce_text; ann@there.test failed 550 5.1.1"},
    {"a report that a person passes on",
     "From: Ann <ann@there.test>\nTo: bob@there.test\n"
     "Subject: Fwd: Returned mail: see transcript for details\n\nSee below.\n\n"
     "> From: Mail Delivery Subsystem <MAILER-DAEMON>\n>\n> ----- The following addresses had "
     "permanent fatal errors -----\n> <carl@else.test>\n>\n> Reporting-MTA: dns; mx.test\n>\n"
     "> Final-Recipient: RFC822; carl@else.test\n> Action: failed\n> Status: 5.1.1\n"
     "> Diagnostic-Code: SMTP; 550 5.1.1 User unknown\n",
     "bounce_text; carl@else.test failed 550 5.1.1"},
    {"the reply behind the end of a queue's life",
     DAEMON "Subject: Delivery Status Notification (Failure)\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; boundary=b; report-type=delivery-status\n\n--b\n"
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
            "Final-Recipient: rfc822; ann@there.test\nAction: failed\nStatus: 4.4.7\n"
            "Diagnostic-Code: smtp; 554 4.4.7 Message expired.<421 4.4.2 timed out>\n\n--b--\n",
     "dsn; ann@there.test failed 421 4.4.2"},
    {"Exim's name without a domain",
     DAEMON "X-Failed-Recipients: ann@there.test\n"
            "Subject: Mail delivery failed: returning message to sender\n\n"
            "This message was created automatically by mail delivery software.\n\n"
            "The following address(es) failed:\n\n  ann\n    host mx.there.test [192.0.2.1]: "
            "550 5.7.1 refused\n",
     "bounce_text; ann@there.test failed 550 5.7.1"},
    {"a session's reply to nobody and the notice behind it",
     DAEMON "Subject: Returned mail: see transcript\n\n   ----- Transcript of session follows -----"
            "\nWhile talking to mx.there.test:\n>>> MAIL From:<list@sender.test>\n"
            "<<< 553 5.1.8 unknown sender\n554 <ann@there.test>... Remote protocol error\n",
     "bounce_text; ann@there.test failed 553 5.1.8"},
    {"a contact is no recipient",
     DAEMON "Subject: Returned mail\n\nYour message could not be delivered.\n"
            "Please contact <help@mx.test>.\nAgain, that is <help@mx.test>\n",
     "bounce_text;  failed 0 "},
    {"a returned report does not say whom it failed for",
     DAEMON "Subject: Returned mail: User unknown\nMIME-Version: 1.0\n"
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n"
            "----- The following addresses had delivery errors -----\n\n--b\n"
            "Content-Type: message/rfc822\n\nFrom: MAILER-DAEMON@else.test\nTo: ann@there.test\n"
            "Subject: Returned mail\n\ntext\n--b--\n",
     "bounce_text;  failed 0 "},
    {"the reason beside the status fields, for each recipient",
     DAEMON "Subject: Delivery status notification: error\nMIME-Version: 1.0\n"
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHi!\n\nAn error has occurred "
            "while attempting to deliver a message for\nthe following list of recipients:\n\n"
            "bob@there.test: 552 5.2.2 Mailbox full\nann@there.test: 550 5.1.1 User unknown\n\n"
            "Below is a copy of the original message:\n--b\n"
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
            "Final-Recipient: rfc822; ann@there.test\nAction: failed\nStatus: 5.0.0\n\n"
            "Final-Recipient: rfc822; bob@there.test\nAction: failed\nStatus: 5.0.0\n\n--b--\n",
     "dsn; ann@there.test failed 550 5.1.1; bob@there.test failed 552 5.2.2"},
    {"a program's exit code and what the transcript says of it",
     DAEMON "Subject: Returned mail: see transcript for details\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n"
            "   ----- The following addresses had permanent fatal errors -----\n\"|/bin/x\"\n"
            "    (reason: 255)\n\n   ----- Transcript of session follows -----\n"
            "554 5.3.0 unknown mailer error 255 ...\n--b\n"
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
            "Final-Recipient: RFC822; ann@there.test\nAction: failed\nStatus: 5.0.0\n"
            "Diagnostic-Code: X-Unix; 255\n\n--b--\n",
     "dsn; ann@there.test failed 554 5.3.0"},
    {"a challenge in the form of a failure",
     "From: guard@there.test\nTo: list@sender.test\nSubject: Re: hello\nMIME-Version: 1.0\n"
     "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"
     "Content-Type: message/delivery-status\n\nReporting-MTA: dns; there.test\n\n"
     "Final-Recipient: rfc822; ann@there.test\nAction: failed\nStatus: 4.7.0\n"
     "Diagnostic-Code: X-Guard; Sender not pre-approved\n\n--b--\n",
     "auto_reply; ann@there.test - 0 4.7.0"},
    {"a notice inside of another",
     "From: no-reply@notices.test\nSubject: Notification\n\n{\n  \"Type\" : \"Notification\",\n"
     "  \"Message\" : \"{\\\"notificationType\\\":\\\"Bounce\\\",\\\"bounce\\\":{"
     "\\\"bouncedRecipients\\\":[{\\\"emailAddress\\\":\\\"ann@there.test\\\","
     "\\\"diagnosticCode\\\":\\\"smtp; 550 5.1.1 unknown\\\"}]}}\"\n}\n",
     "bounce_text; ann@there.test failed 550 5.1.1"},
    {"CommuniGate",
     DAEMON "Subject: Undeliverable mail: hello\n\nFailed to deliver to '<ann@there.test>'\n"
            "LOCAL module(account ann) reports:\n 550 5.2.2 account is full\n",
     "bounce_text; ann@there.test failed 550 5.2.2"},
    {"SurfControl",
     "Return-Path: <>\nFrom: <>\nTo: list@sender.test\nSubject: hello\n\n"
     "Your message could not be sent.\nA transcript of the attempts to send the message follows.\n"
     "The number of attempts made: 1\nAddressed To: ann@there.test\n\n"
     "Failed to send to identified host,\nann@there.test: [192.0.2.1], 554 unavailable\n",
     "bounce_text; ann@there.test failed 554 "},
    {"Exchange in Italian",
     "From: <postmaster@there.test>\nTo: list@sender.test\nSubject: Non recapitabile: hello\n"
     "Content-Type: text/plain; charset=utf-8\n\nIl recapito non \303\250 riuscito per i seguenti "
     "destinatari o gruppi:\n\nann@there.test<mailto:ann@there.test>\nIl messaggio non va.\n\n"
     "ann@there.test\nRemote Server returned '550 5.1.1 not found'\n\n"
     "Intestazioni originali del messaggio:\n\nTo: bob@else.test\n",
     "bounce_text; ann@there.test failed 550 5.1.1"},
    {"an alias and what it stands for",
     DAEMON "Subject: Undelivered Mail Returned to Sender\n\n"
            "This is the mail system at host mx.test.\n\n<ann@there.test> (expanded from\n"
            "    <all@there.test>): host mx.there.test said: 550 5.1.1 unknown\n",
     "bounce_text; ann@there.test failed 550 5.1.1"},
    {"a delivery that was asked about",
     DAEMON "Subject: Successful Mail Delivery Report\n\n"
            "This is the mail system at host mx.test.\n\nYour message was successfully delivered "
            "to\nthe destination(s) listed below.\n\n<ann@there.test>: delivery via mx.there.test:"
            " 250 2.0.0 ok\n",
     "bounce_text; ann@there.test delivered 0 "},
    {"a warning that waits",
     DAEMON "Subject: Message delayed\n\nYour message has been delayed and is still awaiting "
            "delivery\nto the following recipient(s):\n\nann@there.test\nYour message is delayed\n",
     "bounce_text; ann@there.test delayed 0 "},
    {"status fields in plain text",
     DAEMON "Subject: Delivery Status Notification (Failure)\nContent-Type: text/plain\n\n"
            "Delivery failed.\n\nReporting-MTA: dns; mx.test\n\n"
            "Final-Recipient: rfc822; ann@there.test\nAction: failed\nStatus: 5.1.1\n\n"
            "Final-Recipient: rfc822; bob@there.test\nAction: delayed\nStatus: 4.4.1\n\n"
            "Received: from a\n\nFinal-Recipient: rfc822; old@there.test\nAction: failed\n",
     "dsn; ann@there.test failed 0 5.1.1; bob@there.test delayed 0 4.4.1"},
    {"a boundary that never occurs",
     DAEMON "Subject: Delivery Notification\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; boundary=\"gone\"; report-type=delivery-status\n\n"
            "Your message cannot be delivered.\n\nReporting-MTA: dns; mx.test\n\n"
            "Action: failed\nStatus: 5.0.0\nFinal-recipient: rfc822;ann@there.test\n"
            "Diagnostic-code: smtp; 550 5.7.1 refused\n",
     "dsn; ann@there.test failed 550 5.7.1"},
    {"blank lines before the headers",
     "   \n\n" DAEMON "Subject: failed\nMIME-Version: 1.0\n"
     "Content-Type: multipart/report; boundary=b; report-type=delivery-status\n\n--b\n"
     "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n"
     "Final-Recipient: rfc822; ann@there.test\nAction: failed\nStatus: 5.1.1\n\n--b--\n",
     "dsn; ann@there.test failed 0 5.1.1"},
    {"a person who quotes status fields",
     "From: ann@there.test\nTo: bob@there.test\nSubject: see below\n\nWhat does this mean?\n\n"
     "Final-Recipient: rfc822; carl@there.test\nAction: failed\nStatus: 5.1.1\n",
     "other"},
    {"a notice as JSON",
     "From: no-reply@notices.test\nSubject: Notification\n\n{\"notificationType\":\"Bounce\","
     "\"bounce\":{\"bouncedRecipients\":[{\"emailAddress\":\"ann@there.test\","
     "\"status\":\"5.1.1\",\"diagnosticCode\":\"smtp; 550 5.1.1 unknown\"},"
     "{\"emailAddress\":\"bob@there.test\",\"status\":\"4.4.7\"}]},"
     "\"mail\":{\"destination\":[\"carl@there.test\"]}}\n",
     "bounce_text; ann@there.test failed 550 5.1.1; bob@there.test failed 0 4.4.7"},
    {"an ordinary letter",
     "From: ann@there.test\nTo: bob@there.test\nSubject: lunch\n\nThe address is ann@there.test.\n",
     "other"},
    {"an answer of a person's absence",
     "From: ann@there.test\nTo: list@sender.test\nSubject: Out of office: hello\n"
     "Auto-Submitted: auto-replied\n\nI am away until Monday; write to bob@there.test.\n",
     "auto_reply; ann@there.test - 0 "},
    {"a complaint",
     "From: fbl@there.test\nTo: list@sender.test\nSubject: complaint\nMIME-Version: 1.0\n"
     "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n"
     "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n"
     "User-Agent: x/1\nOriginal-Rcpt-To: <ann@there.test>\n\n--b--\n",
     "arf; ann@there.test - 0 "},
    {"a refusal whose parts were emptied",
     "From: postmaster@there.test\nTo: list@sender.test\nSubject: Automatically rejected mail\n"
     "Auto-Submitted: auto-replied (rejected)\nMIME-Version: 1.0\n"
     "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n"
     "\n\n--b\nContent-Type: message/disposition-notification\n\n--b--\n",
     "mdn;  failed 0 "},
    {"a refusal whose parts lost their headers",
     "From: postmaster@there.test\nTo: list@sender.test\nSubject: Automatically rejected mail\n"
     "Auto-Submitted: auto-replied (rejected)\nMIME-Version: 1.0\n"
     "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n"
     "\nContent-Type: message/disposition-notification\n\n--b--\n",
     "mdn;  failed 0 "},
    {"a receipt",
     "From: ann@there.test\nTo: list@sender.test\nSubject: Read: hello\nMIME-Version: 1.0\n"
     "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n"
     "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;ann@there.test\n"
     "Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n",
     "mdn"},
};

static void each_form_gives_its_recipients_with_either_line_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char said[SUMMARY_MAX];
        char room[MESSAGE_MAX];

        summarize(dsnd_str_of(cases[i].message), said, sizeof(said));
        if (strcmp(said, cases[i].expected) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", cases[i].name, said, cases[i].expected);
        summarize(with_crlf(cases[i].message, room), said, sizeof(said));
        if (strcmp(said, cases[i].expected) != 0)
            fail_msg("%s, CR LF: \"%s\", expected \"%s\"", cases[i].name, said, cases[i].expected);
    }
}

static void what_nobody_reads_makes_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char said[SUMMARY_MAX];

        summarize_by(whole, dsnd_str_of(cases[i].message), said, sizeof(said));
        if (strcmp(said, cases[i].expected) != 0)
            fail_msg("%s, all shown: \"%s\", expected \"%s\"", cases[i].name, said,
                     cases[i].expected);
    }
}

static void a_message_cut_anywhere_is_read_without_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t len = 0; len < strlen(cases[i].message); len++) {
            char said[SUMMARY_MAX];
            /* A copy of its own, so that a sanitizer sees each octet read past the end. */
            char *copy = malloc(len + 1);

            assert_non_null(copy);
            memcpy(copy, cases[i].message, len);
            summarize(dsnd_str_make(copy, len), said, sizeof(said));
            free(copy);
        }
}

#define REPORT "Subject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report;"
#define TEXT_PART "Content-Type: text/plain\n\nIt failed.\n"
#define STATUS_PART                                                                   \
    "\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n" \
    "Final-Recipient: rfc822; ann@there.test\nAction: failed\nStatus: 5.1.1\n"
#define RETURNED_PART "\n--b\nContent-Type: message/rfc822\n\nFrom: list@sender.test\n"
#define RETURNED_END "Message-ID: <1@sender.test>\n\nhello\n--b--\n"
#define PLAIN DAEMON REPORT " boundary=b\n\n--b\n" TEXT_PART

/* A unit many times over between a head and a tail; what is within the limits names ann. */
static const struct {
    const char *name, *head, *unit;
    size_t count;
    const char *tail;
    uint32_t warnings;
    const char *returned_id;
} large[] = {
    {"lines in the returned header", PLAIN STATUS_PART RETURNED_PART, "X-Trace: 1\n", 3000,
     RETURNED_END, 0, "1@sender.test"},
    {"hops in the returned header, before the status", PLAIN RETURNED_PART,
     "Received: from a\n by b\n", 3000,
     "Message-ID: <1@sender.test>\n\nhello\n" STATUS_PART "\n--b--\n", 0, "1@sender.test"},
    {"octets in the returned header", PLAIN STATUS_PART RETURNED_PART,
     "X-Trace: 1111111111111111111111111111111111111111111111111111111\n", 9000, RETURNED_END, 0,
     "1@sender.test"},
    {"recipients in the returned header", PLAIN STATUS_PART RETURNED_PART "To: ann@there.test",
     ",\n bob@there.test", 3000, "\n" RETURNED_END, REPORT_WARNING_TRUNCATED, "1@sender.test"},
    {"recipients in the returned header, before the status",
     PLAIN RETURNED_PART "Message-ID: <1@sender.test>\nTo: ann@there.test", ",\n bob@there.test",
     3000, "\n\nhello\n" STATUS_PART "\n--b--\n", REPORT_WARNING_TRUNCATED, "1@sender.test"},
    {"one line in the returned header", PLAIN STATUS_PART RETURNED_PART "To: ann@there.test",
     ", bob@there.test", 30000, "\n" RETURNED_END, 0, "1@sender.test"},
    {"comments of SQL in the returned body", PLAIN STATUS_PART RETURNED_PART "\n", "-- row\n", 3000,
     "--b--\n", 0, NULL},
    {"comments of SQL in the returned body, before the status", PLAIN RETURNED_PART "\n",
     "-- row\n", 3000, STATUS_PART "\n--b--\n", 0, NULL},
    {"lines in the header of an attachment", PLAIN "\n--b\nContent-Type: image/png\n",
     "To: ann@there.test\n", 3000, "\nx\n" STATUS_PART RETURNED_PART RETURNED_END,
     REPORT_WARNING_TOO_COMPLEX, "1@sender.test"},
    {"dashes in the text", PLAIN, "-- \n", 3000, STATUS_PART RETURNED_PART RETURNED_END,
     REPORT_WARNING_TOO_COMPLEX, "1@sender.test"},
    {"lines in its own header", DAEMON REPORT " boundary=b\n", "Errors-To: a@b.test\n", 3000,
     "\n--b\n" TEXT_PART STATUS_PART RETURNED_PART RETURNED_END, REPORT_WARNING_TOO_COMPLEX,
     "1@sender.test"},
    {"parts", PLAIN STATUS_PART RETURNED_PART "Message-ID: <1@sender.test>\n\nhello\n",
     "--b\n\nx\n", 3000, "--b--\n", REPORT_WARNING_TOO_COMPLEX, "1@sender.test"},
    {"multiparts", PLAIN STATUS_PART "--b\n", "Content-Type: multipart/mixed; boundary=c\n\n--c\n",
     3000, "\n", REPORT_WARNING_TOO_COMPLEX, NULL},
};

static struct dsnd_str repeat(struct dsnd_buf *room, const char *head, const char *unit,
                              size_t count, const char *tail)
{
    enum dsnd_err err = dsnd_buf_add(room, dsnd_str_of(head));

    for (size_t i = 0; i < count && !err; i++)
        err = dsnd_buf_add(room, dsnd_str_of(unit));
    if (!err)
        err = dsnd_buf_add(room, dsnd_str_of(tail));
    assert_int_equal(err, DSND_OK);
    return dsnd_buf_str(room);
}

static void what_is_beyond_a_limit_leaves_the_rest_of_the_report(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(large); i++) {
        struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_OCTETS);
        struct dsnd_buf room = DSND_BUF_INIT(HOSTILE_OCTETS);
        struct report report;

        assert_int_equal(
            parser_run(parser,
                       repeat(&room, large[i].head, large[i].unit, large[i].count, large[i].tail),
                       &arena, &report),
            DSND_OK);
        if (report.kind != REPORT_KIND_DSN || report.recipient_count != 1 ||
            !dsnd_str_eq(report.recipients[0].recipient, DSND_STR("ann@there.test")))
            fail_msg("%s: %s of %zu", large[i].name, report_kind_name(report.kind),
                     report.recipient_count);
        if (report.warnings != large[i].warnings ||
            !dsnd_str_eq(report.returned.message_id, dsnd_str_of(large[i].returned_id)))
            fail_msg("%s: warnings %x, returned %.*s", large[i].name, report.warnings,
                     DSND_STR_ARG(report.returned.message_id));
        dsnd_buf_done(&room);
        dsnd_arena_done(&arena);
    }
}

/* Parameters of multipart/report whose boundary is b. */
static const char *const boundaries[] = {
    " boundary*0=b",
    " boundary*=us-ascii''b",
    " boundary*=''%62",
    " boundary*0*=us-ascii'en'%62",
    " report-type=delivery-status; boundary*1=\"\"; Boundary*0=\"b\"",
    "\n boundary*0=\"\";\n boundary*1=b;\n report-type=delivery-status",
    " boundary*0=x; boundary=b",
    " boundary*=x; boundary*12=x",
    " boundary*0=b; x=\"; boundary*1=x\"",
};

static void a_boundary_in_pieces_is_joined(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(boundaries); i++) {
        char message[MESSAGE_MAX], said[SUMMARY_MAX];

        (void)snprintf(message, sizeof(message), "%s%s\n\n--b\n%s", DAEMON REPORT, boundaries[i],
                       TEXT_PART STATUS_PART RETURNED_PART RETURNED_END);
        for (struct parser *const *by = (struct parser *const[]){parser, whole, NULL}; *by; by++) {
            summarize_by(*by, dsnd_str_of(message), said, sizeof(said));
            if (strcmp(said, "dsn; ann@there.test failed 0 5.1.1") != 0)
                fail_msg("%s: %s", boundaries[i], said);
        }
    }
}

#define SAID                                                                               \
    "To: list@sender.test\nSubject: hello\n\nThis is the mail system at host mx.test.\n\n" \
    "<ann@there.test>: host mx.there.test[192.0.2.1] said: 550 5.1.1 no such user\n"
#define AROUND                                                                             \
    "To: list@sender.test\nSubject: Undeliverable\nContent-Type: multipart/mixed; "        \
    "boundary=b\n\n--b\n\nThis is the mail system at host mx.test.\n\n--b\nContent-Type: " \
    "message/rfc822\n\nFrom: MAILER-DAEMON@mx.test\n" SAID "\n--b--\n"

static const struct {
    const char *message;
    bool by_anybody;
} senders[] = {
    {"From: carol@shop.test\n" SAID, true},
    {"From: Mail Delivery System <carol@shop.test>\n" SAID, true},
    {"Return-Path: <carol@shop.test>\nFrom: carol@shop.test\n" SAID, true},
    {"From: carol@shop.test\n" AROUND, true},
    {"Return-Path: <>\nFrom: carol@shop.test\n" SAID, false},
    {"From: MAILER-DAEMON@mx.test\n" SAID, false},
    {"From: postmaster@mx.test\n" SAID, false},
    {"From: MAILER-DAEMON@mx.test\n" AROUND, false},
    {"X-Failed-Recipients: ann@there.test\nFrom: carol@shop.test\n" SAID, false},
};

static void what_no_mailer_sent_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_OCTETS);
        struct report report;

        assert_int_equal(parser_run(parser, dsnd_str_of(senders[i].message), &arena, &report),
                         DSND_OK);
        if (report.kind != REPORT_KIND_BOUNCE_TEXT || report.recipient_count != 1 ||
            report.is_by_anybody != senders[i].by_anybody ||
            !dsnd_str_eq(report.recipients[0].recipient, DSND_STR("ann@there.test")))
            fail_msg("%s: %s of %zu, %d", senders[i].message, report_kind_name(report.kind),
                     report.recipient_count, report.is_by_anybody);
        dsnd_arena_done(&arena);
    }
}

static void a_megabyte_of_hostile_text_takes_less_than_two_seconds(void **state)
{
    static const char *const repeated[] = {
        "<a@b.test>: ",  "a@",   "\n\n",
        "could not be ", "<<<<", "\nFinal-Recipient: rfc822; a@b.test\nAction: failed"};
    char *message = malloc(HOSTILE_OCTETS);

    (void)state;
    assert_non_null(message);
    for (size_t i = 0; i < ARRAY_LEN(repeated); i++) {
        size_t unit = strlen(repeated[i]);
        static const char start_of[] = DAEMON "Subject: failure notice\n\nundeliverable\n";
        size_t len = sizeof(start_of) - 1;
        char said[SUMMARY_MAX];
        clock_t start = clock();

        memcpy(message, start_of, sizeof(start_of));
        for (; len + unit < HOSTILE_OCTETS; len += unit)
            memcpy(message + len, repeated[i], unit);
        summarize(dsnd_str_make(message, len), said, sizeof(said));
        if ((clock() - start) / CLOCKS_PER_SEC >= 2)
            fail_msg("%s: too slow", repeated[i]);
    }
    free(message);
}

/* More charsets than converters are kept open, each once more: the octet d2, as UTF-8. */
static void each_charset_is_read_again_as_the_first_time(void **state)
{
    static const struct {
        const char *charset, *text;
    } charsets[] = {
        {"iso-8859-1", "Ò"},
        {"iso-8859-2", "Ň"},
        {"iso-8859-5", "в"},
        {"ISO-8859-7", "\xef\xbf\xbd"},
        {"iso-8859-8", "\xef\xbf\xbd"},
        {"iso-8859-10", "Ō"},
        {"koi8-r", "р"},
        {"windows-1251", "Т"},
        {"windows-1253", "\xef\xbf\xbd"},
        {"windows-1255", "\xd7\x82"},
        {"nobody-knows-it", "\xef\xbf\xbd"},
        {"", "Ò"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(charsets); i++) {
        const char *charset = charsets[i % ARRAY_LEN(charsets)].charset;
        struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_OCTETS);
        char message[MESSAGE_MAX], expected[64];
        struct report report;

        (void)snprintf(message, sizeof(message),
                       DAEMON "Subject: failure notice\nContent-Type: text/plain%s%s\n\n"
                              "<a@b.test>:\n550 no \xd2 here\n",
                       *charset ? "; charset=" : "", charset);
        (void)snprintf(expected, sizeof(expected), "550 no %s here",
                       charsets[i % ARRAY_LEN(charsets)].text);
        assert_int_equal(parser_run(parser, dsnd_str_of(message), &arena, &report), DSND_OK);
        assert_int_equal(report.recipient_count, 1);
        if (!dsnd_str_eq(report.recipients[0].diagnostic, dsnd_str_of(expected)))
            fail_msg("%s: %.*s", charset, DSND_STR_ARG(report.recipients[0].diagnostic));
        dsnd_arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_gives_its_recipients_with_either_line_end),
        cmocka_unit_test(what_nobody_reads_makes_no_difference),
        cmocka_unit_test(a_message_cut_anywhere_is_read_without_harm),
        cmocka_unit_test(what_is_beyond_a_limit_leaves_the_rest_of_the_report),
        cmocka_unit_test(a_boundary_in_pieces_is_joined),
        cmocka_unit_test(what_no_mailer_sent_is_told),
        cmocka_unit_test(each_charset_is_read_again_as_the_first_time),
        cmocka_unit_test(a_megabyte_of_hostile_text_takes_less_than_two_seconds),
    };

    return cmocka_run_group_tests(tests, make_parser, free_parser);
}
