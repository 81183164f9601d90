#include "api/json_out.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void json_out_init(struct json_out *self, struct dsnd_buf *buf)
{
    self->buf = buf;
    self->err = DSND_OK;
    self->comma = false;
}

static void add(struct json_out *self, struct dsnd_str text)
{
    if (!self->err)
        self->err = dsnd_buf_add(self->buf, text);
}

static void separate(struct json_out *self)
{
    if (self->comma)
        add(self, DSND_STR(","));
    self->comma = true;
}

static void open_with(struct json_out *self, struct dsnd_str bracket)
{
    separate(self);
    add(self, bracket);
    self->comma = false;
}

static void close_with(struct json_out *self, struct dsnd_str bracket)
{
    add(self, bracket);
    self->comma = true;
}

void json_out_object(struct json_out *self)
{
    open_with(self, DSND_STR("{"));
}

void json_out_object_end(struct json_out *self)
{
    close_with(self, DSND_STR("}"));
}

void json_out_array(struct json_out *self)
{
    open_with(self, DSND_STR("["));
}

void json_out_array_end(struct json_out *self)
{
    close_with(self, DSND_STR("]"));
}

/* Octets at the front of `s` that need no escape. */
static size_t plain_run(struct dsnd_str s)
{
    size_t len = 0;

    while (len < s.len) {
        unsigned char c = (unsigned char)s.ptr[len];
        size_t octets = 1;

        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f || c == '<')
            break;
        if (c >= 0x80)
            octets = utf8_next(dsnd_str_slice(s, len, s.len), NULL);
        if (octets == 0)
            break;
        len += octets;
    }
    return len;
}

static void add_escape(struct json_out *self, unsigned char c)
{
    char text[8];

    if (c >= 0x80) {
        add(self, DSND_STR("\xEF\xBF\xBD"));
        return;
    }
    if (c == '"' || c == '\\') {
        text[0] = '\\';
        text[1] = (char)c;
        add(self, dsnd_str_make(text, 2));
        return;
    }
    (void)snprintf(text, sizeof(text), "\\u%04x", c);
    add(self, dsnd_str_make(text, 6));
}

/* Most strings need no escape: room is asked for once. `after`: ':' behind a name, else NUL. */
static void quoted_plain(struct json_out *self, struct dsnd_str s, char after)
{
    char *at;

    if (!self->err)
        self->err = dsnd_buf_reserve(self->buf, s.len + 4);
    if (self->err)
        return;
    at = self->buf->ptr + self->buf->len;
    if (self->comma)
        *at++ = ',';
    *at++ = '"';
    if (s.len)
        memcpy(at, s.ptr, s.len);
    at += s.len;
    *at++ = '"';
    if (after)
        *at++ = after;
    self->buf->len = (size_t)(at - self->buf->ptr);
    self->comma = !after;
}

static void quoted(struct json_out *self, struct dsnd_str s)
{
    if (plain_run(s) == s.len) {
        quoted_plain(self, s, '\0');
        return;
    }
    separate(self);
    add(self, DSND_STR("\""));
    while (s.len > 0 && !self->err) {
        size_t run = plain_run(s);

        add(self, dsnd_str_slice(s, 0, run));
        s = dsnd_str_slice(s, run, s.len);
        if (s.len > 0) {
            add_escape(self, (unsigned char)s.ptr[0]);
            s = dsnd_str_slice(s, 1, s.len);
        }
    }
    add(self, DSND_STR("\""));
}

void json_out_name_str(struct json_out *self, struct dsnd_str name)
{
    quoted(self, name);
    add(self, DSND_STR(":"));
    self->comma = false;
}

void json_out_name(struct json_out *self, const char *name)
{
    quoted_plain(self, dsnd_str_of(name), ':');
}

void json_out_str(struct json_out *self, struct dsnd_str value)
{
    if (!dsnd_str_present(value)) {
        json_out_null(self);
        return;
    }
    quoted(self, value);
}

void json_out_int(struct json_out *self, int64_t value)
{
    char text[24];
    char *at = text + sizeof(text);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    separate(self);
    add(self, dsnd_str_make(at, (size_t)(text + sizeof(text) - at)));
}

void json_out_bool(struct json_out *self, bool value)
{
    json_out_raw(self, value ? DSND_STR("true") : DSND_STR("false"));
}

void json_out_null(struct json_out *self)
{
    separate(self);
    add(self, DSND_STR("null"));
}

void json_out_fraction(struct json_out *self, double value)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%.10f", value);

    while (len > 1 && text[len - 1] == '0')
        len--;
    if (len > 1 && text[len - 1] == '.')
        len--;
    json_out_raw(self, dsnd_str_make(text, (size_t)len));
}

void json_out_raw(struct json_out *self, struct dsnd_str value)
{
    if (!dsnd_str_present(value)) {
        json_out_null(self);
        return;
    }
    separate(self);
    add(self, value);
}
