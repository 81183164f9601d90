/*
 * The structure of a message: what the MIME parser makes of it, as plain data in an arena. Two
 * steps: mime_scan.h limits and shortens the octets, mime_read hands them to GMime.
 */
#ifndef DSND_PARSE_MIME_H
#define DSND_PARSE_MIME_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/fields.h"

/* What a part is to a reader of reports. */
enum mime_role {
    MIME_ROLE_OTHER,       /* nothing that is read */
    MIME_ROLE_TEXT,        /* prose for people */
    MIME_ROLE_HTML,        /* the same as HTML */
    MIME_ROLE_STATUS,      /* message/delivery-status, message/global-delivery-status */
    MIME_ROLE_FEEDBACK,    /* message/feedback-report (RFC 5965) */
    MIME_ROLE_DISPOSITION, /* message/disposition-notification (RFC 8098) */
    MIME_ROLE_RETURNED,    /* a returned message or its headers */
    MIME_ROLE_MULTIPART,
};

struct mime_part {
    enum mime_role role;
    unsigned depth;        /* 0: the message's own body */
    struct dsnd_str type;  /* "text/plain", lower case */
    struct dsnd_str text;  /* TEXT, HTML, STATUS, FEEDBACK, DISPOSITION: UTF-8, LF line ends */
    struct field *headers; /* RETURNED: of the returned message; raw, see mime_decode */
    size_t header_count;
};

struct mime_message {
    struct field *headers; /* raw values, may be folded */
    size_t header_count;
    struct dsnd_str type;        /* of the whole: "multipart/report" */
    struct dsnd_str report_type; /* its report-type parameter */
    struct mime_part *parts;     /* depth first; a multipart before its parts */
    size_t part_count;
    bool charset_defect; /* octets that fit no charset were replaced */
};

/*
 * The first header of that name, as found; absent if there is none. The name must be one of those
 * that mime_name_is_read.
 */
struct dsnd_str mime_header(const struct field *headers, size_t count, struct dsnd_str name);
/* The same by a name that was `wanted` of the scan. */
struct dsnd_str mime_header_wanted(const struct field *headers, size_t count, struct dsnd_str name);

struct mime_reader; /* GMime's state for one thread */

DSND_MUST_CHECK
enum dsnd_err mime_reader_new(struct mime_reader **ret_reader);
void mime_reader_free(struct mime_reader *self);

/*
 * Parse `shown`, which must come from mime_scan_run, with LF line ends. DSND_ERR_NOMEM: the arena's
 * cap.
 */
DSND_MUST_CHECK
enum dsnd_err mime_read(struct mime_reader *self, struct dsnd_str shown, struct dsnd_arena *arena,
                        struct mime_message *ret_message);

/* A header's value with encoded words (RFC 2047) decoded, unfolded, UTF-8. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err mime_decode(struct dsnd_arena *arena, struct dsnd_str raw, struct dsnd_str *ret_text);

#endif
