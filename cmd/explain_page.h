/*
 * The page that `dsnd explain` prints of one message. One thread.
 */
#ifndef DSND_CMD_EXPLAIN_PAGE_H
#define DSND_CMD_EXPLAIN_PAGE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/report.h"
#include "parse/return_path.h"
#include "parse/rules.h"

/* Where the page goes, and what decides besides the message. All borrowed. */
struct explain_page {
    struct dsnd_buf *out;
    const struct rule_set *rules;
    const struct return_path_keys *keys; /* none: signatures are not checked */
    int64_t now_us;
    int64_t max_age_us; /* of a return path */
    enum dsnd_err err;  /* the first error; sticks */
};

/*
 * Append the page; control octets become "?". `trace` is what parser_trace collected.
 * DSND_ERR_NOMEM, DSND_ERR_LIMIT: `out` is full.
 */
DSND_MUST_CHECK
enum dsnd_err explain_page_write(struct explain_page *self, struct dsnd_str name,
                                 struct dsnd_str message, const struct report *report,
                                 struct dsnd_str trace);

#endif
