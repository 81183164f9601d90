/* What lines of mail servers' logs tell: samples of each format, as its documentation has them. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "parse/mta_log.h"

enum { SAID_SIZE = 1024, ARENA_OCTETS = 1 << 20, LONG_LINE = 1 << 18 };

/* 2026-11-29 12:00 UTC. */
#define NOW INT64_C(1795953600000000)

static int64_t utc(void *context, const struct mta_civil *civil)
{
    (void)context;
    return mta_time_us(civil, 0);
}

static const struct mta_clock clock_utc = {utc, NULL, NOW};

struct sample {
    const char *name;
    const char *line;
    const char *said; /* see say(); "!why" where it is no line of the format */
};

static const char *shown(struct dsnd_str s)
{
    static char room[8][512];
    static unsigned next;
    char *out = room[next++ % 8];

    (void)snprintf(out, sizeof(room[0]), "%.*s", DSND_STR_ARG(s));
    return dsnd_str_present(s) ? out : "-";
}

/* "kind time queued host queue-id sender message-id recipients[/final] action status remote: text"
 */
static void say(const struct mta_event *event, char said[SAID_SIZE])
{
    static const char *const kinds[] = {"other", "message", "result", "expired", "removed"};
    char status[REPORT_STATUS_SIZE];
    char to[SAID_SIZE] = "";
    const char *action = report_action_name(event->action);

    for (size_t i = 0; i < event->recipient_count; i++)
        (void)snprintf(to + strlen(to), sizeof(to) - strlen(to), "%s%s", i ? "," : "",
                       shown(event->recipients[i]));
    report_status_format(event->status, status);
    (void)snprintf(said, SAID_SIZE, "%s %lld %lld %s %s %s %s %.200s/%s %s %s %s: %s%s%s",
                   kinds[event->kind], (long long)((event->at_us - NOW) / 1000000),
                   (long long)(event->queued_us ? (event->queued_us - NOW) / 1000000 : 0),
                   shown(event->host), shown(event->queue_id), shown(event->sender),
                   shown(event->message_id), to, shown(event->final_recipient),
                   action ? action : "-", status[0] ? status : "-", shown(event->remote_mta),
                   shown(event->diagnostic), event->feedback ? " complaint" : "",
                   event->is_report ? " report" : "");
}

static void check(struct mta_log *log, const struct sample *sample)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_OCTETS);
    struct mta_event event;
    const char *why = "";
    char said[SAID_SIZE];
    enum dsnd_err err = mta_log_read(log, dsnd_str_of(sample->line), &arena, &event, &why);

    if (err)
        (void)snprintf(said, sizeof(said), "!%s", why);
    else
        say(&event, said);
    if (strcmp(said, sample->said) != 0)
        fail_msg("%s:\n got %s\nwant %s", sample->name, said, sample->said);
    dsnd_arena_done(&arena);
}

static void check_all(enum mta_log_format format, const struct sample *samples, size_t count)
{
    struct mta_log log;

    mta_log_init(&log, format, &clock_utc);
    for (size_t i = 0; i < count; i++)
        check(&log, &samples[i]);
}

#define POSTFIX "Nov 29 11:00:00 mail postfix/"

