#include "ingest/smtp_dot.h"

#include <assert.h>

/* What one octet does in a state outside of running text. */
struct dot_step {
    enum smtp_dot_state next;
    const char *before; /* content that was held back and is now known to be content */
    bool bare_cr;
    bool bare_lf;
    bool keep; /* the octet itself is content */
};

enum octet_class { OCTET_CR, OCTET_LF, OCTET_DOT, OCTET_OTHER, OCTET_CLASSES };

/* CR is content and handed on at once, except behind a stuffed dot, where it may be the end. */
static const struct dot_step steps[SMTP_DOT_END][OCTET_CLASSES] =
    {
        [SMTP_DOT_LINE_START] =
            {
                [OCTET_CR] = {SMTP_DOT_CR, "", false, false, true},
                [OCTET_LF] = {SMTP_DOT_TEXT, "", false, true, true},
                [OCTET_DOT] = {SMTP_DOT_DOT, "", false, false, false},
                [OCTET_OTHER] = {SMTP_DOT_TEXT, "", false, false, true},
            },
        [SMTP_DOT_TEXT] =
            {
                [OCTET_CR] = {SMTP_DOT_CR, "", false, false, true},
                [OCTET_LF] = {SMTP_DOT_TEXT, "", false, true, true},
                [OCTET_DOT] = {SMTP_DOT_TEXT, "", false, false, true},
                [OCTET_OTHER] = {SMTP_DOT_TEXT, "", false, false, true},
            },
        [SMTP_DOT_CR] =
            {
                [OCTET_CR] = {SMTP_DOT_CR, "", true, false, true},
                [OCTET_LF] = {SMTP_DOT_LINE_START, "", false, false, true},
                [OCTET_DOT] = {SMTP_DOT_TEXT, "", true, false, true},
                [OCTET_OTHER] = {SMTP_DOT_TEXT, "", true, false, true},
            },
        /* The dot itself is dropped in each case: it was stuffed, or the sender forgot to stuff. */
        [SMTP_DOT_DOT] =
            {
                [OCTET_CR] = {SMTP_DOT_DOT_CR, "", false, false, false},
                [OCTET_LF] = {SMTP_DOT_TEXT, "", false, true, true},
                [OCTET_DOT] = {SMTP_DOT_TEXT, "", false, false, true},
                [OCTET_OTHER] = {SMTP_DOT_TEXT, "", false, false, true},
            },
        [SMTP_DOT_DOT_CR] =
            {
                [OCTET_CR] = {SMTP_DOT_CR, "\r", true, false, true},
                [OCTET_LF] = {SMTP_DOT_END, "", false, false, false},
                [OCTET_DOT] = {SMTP_DOT_TEXT, "\r", true, false, true},
                [OCTET_OTHER] = {SMTP_DOT_TEXT, "\r", true, false, true},
            },
};

void smtp_dot_clear(struct smtp_dot *self)
{
    /* The line of the DATA command ended with CR LF, so the content starts at a line. */
    self->state = SMTP_DOT_LINE_START;
    self->bare_cr = false;
    self->bare_lf = false;
}

static enum octet_class classify(char c)
{
    switch (c) {
    case '\r':
        return OCTET_CR;
    case '\n':
        return OCTET_LF;
    case '.':
        return OCTET_DOT;
    default:
        return OCTET_OTHER;
    }
}

/* Octets up to the next CR or LF; all of them are content in SMTP_DOT_TEXT. */
static size_t text_run(struct dsnd_str s)
{
    const char *cr = memchr(s.ptr, '\r', s.len);
    size_t len = cr ? (size_t)(cr - s.ptr) : s.len;
    const char *lf = memchr(s.ptr, '\n', len);

    return lf ? (size_t)(lf - s.ptr) : len;
}

bool smtp_dot_feed(struct smtp_dot *self, struct dsnd_str *in,
                   void (*put)(void *context, struct dsnd_str octets), void *context)
{
    size_t start = 0; /* of content seen but not yet handed on */
    size_t i = 0;

    assert(self->state != SMTP_DOT_END);
    while (i < in->len && self->state != SMTP_DOT_END) {
        const struct dot_step *step;

        if (self->state == SMTP_DOT_TEXT) {
            i += text_run(dsnd_str_make(in->ptr + i, in->len - i));
            if (i == in->len)
                break;
        }
        step = &steps[self->state][classify(in->ptr[i])];
        if (!step->keep || *step->before) {
            if (i > start)
                put(context, dsnd_str_make(in->ptr + start, i - start));
            start = step->keep ? i : i + 1;
        }
        if (*step->before)
            put(context, dsnd_str_of(step->before));
        self->bare_cr |= step->bare_cr;
        self->bare_lf |= step->bare_lf;
        self->state = step->next;
        i++;
    }
    if (i > start)
        put(context, dsnd_str_make(in->ptr + start, i - start));
    *in = dsnd_str_make(in->ptr + i, in->len - i);
    return self->state == SMTP_DOT_END;
}
