#include "parse/mime_scan.h"

#include <string.h>

#include "parse/mime_boundary.h"
#include "parse/mime_name.h"
#include "parse/mime_type.h"

enum { DEPTH_MAX = 32, PEEK_LINES = 12 };

enum state {
    STATE_HEADERS,  /* of the message or a part */
    STATE_BODY,     /* shown */
    STATE_RETURNED, /* headers of a returned message */
    STATE_SKIP,     /* left out up to the next boundary */
};

/* An open multipart. */
struct level {
    struct dsnd_str declared; /* in the output; absent where there is none */
    struct dsnd_str used;     /* what really stands between the parts; in the message */
    bool seen;                /* a boundary line was there */
};

struct scan {
    const struct parse_limits *limits;
    struct dsnd_str wanted; /* comma-separated names of headers */
    struct dsnd_buf *out;
    struct dsnd_str rest; /* of the message */
    struct mime_scan *result;
    bool is_whole;
    bool is_full; /* no more parts */
    enum state state;
    struct level level[DEPTH_MAX];
    size_t depth; /* open multiparts */
    size_t parts;
    size_t boundary_lines; /* shown that might be one */
    /* Of the current header block. */
    size_t header_octets; /* shown */
    size_t header_lines;  /* shown */
    bool is_begun;        /* a line was read */
    bool is_encoded;   /* the part is base64 or quoted-printable: its lines are no header lines */
    bool has_inner;    /* the end of result->inner was met */
    bool dropping;     /* the current header and its continuation lines are left out */
    bool has_type;     /* a Content-Type was shown */
    bool has_trace;    /* a part with Received or Return-Path: a message without its type */
    size_t type_start; /* in the output: the whole header */
    size_t type_end;
    size_t body_octets; /* shown of the current body */
};

static void put(struct scan *self, struct dsnd_str octets)
{
    struct dsnd_buf *out = self->out;

    /* The room was reserved at the start; what does not fit was cut by put_line. */
    if (out->size - out->len < octets.len)
        return;
    if (octets.len)
        memcpy(out->ptr + out->len, octets.ptr, octets.len);
    out->len += octets.len;
}

/* A line and its LF; cut at the octets that may be shown. */
static void put_line(struct scan *self, struct dsnd_str line)
{
    size_t room = self->out->size - self->out->len;

    if (line.len + 1 > room) {
        self->result->is_cut = true;
        line.len = room ? room - 1 : 0;
    }
    put(self, line);
    put(self, DSND_STR("\n"));
}

static struct dsnd_str peek_line(const struct scan *self)
{
    struct dsnd_str rest = self->rest;

    return dsnd_str_line(&rest);
}

static bool is_field(struct dsnd_str line)
{
    size_t len = 0;

    while (len < line.len && line.ptr[len] > 0x20 && line.ptr[len] < 0x7f && line.ptr[len] != ':')
        len++;
    return len > 0 && len < line.len && line.ptr[len] == ':';
}

static bool is_folded(struct dsnd_str line)
{
    return line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
}

static bool is_encoding(struct dsnd_str line)
{
    static const struct dsnd_str name = DSND_STR_INIT("Content-Transfer-Encoding:");
    struct dsnd_str value = dsnd_str_trim(dsnd_str_slice(line, name.len, line.len));

    return dsnd_str_istarts(line, name) && (dsnd_str_istarts(value, DSND_STR("base64")) ||
                                            dsnd_str_istarts(value, DSND_STR("quoted")));
}

/* In an encoded part what looks like a field is none. */
static bool is_shown(const struct scan *self, struct dsnd_str line)
{
    struct dsnd_str name = dsnd_str_trim(dsnd_str_slice(line, 0, dsnd_str_chr(line, ':')));

    return self->is_whole || (self->state == STATE_RETURNED && self->is_encoded) ||
           mime_name_is_read(name) || mime_name_is_listed(self->wanted, name);
}

static void begin_headers(struct scan *self, enum state state)
{
    self->is_encoded = state == STATE_RETURNED && self->is_encoded;
    self->state = state;
    self->header_octets = 0;
    self->header_lines = 0;
    self->is_begun = false;
    self->dropping = false;
    self->has_type = false;
    self->has_trace = false;
    self->body_octets = 0;
}

/* The value of the Content-Type that was shown; absent if there was none. */
static struct dsnd_str content_type(const struct scan *self)
{
    struct dsnd_str header;

    if (!self->has_type)
        return DSND_STR_ABSENT;
    header = dsnd_str_slice(dsnd_buf_str(self->out), self->type_start, self->type_end);
    (void)dsnd_str_cut(&header, ':');
    return dsnd_str_trim(header);
}