static const struct sample postfix_samples[] = {
    {"the sender of a message",
     POSTFIX "qmgr[12]: 4A1B2C3D4E: from=<r1.a.b.c@x.example>, size=429, nrcpt=1 (queue active)",
     "message -3600 0 mail 4A1B2C3D4E r1.a.b.c@x.example - /- - - -: -"},
    {"the null sender", POSTFIX "qmgr[12]: 4A1B2C3D4E: from=<>, size=429, nrcpt=1 (queue active)",
     "message -3600 0 mail 4A1B2C3D4E  - /- - - -: -"},
    {"the Message-ID", POSTFIX "cleanup[1]: 4A1B2C3D4E: message-id=<1@x.example>",
     "message -3600 0 mail 4A1B2C3D4E - 1@x.example /- - - -: -"},
    {"sent",
     POSTFIX "smtp[9]: 4A1B2C3D4E: to=<ann@there.example>, relay=mx.there.example[192.0.2.1]:25,"
             " delay=2.4, delays=0.1/0/1/1.3, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)",
     "result -3600 -3602 mail 4A1B2C3D4E - - ann@there.example/- delivered 2.0.0 "
     "mx.there.example: 250 2.0.0 Ok: queued"},
    {"bounced: the remote's own words",
     POSTFIX "smtp[9]: 4A1B2C3D4E: to=<ann@there.example>, relay=mx.there.example[192.0.2.1]:25,"
             " delay=2, delays=0/0/1/1, dsn=5.1.1, status=bounced (host mx.there.example"
             "[192.0.2.1] said: 550 5.1.1 <ann@there.example>: unknown (in reply to RCPT TO"
             " command))",
     "result -3600 -3602 mail 4A1B2C3D4E - - ann@there.example/- failed 5.1.1 "
     "mx.there.example: 550 5.1.1 <ann@there.example>: unknown"},
    {"deferred: no connection",
     POSTFIX "smtp[9]: 4A1B2C3D4E: to=<ann@there.example>, relay=none, delay=30, delays=0/0/30/0,"
             " dsn=4.4.1, status=deferred (connect to mx.there.example[192.0.2.1]:25:"
             " Connection timed out)",
     "result -3600 -3630 mail 4A1B2C3D4E - - ann@there.example/- delayed 4.4.1 -: "
     "connect to mx.there.example[192.0.2.1]:25: Connection timed out"},
    {"deferred: the greeting",
     POSTFIX "smtp[9]: 4A1B2C3D4E: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1,"
             " delays=0/0/1/0, dsn=4.0.0, status=deferred (host mx.b.example[192.0.2.1] refused"
             " to talk to me: 421 4.7.0 busy)",
     "result -3600 -3601 mail 4A1B2C3D4E - - a@b.example/- delayed 4.0.0 mx.b.example: "
     "421 4.7.0 busy"},
    {"an alias: whom the sender wrote to",
     POSTFIX "local[9]: 4A1B2C3D4E: to=<box7@mail.example>, orig_to=<ann@alias.example>,"
             " relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to"
             " mailbox)",
     "result -3600 -3600 mail 4A1B2C3D4E - - ann@alias.example/box7@mail.example delivered "
     "2.0.0 local: delivered to mailbox"},
    {"forwarded by local",
     POSTFIX "local[9]: 4A1B2C3D4E: to=<a@b.example>, relay=local, delay=0, delays=0/0/0/0,"
             " dsn=2.0.0, status=sent (forwarded as 5B2C3D4E5F)",
     "result -3600 -3600 mail 4A1B2C3D4E - - a@b.example/- expanded 2.0.0 local: "
     "forwarded as 5B2C3D4E5F"},
    {"virtual, pipe and lmtp are agents like any",
     POSTFIX "lmtp[9]: 4A1B2C3D4E: to=<a@b.example>, relay=b.example[private/dovecot-lmtp],"
             " conn_use=2, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Saved)",
     "result -3600 -3600 mail 4A1B2C3D4E - - a@b.example/- delivered 2.0.0 b.example: "
     "250 2.0.0 Saved"},
    {"another instance, a long queue id, RFC 3339",
     "2026-11-29T12:00:00.500000+01:00 mail postfix-out/smtp[9]: 4WkJ0x1zQzz9sVb: "
     "to=<a@b.example>,"
     " relay=b.example[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)",
     "result -3599 -3600 mail 4WkJ0x1zQzz9sVb - - a@b.example/- delivered 2.0.0 b.example: "
     "250 ok"},
    {"a service with a name of its own, a priority in front",
     "<22>Nov 29 11:00:00 mail postfix/out/qmgr[2]: 4A1B2C3D4E: from=<a@x.example>, size=1,"
     " nrcpt=1 (queue active)",
     "message -3600 0 mail 4A1B2C3D4E a@x.example - /- - - -: -"},
    {"quotes hide what stands in an address",
     POSTFIX "smtp[9]: 4A1B2C3D4E: to=<\"x>, status=sent (250\"@b.example>, relay=none, delay=1,"
             " delays=0/0/1/0, dsn=5.4.4, status=bounced (Host not found)",
     "result -3600 -3601 mail 4A1B2C3D4E - - \"x>, status=sent (250\"@b.example/- failed 5.4.4 "
     "-: Host not found"},
    {"expired, as a whole",
     POSTFIX "qmgr[2]: 4A1B2C3D4E: from=<a@x.example>, status=expired, returned to sender",
     "expired -3600 0 mail 4A1B2C3D4E a@x.example - /- - - -: -"},
    {"expired by the operator",
     POSTFIX "qmgr[2]: 4A1B2C3D4E: from=<a@x.example>, status=force-expired, returned to sender",
     "expired -3600 0 mail 4A1B2C3D4E a@x.example - /- - - -: -"},
    {"removed", POSTFIX "qmgr[2]: 4A1B2C3D4E: removed",
     "removed -3600 0 mail 4A1B2C3D4E - - /- - - -: -"},
    {"a probe is no delivery",
     POSTFIX "smtp[9]: 4A1B2C3D4E: to=<a@b.example>, relay=none, delay=1, delays=0/0/1/0,"
             " dsn=5.4.4, status=undeliverable (Host not found)",
     "other -3600 -3601 mail 4A1B2C3D4E - - a@b.example/- - 5.4.4 -: Host not found"},
    {"a refused client", POSTFIX "smtpd[3]: NOQUEUE: reject: RCPT from a[192.0.2.7]: 554 no",
     "other -3600 0 mail NOQUEUE - - /- - - -: -"},
    {"a warning", POSTFIX "smtpd[3]: warning: hostname x does not resolve",
     "other -3600 0 mail warning - - /- - - -: -"},
    {"another program", "Nov 29 11:00:00 mail sshd[3]: Accepted key",
     "other -3600 0 mail - - - /- - - -: -"},
    {"a day with one digit, in the year before",
     "Dec  9 12:00:00 mail postfix/qmgr[2]: 4A1B2C3D4E: removed",
     "removed -30672000 0 mail 4A1B2C3D4E - - /- - - -: -"},
    {"an empty line", "", "other -1795953600 0 - - - - /- - - -: -"},
    {"a line cut off", POSTFIX "smtp[9]: 4A1B2C3D4E: to=<a@b.example>, relay=none",
     "!to= without status="},
    {"a status that is none", POSTFIX "smtp[9]: 4A1B2C3D4E: to=<a@b.example>, status=eaten (x)",
     "!status= is none that Postfix has"},
    {"no syslog", "{\"type\":\"Delivery\"}", "!no syslog line (time, host, program:)"},
    {"no such day", "Nov 39 11:00:00 mail postfix/qmgr[2]: 4A1B2C3D4E: removed",
     "!no syslog line (time, host, program:)"},
};

