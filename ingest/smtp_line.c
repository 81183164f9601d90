#include "ingest/smtp_line.h"

#include <stdint.h>

void smtp_line_clear(struct smtp_line *self)
{
    self->len = 0;
    self->cr = false;
    self->too_long = false;
    self->bare = false;
    self->returned = false;
}

bool smtp_line_empty(const struct smtp_line *self)
{
    return self->returned || (self->len == 0 && !self->too_long && !self->bare && !self->cr);
}

static void keep(struct smtp_line *self, struct dsnd_str part)
{
    size_t room = sizeof(self->octets) - self->len;

    if (part.len > room) {
        self->too_long = true;
        part.len = room;
    }
    if (part.len)
        memcpy(self->octets + self->len, part.ptr, part.len);
    self->len += part.len;
}

/* `part` has no LF. A CR in it is bare unless it is the last octet and LF follows. */
static void scan_cr(struct smtp_line *self, struct dsnd_str part)
{
    size_t at;

    if (!part.len)
        return;
    if (self->cr)
        self->bare = true;
    at = dsnd_str_chr(part, '\r');
    if (at != SIZE_MAX && at + 1 < part.len)
        self->bare = true;
    self->cr = part.ptr[part.len - 1] == '\r';
}

/* A record of type handshake, version 3.x (RFC 8446 section 5.1): no command begins like that. */
static bool is_tls(const struct smtp_line *self)
{
    return dsnd_str_starts(dsnd_str_make(self->octets, self->len), DSND_STR("\x16\x03"));
}

static enum smtp_line_status end_line(struct smtp_line *self, struct dsnd_str *ret_line)
{
    if (self->bare || self->too_long) {
        enum smtp_line_status status = self->bare ? SMTP_LINE_BARE : SMTP_LINE_TOO_LONG;

        *ret_line = dsnd_str_make(self->octets, self->len); /* of what is too long, the start */
        smtp_line_clear(self);
        return status;
    }
    *ret_line = dsnd_str_make(self->octets, self->len - 2);
    self->returned = true;
    return SMTP_LINE_READY;
}

enum smtp_line_status smtp_line_feed(struct smtp_line *self, struct dsnd_str *in,
                                     struct dsnd_str *ret_line)
{
    if (self->returned)
        smtp_line_clear(self);
    while (in->len) {
        size_t lf = dsnd_str_chr(*in, '\n');
        size_t until = lf == SIZE_MAX ? in->len : lf;
        bool ended;

        scan_cr(self, dsnd_str_slice(*in, 0, until));
        keep(self, dsnd_str_slice(*in, 0, until + 1));
        *in = dsnd_str_slice(*in, until + 1, in->len);
        if (is_tls(self))
            return SMTP_LINE_TLS;
        if (lf == SIZE_MAX)
            return SMTP_LINE_MORE;
        ended = self->cr;
        self->cr = false;
        if (ended)
            return end_line(self, ret_line);
        self->bare = true; /* LF without CR: go on to the real end */
    }
    return SMTP_LINE_MORE;
}
