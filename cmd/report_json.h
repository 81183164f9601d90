/*
 * A report as JSON: what `dsnd parse` prints a line of for each message.
 */
#ifndef DSND_CMD_REPORT_JSON_H
#define DSND_CMD_REPORT_JSON_H

#include "api/json_out.h"
#include "parse/report.h"

/* What of the output is not in the report. */
struct report_json_extra {
    struct dsnd_str file;        /* where the message came from */
    struct dsnd_str raw_headers; /* printed where present */
};

/*
 * One object. `campaign` is what a return path of ours in the returned message names, unproved,
 * else the first campaign header there; signatures are a matter of keys, see `dsnd verify`.
 */
void report_json_write(struct json_out *json, const struct report *report,
                       const struct report_json_extra *extra);

#endif