static void postfix_lines_are_read(void **state)
{
    (void)state;
    check_all(MTA_LOG_POSTFIX, postfix_samples, ROWS(postfix_samples));
}

#define EXIM "2026-11-29 11:00:00 1vPAAA-0003oP-5i "

static const struct sample exim_samples[] = {
    {"an arrival",
     EXIM "<= r1.a.b.c@x.example H=app.x.example (app) [192.0.2.9]:4711 P=esmtps"
          " X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no S=1364"
          " id=1@x.example T=\"an id=9@y in quotes: <= ** =>\" for ann@there.example",
     "message -3600 -3600 - 1vPAAA-0003oP-5i r1.a.b.c@x.example 1@x.example /- - - -: -"},
    {"the null sender", EXIM "<= <> R=1vPAA9-0003oP-5h U=Debian-exim P=local S=1364",
     "message -3600 -3600 - 1vPAAA-0003oP-5i  - /- - - -: -"},
    {"delivered, with many selectors",
     EXIM
     "=> ann@there.example F=<r1.a.b.c@x.example> P=<r1.a.b.c@x.example> R=dnslookup"
     " T=remote_smtp S=1400 H=mx.there.example [192.0.2.1]:25 I=[192.0.2.9]:4711"
     " X=TLS1.3:ECDHE:256 CV=yes DN=\"C=XX: there, CN=mx\" K C=\"250 2.0.0 OK: 1\" QT=3s DT=2s",
     "result -3600 0 - 1vPAAA-0003oP-5i r1.a.b.c@x.example - ann@there.example/- delivered "
     "- mx.there.example: 250 2.0.0 OK: 1"},
    {"one more recipient of the same delivery, long message id",
     "2026-11-29 11:00:00 1vPAAA-0000000AbCd-5i1x -> bob@there.example R=dnslookup "
     "T=remote_smtp"
     " H=mx.there.example [192.0.2.1] C=\"250 OK\"",
     "result -3600 0 - 1vPAAA-0000000AbCd-5i1x - - bob@there.example/- delivered - "
     "mx.there.example: 250 OK"},
    {"an alias: whom the sender wrote to",
     EXIM "=> box7 <ann@alias.example> R=localuser T=local_delivery",
     "result -3600 0 - 1vPAAA-0003oP-5i - - ann@alias.example/box7 delivered - -: -"},
    {"a pipe with arguments", EXIM "=> |/usr/bin/keep -a <ann@alias.example> R=pipe T=address_pipe",
     "result -3600 0 - 1vPAAA-0003oP-5i - - ann@alias.example/|/usr/bin/keep delivered - -: -"},
    {"thrown away", EXIM "=> :blackhole: <ann@alias.example> R=drop",
     "other -3600 0 - 1vPAAA-0003oP-5i - - ann@alias.example/:blackhole: delivered - -: -"},
    {"failed: the remote's own words",
     EXIM "** ann@there.example R=dnslookup T=remote_smtp H=mx.there.example [192.0.2.1]:25"
          " X=TLS1.3:ECDHE:256 CV=yes: SMTP error from remote mail server after RCPT"
          " TO:<ann@there.example>: 550 5.1.1 <ann@there.example>: user unknown",
     "result -3600 0 - 1vPAAA-0003oP-5i - - ann@there.example/- failed 5.1.1 mx.there.example: "
     "550 5.1.1 <ann@there.example>: user unknown"},
    {"failed: as older versions write it",
     EXIM "** ann@there.example F=<a@x.example> R=dnslookup T=remote_smtp: SMTP error from remote"
          " mail server after end of data: host mx.there.example [192.0.2.1]: 552 5.3.4 too big",
     "result -3600 0 - 1vPAAA-0003oP-5i a@x.example - ann@there.example/- failed 5.3.4 -: "
     "552 5.3.4 too big"},
    {"failed: no route", EXIM "** ann@there.example F=<a@x.example>: Unrouteable address",
     "result -3600 0 - 1vPAAA-0003oP-5i a@x.example - ann@there.example/- failed - -: "
     "Unrouteable address"},
    {"failed before a router, by whom it went to is not said",
     EXIM "** ann@there.example: Unrouteable address",
     "result -3600 0 - 1vPAAA-0003oP-5i - - ann@there.example/- failed - -: "
     "Unrouteable address"},
    {"the same of an alias", EXIM "** ann@there.example <box@alias.example>: unknown mail domain",
     "result -3600 0 - 1vPAAA-0003oP-5i - - box@alias.example/ann@there.example failed - -: "
     "unknown mail domain"},
    {"given up", EXIM "** ann@there.example R=r T=t: retry timeout exceeded",
     "result -3600 0 - 1vPAAA-0003oP-5i - - ann@there.example/- failed - -: "
     "retry timeout exceeded"},
    {"deferred by the remote",
     EXIM "== ann@there.example R=dnslookup T=remote_smtp H=mx.there.example [192.0.2.1] defer"
          " (-44) DT=1s: SMTP error from remote mail server after RCPT TO:<ann@there.example>:"
          " 451 4.7.1 later",
     "result -3600 0 - 1vPAAA-0003oP-5i - - ann@there.example/- delayed 4.7.1 "
     "mx.there.example: "
     "451 4.7.1 later"},
    {"deferred without a connection",
     EXIM "== ann@there.example R=dnslookup T=remote_smtp defer (110): Connection timed out",
     "result -3600 0 - 1vPAAA-0003oP-5i - - ann@there.example/- delayed - -: "
     "Connection timed out"},
    {"done", EXIM "Completed QT=4s", "removed -3600 0 - 1vPAAA-0003oP-5i - - /- - - -: -"},
    {"zone, fraction and process",
     "2026-11-29 12:00:00.250 +0100 [4711] 1vPAAA-0003oP-5i Completed",
     "removed -3599 0 - 1vPAAA-0003oP-5i - - /- - - -: -"},
    {"through syslog",
     "Nov 29 11:00:00 mail exim[4711]: 2026-11-29 11:00:00 1vPAAA-0003oP-5i Completed",
     "removed -3600 0 mail 1vPAAA-0003oP-5i - - /- - - -: -"},
    {"through syslog without a time of its own",
     "2026-11-29T11:00:00+00:00 mail exim4[4711]: 1vPAAA-0003oP-5i Completed",
     "removed -3600 0 mail 1vPAAA-0003oP-5i - - /- - - -: -"},
    {"a queue run", "2026-11-29 11:00:00 Start queue run: pid=4711",
     "other -3600 0 - Start - - /- - - -: -"},
    {"a message that is frozen", EXIM "Message is frozen",
     "other -3600 0 - 1vPAAA-0003oP-5i - - /- - - -: -"},
    {"a flag without an address", EXIM "=>", "!no address behind the flag"},
    {"no time", "1vPAAA-0003oP-5i Completed", "!no time in front (2026-11-29 01:11:22)"},
};