/* "--x" with "Content-..." on the next line, in the first lines of a body: a boundary. */
static struct dsnd_str find_boundary(const struct scan *self)
{
    struct dsnd_str rest = self->rest;

    for (size_t i = 0; i < PEEK_LINES; i++) {
        struct dsnd_str line = dsnd_str_line(&rest);
        struct dsnd_str next = rest;

        if (!line.ptr)
            break;
        if (dsnd_str_starts(line, DSND_STR("--")) && line.len > 4 && line.len < 100 &&
            dsnd_str_istarts(dsnd_str_line(&next), DSND_STR("Content-")))
            return dsnd_str_trim(dsnd_str_slice(line, 2, line.len));
    }
    return DSND_STR_ABSENT;
}

/* Show a Content-Type of our own instead of one that lacks its boundary. */
static void declare_boundary(struct scan *self, struct dsnd_str boundary)
{
    size_t start;

    if (self->has_type)
        self->out->ptr[self->type_start] = '_';
    put(self, DSND_STR("Content-Type: multipart/mixed; boundary=\""));
    start = self->out->len;
    put(self, boundary);
    put(self, DSND_STR("\"\n"));
    self->level[self->depth - 1].declared =
        dsnd_str_slice(dsnd_buf_str(self->out), start, start + boundary.len);
}

static void begin_multipart(struct scan *self, struct dsnd_str type)
{
    struct level *level;

    if (self->depth >= DEPTH_MAX || self->depth >= self->limits->depth) {
        self->result->is_too_complex = true;
        self->state = STATE_SKIP;
        return;
    }
    if (type.len)
        mime_boundary_join(self->out->ptr + (type.ptr - self->out->ptr), type.len);
    level = &self->level[self->depth++];
    *level =
        (struct level){mime_type_parameter(type, DSND_STR("boundary")), DSND_STR_ABSENT, false};
    self->state = STATE_BODY;
    if (level->declared.len == 0) {
        struct dsnd_str found = find_boundary(self);

        self->result->has_no_boundary = true;
        /* A quote or backslash would need escapes that hide the boundary again. */
        if (found.len && dsnd_str_chr(found, '"') == SIZE_MAX &&
            dsnd_str_chr(found, '\\') == SIZE_MAX)
            declare_boundary(self, found);
    }
    level->used = level->declared;
}

/*
 * The MIME parser is shown a returned message, of which only the header is read, as a part of text:
 * making a message of it would be most of its work.
 */
static void show_as_text(struct scan *self, struct dsnd_str type)
{
    size_t at = (size_t)(type.ptr - self->out->ptr);

    if (!self->is_whole && !self->is_encoded)
        memcpy(self->out->ptr + at, MIME_TYPE_SHOWN, sizeof(MIME_TYPE_SHOWN) - 1);
}

/* The header block has ended: what is its body? */
static void end_headers(struct scan *self)
{
    struct dsnd_str type = content_type(self);
    enum mime_type_body body = mime_type_body(type);
    bool is_top = self->depth == 0 && self->parts == 0;
    bool is_untyped_message = self->has_trace && !self->has_type && !is_top;

    self->body_octets = 0;
    if (self->state == STATE_RETURNED) {
        self->state = self->is_whole ? STATE_BODY : STATE_SKIP;
        put_line(self, DSND_STR(""));
        return;
    }
    self->state = STATE_BODY;
    if (is_top && body == MIME_TYPE_TEXT && find_boundary(self).len)
        body = MIME_TYPE_MULTIPART;
    if (body == MIME_TYPE_MULTIPART)
        begin_multipart(self, type);
    else if (!self->is_whole && (body == MIME_TYPE_OPAQUE || is_untyped_message))
        self->state = STATE_SKIP;
    put_line(self, DSND_STR(""));
    if (body == MIME_TYPE_MESSAGE)
        show_as_text(self, type);
    if (body == MIME_TYPE_MESSAGE && !self->result->inner.ptr)
        self->result->inner = self->rest; /* up to the next boundary */
    if (body == MIME_TYPE_MESSAGE || body == MIME_TYPE_HEADERS)
        begin_headers(self, STATE_RETURNED);
}

/*
 * A line of a header block, where it is within the limits; else its field ends here. Folded lines
 * get half of them: behind a list of a thousand recipients other fields are still read.
 */
