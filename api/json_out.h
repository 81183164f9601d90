/*
 * Write-only JSON (RFC 8259) into a buffer: commas, escapes and nesting are right by construction.
 * The first error sticks and every later call does nothing, so callers check once, at the end.
 * One thread.
 */
#ifndef DSND_API_JSON_OUT_H
#define DSND_API_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct json_out {
    struct dsnd_buf *buf; /* borrowed */
    enum dsnd_err err;    /* the first error, or DSND_OK */
    bool comma;           /* the next value or name needs a comma before it */
};

void json_out_init(struct json_out *self, struct dsnd_buf *buf);

void json_out_object(struct json_out *self); /* { */
void json_out_object_end(struct json_out *self);
void json_out_array(struct json_out *self); /* [ */
void json_out_array_end(struct json_out *self);

/* A member's name; exactly one value must follow. */
void json_out_name(struct json_out *self, const char *name);
void json_out_name_str(struct json_out *self, struct dsnd_str name);

/* Absent becomes null; octets that are no UTF-8 become U+FFFD; NUL becomes \u0000. */
void json_out_str(struct json_out *self, struct dsnd_str value);
void json_out_int(struct json_out *self, int64_t value);
void json_out_bool(struct json_out *self, bool value);
void json_out_null(struct json_out *self);
/* A fraction with at most ten digits behind the point. */
void json_out_fraction(struct json_out *self, double value);
/* JSON text that is known to be one whole value; absent becomes null. */
void json_out_raw(struct json_out *self, struct dsnd_str value);

#endif