static void exim_lines_are_read(void **state)
{
    (void)state;
    check_all(MTA_LOG_EXIM, exim_samples, ROWS(exim_samples));
}

static void kumomta_lines_are_read(void **state)
{
    static const struct sample samples[] = {
        {"a delivery",
         "{\"type\":\"Delivery\",\"id\":\"1d98\",\"sender\":\"r1.a.b.c@x.example\",\"recipient\":"
         "\"ann@there.example\",\"queue\":\"there.example\",\"site\":\"s\",\"size\":1047,"
         "\"response\":"
         "{\"code\":250,\"enhanced_code\":{\"class\":2,\"subject\":0,\"detail\":0},\"content\":"
         "\"OK "
         "ids=8a\",\"command\":\".\"},\"peer_address\":{\"name\":\"mx.there.example.\",\"addr\":"
         "\"192.0.2.1\"},\"timestamp\":1795950000,\"created\":1795949990,\"num_attempts\":0,"
         "\"bounce_classification\":\"Uncategorized\",\"headers\":{\"message-id\":\"<1@x.example>"
         "\"}}",
         "result -3600 -3610 - - r1.a.b.c@x.example 1@x.example ann@there.example/- delivered "
         "2.0.0 "
         "mx.there.example: 250 2.0.0 OK ids=8a"},
        {"several recipients, times in words",
         "{\"type\":\"Bounce\",\"sender\":\"a@x.example\",\"recipient\":[\"ann@there.example\","
         "\"bob@there.example\"],\"response\":{\"code\":550,\"enhanced_code\":{\"class\":5,"
         "\"subject\":1,\"detail\":1},\"content\":\"no such user\"},\"timestamp\":"
         "\"2026-11-29T11:00:00Z\"}",
         "result -3600 0 - - a@x.example - ann@there.example,bob@there.example/- failed 5.1.1 -: "
         "550 5.1.1 no such user"},
        {"a passing failure without an enhanced code",
         "{\"type\":\"TransientFailure\",\"sender\":\"a@x.example\",\"recipient\":\"b@c.example\","
         "\"response\":{\"code\":451,\"enhanced_code\":null,\"content\":\"later\"},\"timestamp\":"
         "1795950000.5}",
         "result -3599 0 - - a@x.example - b@c.example/- delayed - -: 451 later"},
        {"given up",
         "{\"type\":\"Expiration\",\"sender\":\"a@x.example\",\"recipient\":\"b@c.example\","
         "\"response\":{\"code\":551,\"enhanced_code\":{\"class\":5,\"subject\":4,\"detail\":7},"
         "\"content\":\"Next delivery time would be too late\"},\"timestamp\":1795950000}",
         "result -3600 0 - - a@x.example - b@c.example/- failed 5.4.7 -: "
         "551 5.4.7 Next delivery time would be too late"},
        {"a complaint",
         "{\"type\":\"Feedback\",\"sender\":\"fbl@there.example\",\"recipient\":\"fbl@x.example\","
         "\"timestamp\":1795950000,\"feedback_report\":{\"feedback_type\":\"abuse\","
         "\"original_mail_from\":\"<r1.a.b.c@x.example>\",\"original_rcpt_to\":"
         "[\"ann@there.example\"]}}",
         "result -3600 0 - - r1.a.b.c@x.example - ann@there.example/- - - -: - complaint report"},
        {"a report by mail, which the server explains",
         "{\"type\":\"OOB\",\"sender\":\"r1.a.b.c@x.example\",\"recipient\":\"ann@there.example\","
         "\"response\":{\"code\":550,\"content\":\"no\"},\"timestamp\":1795950000}",
         "result -3600 0 - - r1.a.b.c@x.example - ann@there.example/- failed - -: 550 no report"},
        {"a reception", "{\"type\":\"Reception\",\"timestamp\":1795950000}",
         "other -3600 0 - - - - /- - - -: -"},
        {"a type of the future", "{\"type\":\"Pondering\",\"timestamp\":1795950000}",
         "other -3600 0 - - - - /- - - -: -"},
        {"a line cut off", "{\"type\":\"Deliv", "!no JSON"},
        {"another object", "{\"level\":\"info\"}", "!no log record (an object with \"type\")"},
        {"a list", "[1]", "!no log record (an object with \"type\")"},
        {"no time", "{\"type\":\"Delivery\"}", "!no \"timestamp\""},
        {"a time that is none", "{\"type\":\"Delivery\",\"timestamp\":1e300}", "!no \"timestamp\""},
        {"no sender", "{\"type\":\"Bounce\",\"timestamp\":1,\"recipient\":\"a@b.example\"}",
         "!no \"sender\""},
        {"no recipient", "{\"type\":\"Bounce\",\"timestamp\":1,\"sender\":\"a@b.example\"}",
         "!no \"recipient\""},
    };

    (void)state;
    check_all(MTA_LOG_KUMOMTA, samples, ROWS(samples));
}