static void put_header(struct scan *self, struct dsnd_str line)
{
    size_t lines_max = self->limits->header_lines / (is_folded(line) ? 2 : 1);

    if (self->header_lines >= lines_max ||
        line.len >= self->limits->header_octets - self->header_octets) {
        self->dropping = true;
        if (self->state == STATE_RETURNED)
            self->result->is_cut = true;
        else
            self->result->is_too_complex = true;
        return;
    }
    self->header_lines++;
    self->header_octets += line.len + 1;
    put_line(self, line);
}

static void show_header(struct scan *self, struct dsnd_str line)
{
    size_t start = self->out->len;
    bool is_type = dsnd_str_istarts(line, DSND_STR("Content-Type:"));

    if (dsnd_str_istarts(line, DSND_STR("Received:")) ||
        dsnd_str_istarts(line, DSND_STR("Return-Path:")))
        self->has_trace = true;
    if (self->state == STATE_HEADERS && is_encoding(line))
        self->is_encoded = true;
    self->dropping = (is_type && self->has_type) || !is_shown(self, line);
    if (self->dropping)
        return;
    put_header(self, line);
    if (is_type && self->out->len > start) {
        self->has_type = true;
        self->type_start = start;
        self->type_end = self->out->len;
    }
}

static void show_continuation(struct scan *self, struct dsnd_str line)
{
    bool of_type = self->has_type && self->type_end == self->out->len;

    if (self->dropping)
        return;
    put_header(self, line);
    if (of_type)
        self->type_end = self->out->len;
}

/* A line of a header block that is neither field nor fold. */
static void take_bad_header(struct scan *self, struct dsnd_str line, bool is_first)
{
    struct dsnd_str next = peek_line(self);

    if (is_first &&
        (dsnd_str_starts(line, DSND_STR("From ")) || dsnd_str_starts(line, DSND_STR(">From "))))
        return; /* an mbox mark */
    if ((!is_first || self->depth == 0) && (is_field(next) || is_folded(next)))
        return; /* one bad line among good ones */
    end_headers(self);
    if (self->state == STATE_BODY)
        put_line(self, line);
}

/* The fields of a report right behind the header of their part: the blank line is missing. */
static bool begins_report(const struct scan *self, struct dsnd_str line)
{
    static const struct dsnd_str first[] = {
        DSND_STR_INIT("Reporting-MTA:"),   DSND_STR_INIT("Original-Envelope-Id:"),
        DSND_STR_INIT("Final-Recipient:"), DSND_STR_INIT("Original-Recipient:"),
        DSND_STR_INIT("Feedback-Type:"),   DSND_STR_INIT("Reporting-UA:"),
    };
    struct dsnd_str type = content_type(self);

    if (self->state != STATE_HEADERS || mime_type_body(type) != MIME_TYPE_TEXT ||
        !dsnd_str_istarts(type, DSND_STR("message/")))
        return false;
    for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
        if (dsnd_str_istarts(line, first[i]))
            return true;
    return false;
}

/* What the parser has to compare with the boundaries of all open multiparts is limited. */
static bool is_beyond_boundaries(struct scan *self, struct dsnd_str line)
{
    return self->depth && dsnd_str_starts(line, DSND_STR("--")) &&
           ++self->boundary_lines > self->limits->boundary_lines;
}

static void take_body(struct scan *self, struct dsnd_str line)
{
    size_t room = MIME_SCAN_PART_OCTETS - self->body_octets;

    if (is_beyond_boundaries(self, line)) {
        self->result->is_too_complex = true;
        self->state = STATE_SKIP;
        return;
    }
    if (self->is_whole)
        room = SIZE_MAX;
    if (line.len + 1 > room) {
        self->result->is_cut = true;
        self->state = STATE_SKIP;
        line.len = room ? room - 1 : 0;
    }
    self->body_octets += line.len + 1;
    put_line(self, line);
}

static void take_header(struct scan *self, struct dsnd_str line)
{
    struct dsnd_str next;
    bool is_first = !self->is_begun;

    self->is_begun = true;
    if (line.len == 0) {
        end_headers(self);
    } else if (is_folded(line)) {
        next = peek_line(self);
        if (dsnd_str_trim(line).len)
            show_continuation(self, line);
        else if (!is_field(next) && !is_folded(next))
            end_headers(self);
    } else if (begins_report(self, line)) {
        end_headers(self);
        take_body(self, line);
    } else if (is_field(line)) {
        show_header(self, line);
    } else {
        take_bad_header(self, line, is_first);
    }
}

/* 0: `line` is no boundary line of `boundary`; 1: it opens a part; 2: it closes the multipart. */
static int boundary_match(struct dsnd_str line, struct dsnd_str boundary)
{
    struct dsnd_str rest;

    if (!boundary.len || line.len < boundary.len + 2 ||
        memcmp(line.ptr + 2, boundary.ptr, boundary.len) != 0)
        return 0;
    rest = dsnd_str_trim(dsnd_str_slice(line, 2 + boundary.len, line.len));
    if (rest.len == 0)
        return 1;
    return dsnd_str_eq(rest, DSND_STR("--")) ? 2 : 0;
}

