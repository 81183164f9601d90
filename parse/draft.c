#include "parse/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "parse/fields.h"

enum { NOTE_OCTETS = 400 };

void draft_init(struct draft *self, const struct parse_limits *limits, struct dsnd_arena *arena,
                struct report *report, struct dsnd_buf *trace)
{
    memset(report, 0, sizeof(*report));
    *self = (struct draft){.limits = limits, .arena = arena, .report = report, .trace = trace};
}

void draft_warn(struct draft *self, enum report_warning warning)
{
    self->report->warnings |= (uint32_t)warning;
}

void *draft_alloc(struct draft *self, size_t count, size_t size)
{
    void *memory = self->err ? NULL : dsnd_arena_array(self->arena, count, size);

    if (!memory && !self->err)
        self->err = DSND_ERR_NOMEM;
    return memory;
}

static bool grow(struct draft *self)
{
    struct report *report = self->report;
    size_t capacity = self->capacity ? self->capacity * 2 : 2;
    struct report_recipient *more = draft_alloc(self, capacity, sizeof(*more));

    if (!more)
        return false;
    if (report->recipient_count)
        memcpy(more, report->recipients, report->recipient_count * sizeof(*more));
    report->recipients = more;
    self->capacity = capacity;
    return true;
}

struct report_recipient *draft_add(struct draft *self)
{
    struct report *report = self->report;

    if (report->recipient_count >= self->limits->recipients) {
        report->recipients_dropped++;
        draft_warn(self, REPORT_WARNING_TRUNCATED);
        return NULL;
    }
    if (report->recipient_count == self->capacity && !grow(self))
        return NULL;
    return &report->recipients[report->recipient_count++];
}

struct dsnd_str draft_text(struct draft *self, struct dsnd_str s, size_t max)
{
    struct dsnd_str text = DSND_STR_ABSENT;

    if (!s.ptr || self->err)
        return text;
    /* Four octets of folds for one of text is more than any sender needs. */
    if (s.len > 4 * max) {
        s = utf8_cut(s, 4 * max);
        draft_warn(self, REPORT_WARNING_TRUNCATED);
    }
    self->err = fields_unfold(self->arena, s, &text);
    if (self->err)
        return DSND_STR_ABSENT;
    if (text.len > max) {
        draft_warn(self, REPORT_WARNING_TRUNCATED);
        text = utf8_cut(text, max);
    }
    return text;
}

struct dsnd_str draft_join(struct draft *self, struct dsnd_str a, struct dsnd_str b, size_t max)
{
    char *out;

    if (a.len == 0)
        return draft_text(self, b, max);
    if (b.len == 0)
        return draft_text(self, a, max);
    a = draft_text(self, a, max);
    b = draft_text(self, b, max);
    out = draft_alloc(self, a.len + 1 + b.len, 1);
    if (!out || !a.ptr || !b.ptr)
        return DSND_STR_ABSENT;
    memcpy(out, a.ptr, a.len);
    out[a.len] = ' ';
    memcpy(out + a.len + 1, b.ptr, b.len);
    return utf8_cut(dsnd_str_make(out, a.len + 1 + b.len), max);
}

void draft_note(struct draft *self, const char *format, ...)
{
    char line[NOTE_OCTETS];
    va_list args;
    int len;

    if (!self->trace)
        return;
    va_start(args, format);
    len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (len < 0)
        return;
    /* A full trace loses its last lines; the report itself does not depend on it. */
    if (dsnd_buf_add(self->trace, dsnd_str_of(line)) == DSND_OK)
        (void)!dsnd_buf_add_char(self->trace, '\n');
}