static void powermta_lines_are_read(void **state)
{
    static const struct sample samples[] = {
        {"a record before the header line", "d,2026-11-29 11:00:00+0000,a@x.example",
         "!no header line (type,timeLogged,...) before it"},
        {"the header line",
         "type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,"
         "srcType,vmta,jobId,envId,header_Message-Id",
         "other -1795953600 0 - - - - /- - - -: -"},
        {"delivered",
         "d,2026-11-29 12:00:00+0100,2026-11-29 "
         "11:59:50+0100,r1.a.b.c@x.example,ann@there.example,,"
         "relayed,2.0.0 (success),smtp;250 2.0.0 OK,mx.there.example "
         "(192.0.2.1),,smtp,v1,spring,e1,"
         "<1@x.example>",
         "result -3600 -3610 - - r1.a.b.c@x.example 1@x.example ann@there.example/- delivered "
         "2.0.0 "
         "mx.there.example: 250 2.0.0 OK"},
        {"bounced, with a quoted field and an original recipient",
         "b,1795950000,1795949990,a@x.example,box7@there.example,rfc822;ann@alias.example,failed,"
         "5.1.1 (bad destination mailbox address),\"smtp;550 5.1.1 \"\"box7\"\", unknown\","
         "mx.there.example (192.0.2.1),bad-mailbox,smtp,v1,spring,,",
         "result -3600 -3610 - - a@x.example  ann@alias.example/box7@there.example failed 5.1.1 "
         "mx.there.example: 550 5.1.1 \"box7\", unknown"},
        {"a passing failure, fields at the end left out",
         "t,2026-11-29 11:00:00,2026-11-29 10:59:50,a@x.example,b@c.example,,delayed,4.2.2,"
         "smtp;452 4.2.2 full",
         "result -3600 -3610 - - a@x.example - b@c.example/- delayed 4.2.2 -: 452 4.2.2 full"},
        {"a reception", "r,2026-11-29 11:00:00,,a@x.example,b@c.example",
         "other -3600 0 - - - - /- - - -: -"},
        {"a line cut off", "d,1795950000,1795949990,a@x.example", "!no orig or no rcpt"},
        {"a line cut off before the sender", "d,1795950000", "!no orig or no rcpt"},
        {"no time", "d,soon,,a@x.example,b@c.example", "!timeLogged is no time"},
        {"a quote that does not end", "d,\"2026-11-29", "!a quoted field without its end"},
        {"text behind a quote", "d,\"1\"x,2", "!text behind a quoted field"},
        {"too many fields", "d,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6",
         "!more fields than the header line has columns"},
        {"another header line in the middle",
         "type,timeLogged,orig,rcpt,feedbackType,header_Return-Path",
         "other -1795953600 0 - - - - /- - - -: -"},
        {"a complaint",
         "f,1795950000,fbl@there.example,ann@there.example,abuse,<r1.a.b.c@x.example>",
         "result -3600 0 - - r1.a.b.c@x.example - ann@there.example/- - - -: - complaint report"},
        {"a report by mail, which the server explains",
         "rb,1795950000,r1.a.b.c@x.example,ann@there.example,,",
         "result -3600 0 - - r1.a.b.c@x.example - ann@there.example/- failed - -: - report"},
        {"a header line without a sender", "type,timeLogged,rcpt",
         "!a header line without timeLogged, orig or rcpt"},
        {"and then there is none", "d,1795950000,a@x.example,b@c.example",
         "!no header line (type,timeLogged,...) before it"},
    };

    (void)state;
    check_all(MTA_LOG_POWERMTA, samples, ROWS(samples));
}

