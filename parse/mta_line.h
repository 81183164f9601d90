/*
 * What the readers of the log formats share. Private to parse/mta_*.c.
 */
#ifndef DSND_PARSE_MTA_LINE_H
#define DSND_PARSE_MTA_LINE_H

#include <stdbool.h>

#include "parse/mta_log.h"

/* One line on its way to an event. */
struct mta_line {
    struct mta_log *log;
    struct dsnd_arena *arena;
    struct mta_event *event;
    const char *why; /* what is wrong with it */
};

/* Readers: DSND_ERR_SYNTAX with `why`, DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err mta_postfix_read(struct mta_line *self, struct dsnd_str text);
DSND_MUST_CHECK
enum dsnd_err mta_exim_read(struct mta_line *self, struct dsnd_str text);
DSND_MUST_CHECK
enum dsnd_err mta_kumomta_read(struct mta_line *self, struct dsnd_str text);
DSND_MUST_CHECK
enum dsnd_err mta_powermta_read(struct mta_line *self, struct dsnd_str text);

/* Say what is wrong. */
DSND_MUST_CHECK
enum dsnd_err mta_line_bad(struct mta_line *self, const char *why);

/*
 * The syslog prefix: "<22>" or nothing, time, host, and "tag[pid]: ". `*rest` is cut behind it.
 * False where there is none.
 */
bool mta_line_syslog(struct mta_line *self, struct dsnd_str *rest, struct dsnd_str *ret_tag);

/* Offset of the first `c` outside quotes ("..." with '\' escapes), or SIZE_MAX. */
size_t mta_line_find(struct dsnd_str text, char c);

/* "<a@b>" and more at the front of `*rest`: what stands between; absent where there is none. */
struct dsnd_str mta_line_bracketed(struct dsnd_str *rest);

/* Without < and > around all of it. */
struct dsnd_str mta_line_bare(struct dsnd_str text);

/* One more recipient; beyond the limit none. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err mta_line_recipient(struct mta_line *self, struct dsnd_str address);

#endif
