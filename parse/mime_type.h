/*
 * The little of Content-Type (RFC 2045 section 5.1) that the scan before the MIME parser needs.
 * Pure, any thread, linear.
 */
#ifndef DSND_PARSE_MIME_TYPE_H
#define DSND_PARSE_MIME_TYPE_H

#include "base/str.h"

/* Stands for "message/" in what the scan shows of a returned message; as long as that. */
#define MIME_TYPE_SHOWN "x-shown/"

/* What becomes of a body. */
enum mime_type_body {
    MIME_TYPE_TEXT,      /* shown */
    MIME_TYPE_MULTIPART, /* shown, its parts are scanned */
    MIME_TYPE_MESSAGE,   /* a returned message: its headers are shown */
    MIME_TYPE_HEADERS,   /* text/rfc822-headers: the same */
    MIME_TYPE_OPAQUE,    /* left out */
};

/* By the value of Content-Type; absent counts as text. */
enum mime_type_body mime_type_body(struct dsnd_str value);

/*
 * Cut the type or one parameter off the front of the value: up to a ';' that stands in no quotes.
 * Behind the last the value is absent.
 */
struct dsnd_str mime_type_cut(struct dsnd_str *value);

/* A parameter's value without quotes, borrowed; absent if it is not there. */
struct dsnd_str mime_type_parameter(struct dsnd_str value, struct dsnd_str name);

#endif