static void local_times_are_asked_of_the_clock(void **state)
{
    struct dsnd_str text = DSND_STR("2026-11-29 11:00:00 rest");
    int64_t us = 0;

    (void)state;
    assert_true(mta_time_iso(&clock_utc, &text, &us));
    assert_int_equal(us, NOW - INT64_C(3600000000));
    assert_str(text, "rest");
    text = DSND_STR("2026-13-29 11:00:00");
    assert_false(mta_time_iso(&clock_utc, &text, &us));
    assert_str(text, "2026-13-29 11:00:00");
}

/* The year is not written: it is the one that puts the line at most a day ahead. */
static void the_year_of_syslog_is_found(void **state)
{
    static const struct {
        const char *text;
        int64_t days; /* after 2026-11-29 */
    } rows[] = {
        {"Nov 29 12:00:00 x", 0},    {"Nov 30 11:59:59 x", 1},    {"Nov 30 12:00:01 x", -364},
        {"Jan  1 12:00:00 x", -332}, {"Dec 31 12:00:00 x", -333},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct dsnd_str text = dsnd_str_of(rows[i].text);
        int64_t us = 0;
        int64_t off;

        assert_true(mta_time_syslog(&clock_utc, &text, &us));
        off = us - NOW - rows[i].days * INT64_C(86400000000);
        assert_in_range(off + 1000000, 0, 2000000);
    }
}