/*
 * In a body whose declared boundary has not been seen, a line "--x" before "Content-..." is taken
 * for what separates the parts, and shown as the declared one.
 */
static void adopt_boundary(struct scan *self, struct dsnd_str line)
{
    struct level *level = &self->level[self->depth - 1];

    if (level->seen || !level->declared.len || line.len < 5 || line.len > 100)
        return;
    if (boundary_match(line, level->declared) == 0 &&
        dsnd_str_istarts(peek_line(self), DSND_STR("Content-"))) {
        level->used = dsnd_str_trim(dsnd_str_slice(line, 2, line.len));
        self->result->has_no_boundary = true;
    }
}

/* The boundary line `line` ends what was returned. */
static void end_inner(struct scan *self, struct dsnd_str line)
{
    struct dsnd_str *inner = &self->result->inner;

    if (inner->ptr && !self->has_inner)
        inner->len = (size_t)(line.ptr - inner->ptr);
    self->has_inner = inner->ptr != NULL;
}

static void show_boundary(struct scan *self, const struct level *level, bool closes)
{
    put(self, DSND_STR("--"));
    put(self, level->declared);
    put_line(self, closes ? DSND_STR("--") : DSND_STR(""));
}

/* A line that begins with "--" inside a multipart; true when it was a boundary. */
static bool take_boundary(struct scan *self, struct dsnd_str line)
{
    adopt_boundary(self, line);
    for (size_t i = self->depth; i-- > 0;) {
        struct level *level = &self->level[i];
        int match = boundary_match(line, level->used);

        if (!match && level->used.ptr != level->declared.ptr)
            match = boundary_match(line, level->declared);
        if (!match)
            continue;
        if (self->state == STATE_HEADERS || self->state == STATE_RETURNED)
            put_line(self, DSND_STR("")); /* the block that the boundary cuts off */
        end_inner(self, line);
        level->seen = true;
        self->depth = match == 2 ? i : i + 1;
        show_boundary(self, level, match == 2);
        if (match == 2) {
            self->state = self->is_whole ? STATE_BODY : STATE_SKIP;
            return true;
        }
        begin_headers(self, STATE_HEADERS);
        self->is_full = ++self->parts > self->limits->parts;
        return true;
    }
    return false;
}

static void take_line(struct scan *self, struct dsnd_str line)
{
    if (self->depth && dsnd_str_starts(line, DSND_STR("--")) && take_boundary(self, line))
        return;
    switch (self->state) {
    case STATE_HEADERS:
    case STATE_RETURNED:
        take_header(self, line);
        break;
    case STATE_BODY:
        take_body(self, line);
        break;
    case STATE_SKIP:
        break;
    }
}

/* Blank lines before the first header are no end of the headers: some relays leave them there. */
static struct dsnd_str without_blank_lines(struct dsnd_str message)
{
    struct dsnd_str rest = message;

    while (rest.len) {
        struct dsnd_str line = dsnd_str_line(&rest);

        if (dsnd_str_trim(line).len)
            return message;
        message = rest;
    }
    return message;
}

enum dsnd_err mime_scan_run(const struct parse_limits *limits, struct dsnd_str wanted,
                            struct dsnd_str message, bool is_whole, struct dsnd_buf *out,
                            struct mime_scan *ret_scan)
{
    struct scan scan = {.limits = limits,
                        .wanted = wanted,
                        .out = out,
                        .rest = without_blank_lines(message),
                        .result = ret_scan,
                        .is_whole = is_whole};
    size_t room = message.len < MIME_SCAN_OCTETS - 4096 ? message.len + 4096 : MIME_SCAN_OCTETS;
    enum dsnd_err err;

    *ret_scan = (struct mime_scan){0};
    dsnd_buf_clear(out);
    err = dsnd_buf_reserve(out, room);
    if (err)
        return err;
    begin_headers(&scan, STATE_HEADERS);
    while (scan.rest.len && !scan.is_full) {
        struct dsnd_str line = dsnd_str_line(&scan.rest);

        take_line(&scan, line);
    }
    if (scan.is_full)
        ret_scan->is_too_complex = true;
    if (scan.depth && !scan.level[0].seen)
        ret_scan->has_no_boundary = true;
    ret_scan->shown = dsnd_buf_str(out);
    return DSND_OK;
}
