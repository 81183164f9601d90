/*
 * Codes in text: enhanced status codes (RFC 3463) and SMTP reply codes (RFC 5321 section 4.2).
 * Codes are read, never derived. Pure functions, any thread, linear time.
 */
#ifndef DSND_PARSE_STATUS_CODE_H
#define DSND_PARSE_STATUS_CODE_H

#include <stdbool.h>

#include "base/str.h"
#include "parse/report.h"

/*
 * The value of a Status field: "5.1.1", also with a comment, a '#' or text around it. False (and
 * `*ret_status` unchanged) where no code of class 2, 4 or 5 is there.
 */
bool status_code_read(struct dsnd_str text, struct report_status *ret_status);

/* What a remote server answered, as far as `text` repeats it. */
struct status_reply {
    uint16_t code;               /* SMTP reply code; 0 absent */
    struct report_status status; /* klass 0: absent */
};

/*
 * The last word of the remote: the first reply code of class 4 or 5 in `text` that stands where a
 * reply stands, with the enhanced status code that follows it ("550-5.1.1", "550 #5.1.1"), or the
 * first enhanced status code of the text.
 */
struct status_reply status_reply_find(struct dsnd_str text);

#endif