/* Linear: a line of many octets of each dangerous kind ends within the time of the test. */
static void long_lines_take_linear_time(void **state)
{
    static const struct {
        enum mta_log_format format;
        const char *front;
        const char *again;
    } rows[] = {
        {MTA_LOG_POSTFIX, POSTFIX "smtp[9]: 4A1B2C3D4E: to=<a@b.example>, ", "x=y, "},
        {MTA_LOG_POSTFIX, POSTFIX "smtp[9]: 4A1B2C3D4E: to=<", "\"\\"},
        {MTA_LOG_EXIM, EXIM "** a@b.example ", "H=:x "},
        {MTA_LOG_EXIM, EXIM "== a@b.example ", "\" :"},
        {MTA_LOG_KUMOMTA, "", "["},
        {MTA_LOG_KUMOMTA, "{\"type\":\"Bounce\",\"timestamp\":1,\"recipient\":[", "\"a\","},
        {MTA_LOG_POWERMTA, "type,timeLogged,orig,rcpt", ","},
        {MTA_LOG_POWERMTA, "type,", "\"\"\"\","},
    };
    static char line[LONG_LINE];

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_OCTETS * 64);
        size_t again = strlen(rows[i].again);
        size_t len = strlen(rows[i].front);
        struct mta_log log;
        struct mta_event event;
        const char *why = "";

        memcpy(line, rows[i].front, len);
        for (; len + again <= sizeof(line); len += again)
            memcpy(line + len, rows[i].again, again);
        mta_log_init(&log, rows[i].format, &clock_utc);
        assert_int_not_equal(mta_log_read(&log, dsnd_str_make(line, len), &arena, &event, &why),
                             DSND_ERR_NOMEM);
        dsnd_arena_done(&arena);
    }
}

static void names_of_formats(void **state)
{
    enum mta_log_format format = MTA_LOG_FORMATS;

    (void)state;
    assert_int_equal(mta_log_format_of(DSND_STR("exim"), &format), DSND_OK);
    assert_int_equal(format, MTA_LOG_EXIM);
    assert_string_equal(mta_log_format_name(MTA_LOG_POWERMTA), "powermta");
    assert_int_equal(mta_log_format_of(DSND_STR("sendmail"), &format), DSND_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postfix_lines_are_read),
        cmocka_unit_test(exim_lines_are_read),
        cmocka_unit_test(kumomta_lines_are_read),
        cmocka_unit_test(powermta_lines_are_read),
        cmocka_unit_test(local_times_are_asked_of_the_clock),
        cmocka_unit_test(the_year_of_syslog_is_found),
        cmocka_unit_test(long_lines_take_linear_time),
        cmocka_unit_test(names_of_formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
