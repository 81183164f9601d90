/*
 * What a line of a mail server's own log tells of a message: Postfix (syslog), Exim (main log),
 * KumoMTA (JSON lines), PowerMTA (accounting file, CSV). Pure, one thread a log, linear in the
 * line. Views of an event borrow from the line or live in the arena of the call.
 *
 * Postfix and Exim name the sender of a message on one line and what became of it on others, under
 * its queue id; the other two say all of it on each line.
 */
#ifndef DSND_PARSE_MTA_LOG_H
#define DSND_PARSE_MTA_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/mta_time.h"
#include "parse/report.h"

enum mta_log_format {
    MTA_LOG_POSTFIX,
    MTA_LOG_EXIM,
    MTA_LOG_KUMOMTA,
    MTA_LOG_POWERMTA,
    MTA_LOG_FORMATS,
};

enum mta_event_kind {
    MTA_EVENT_OTHER,   /* a line of the format that tells of no delivery */
    MTA_EVENT_MESSAGE, /* sender or Message-ID of the message with this queue id */
    MTA_EVENT_RESULT,  /* what became of a recipient: `action`, or `feedback` */
    MTA_EVENT_EXPIRED, /* the message is given up; whoever still waited has failed */
    MTA_EVENT_REMOVED, /* nothing more will be told of this queue id */
};

enum {
    MTA_LOG_COLUMNS_MAX = 128,   /* of a CSV file */
    MTA_LOG_RECIPIENTS_MAX = 64, /* of one line; more are not listed */
};

/* Absent views are what the line does not say. */
struct mta_event {
    enum mta_event_kind kind;
    int64_t at_us;            /* when the line was written */
    int64_t queued_us;        /* when the message came to the server; 0: not said */
    struct dsnd_str host;     /* whose log it is */
    struct dsnd_str queue_id; /* absent where the line names sender and recipient itself */
    struct dsnd_str sender;   /* of the envelope; empty for <> */
    struct dsnd_str message_id;
    struct dsnd_str envelope_id;
    struct dsnd_str *recipients; /* the addresses the sender used */
    size_t recipient_count;
    struct dsnd_str final_recipient; /* of the only recipient, where it is another */
    enum report_action action;
    enum report_feedback feedback; /* a complaint (RFC 5965) */
    /* Told by a report that came by mail: anybody may have written it, sender, recipient and time.
     */
    bool is_report;
    struct report_status status;
    struct dsnd_str remote_mta;
    struct dsnd_str diagnostic; /* what the remote said, or the server's own words */
};

struct mta_log {
    enum mta_log_format format;
    struct mta_clock clock;
    /* Slots of the columns of a CSV file, as its header line says; see mta_powermta.c. */
    signed char columns[MTA_LOG_COLUMNS_MAX];
    size_t column_count; /* 0: no header line yet */
};

void mta_log_init(struct mta_log *self, enum mta_log_format format, const struct mta_clock *clock);

/* The format of a name ("postfix"); DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err mta_log_format_of(struct dsnd_str name, enum mta_log_format *ret_format);
const char *mta_log_format_name(enum mta_log_format format);

/*
 * Read one line, without its line end. DSND_ERR_SYNTAX: it is no line of the format; `*ret_why`,
 * static, says what is wrong. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err mta_log_read(struct mta_log *self, struct dsnd_str line, struct dsnd_arena *arena,
                           struct mta_event *ret_event, const char **ret_why);

#endif
