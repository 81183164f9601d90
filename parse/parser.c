#include "parse/parse.h"

#include <stdlib.h>

#include "base/buf.h"
#include "parse/address.h"
#include "parse/arf.h"
#include "parse/auto_reply.h"
#include "parse/draft.h"
#include "parse/dsn.h"
#include "parse/dsn_text.h"
#include "parse/mdn.h"
#include "parse/mime.h"
#include "parse/mime_scan.h"
#include "parse/notice.h"
#include "parse/prose.h"
#include "parse/prose_fill.h"
#include "parse/rules.h"
#include "parse/structure.h"

const struct parse_limits parse_limits_default = {
    .header_octets = 256 * 1024,
    .header_lines = 1000,
    .parts = 100,
    .depth = 20,
    .boundary_lines = 2000,
    .recipients = 1000,
    .diagnostic_octets = 4096,
    .address_octets = 1024,
};

struct parser {
    struct parse_limits limits;
    const struct rule_set *rules;
    struct rule_scratch *scratch;
    struct mime_reader *reader;
    struct dsnd_buf shown;
    bool shows_all;
    char *campaign_headers; /* comma-separated */
    struct dsnd_buf *trace; /* borrowed; NULL: no notes are taken */
};

void parser_free(struct parser *self)
{
    if (!self)
        return;
    rule_scratch_free(self->scratch);
    mime_reader_free(self->reader);
    dsnd_buf_done(&self->shown);
    free(self->campaign_headers);
    free(self);
}

static enum dsnd_err copy_names(struct parser *self, struct dsnd_str names)
{
    self->campaign_headers = malloc(names.len + 1);
    return self->campaign_headers ? dsnd_str_copy(names, self->campaign_headers, names.len + 1)
                                  : DSND_ERR_NOMEM;
}

enum dsnd_err parser_new(const struct parse_limits *limits, const struct rule_set *rules,
                         struct dsnd_str campaign_headers, struct parser **ret_parser)
{
    struct parser *self = calloc(1, sizeof(*self));
    enum dsnd_err err;

    if (!self)
        return DSND_ERR_NOMEM;
    self->limits = *limits;
    self->rules = rules;
    self->shown = DSND_BUF_INIT(MIME_SCAN_OCTETS);
    err = copy_names(self, campaign_headers);
    if (!err)
        err = rule_scratch_new(rules, &self->scratch);
    if (!err)
        err = mime_reader_new(&self->reader);
    if (err) {
        parser_free(self);
        return err;
    }
    *ret_parser = self;
    return DSND_OK;
}

void parser_trace(struct parser *self, struct dsnd_buf *trace)
{
    self->trace = trace;
}

void parser_show_all(struct parser *self)
{
    self->shows_all = true;
}

/* What stands between the first "<" and ">", else all of it. */
static struct dsnd_str bracketed(struct dsnd_str s)
{
    size_t open = dsnd_str_chr(s, '<');

    if (open != SIZE_MAX)
        s = dsnd_str_slice(s, open + 1, s.len);
    return dsnd_str_trim(dsnd_str_slice(s, 0, dsnd_str_chr(s, '>')));
}

static struct dsnd_str header_text(struct draft *draft, const struct field *headers, size_t count,
                                   const char *name)
{
    struct dsnd_str raw = mime_header(headers, count, dsnd_str_of(name));
    struct dsnd_str text = DSND_STR_ABSENT;

    if (raw.len && !draft->err)
        draft->err = mime_decode(draft->arena, raw, &text);
    return draft_text(draft, text, draft->limits->diagnostic_octets);
}

static struct dsnd_str header_address(struct draft *draft, const struct field *headers,
                                      size_t count, const char *name)
{
    struct dsnd_str text = header_text(draft, headers, count, name);
    size_t at = 0;

    return address_next(text, &at);
}

static void read_own_headers(struct draft *draft, const struct mime_message *mime)
{
    struct report *report = draft->report;

    report->message_id =
        bracketed(header_text(draft, mime->headers, mime->header_count, "Message-ID"));
    report->subject = header_text(draft, mime->headers, mime->header_count, "Subject");
    report->from = header_address(draft, mime->headers, mime->header_count, "From");
}

/* The configured headers of the returned message. */
static void read_hints(struct draft *draft, const struct mime_part *part, struct dsnd_str names)
{
    struct report_returned *returned = &draft->report->returned;

    while (names.len && returned->hint_count < REPORT_HINT_MAX) {
        struct dsnd_str name = dsnd_str_trim(dsnd_str_cut(&names, ','));
        struct dsnd_str raw = mime_header_wanted(part->headers, part->header_count, name);
        struct report_hint *hint = &returned->hints[returned->hint_count];

        if (!raw.len || draft->err)
            continue;
        draft->err = mime_decode(draft->arena, raw, &hint->value);
        if (!draft->err)
            draft->err = dsnd_arena_copy(draft->arena, name, &hint->name);
        returned->hint_count++;
    }
}

static void read_returned(struct draft *draft, const struct mime_message *mime,
                          struct dsnd_str names)
{
    struct report_returned *returned = &draft->report->returned;

    for (size_t i = 0; i < mime->part_count; i++) {
        const struct mime_part *part = &mime->parts[i];
        struct dsnd_str path;

        if (part->role != MIME_ROLE_RETURNED)
            continue;
        returned->present = true;
        returned->message_id =
            bracketed(header_text(draft, part->headers, part->header_count, "Message-ID"));
        returned->to = header_address(draft, part->headers, part->header_count, "To");
        path = header_text(draft, part->headers, part->header_count, "Return-Path");
        if (!path.len)
            path = header_text(draft, part->headers, part->header_count, "Errors-To");
        returned->return_path = bracketed(path);
        read_hints(draft, part, names);
        return;
    }
}

/* Every delivery-status part; the number of recipients they name. */
static size_t read_status(struct draft *draft, const struct mime_message *mime)
{
    size_t added = 0;

    for (size_t i = 0; i < mime->part_count; i++)
        if (mime->parts[i].role == MIME_ROLE_STATUS)
            added += dsn_read(draft, mime->parts[i].text);
    if (added && !dsnd_str_eq(mime->type, DSND_STR("multipart/report")))
        draft_warn(draft, REPORT_WARNING_STATUS_MISPLACED);
    return added;
}

/*
 * A pipe, a file or a host is where the delivery ended, not whom the sender wrote to. Where it is
 * the only recipient X-Failed-Recipients or the returned message says whom.
 */
static void name_behind_alias(struct draft *draft, const struct mime_message *mime)
{
    struct report *report = draft->report;
    struct report_recipient *only = report->recipients;
    struct dsnd_str named;
    char first;

    if (report->recipient_count != 1 || !only->recipient.len || address_is_mail(only->recipient))
        return;
    named = header_address(draft, mime->headers, mime->header_count, "X-Failed-Recipients");
    if (!address_is_mail(named))
        named = report->returned.to;
    first = only->recipient.ptr[0];
    if (address_is_mail(named) && (first == '|' || first == '/' || first == '@'))
        only->recipient = named;
}

/* Octets of the prose that are looked at where a recipient's own text says nothing. */
enum { FURTHER_OCTETS = 4096 };

static enum dsnd_err classify(struct parser *self, struct draft *draft)
{
    struct report *report = draft->report;
    enum dsnd_err err = draft->err;
    struct dsnd_str further = DSND_STR_ABSENT;

    /* Of several recipients nobody knows which one the prose is about. */
    if (report->recipient_count == 1 && draft->prose.len)
        further = dsnd_str_slice(draft->prose, 0, FURTHER_OCTETS);

    for (size_t i = 0; i < report->recipient_count && !err; i++)
        err = rules_classify(self->rules, self->scratch, report->kind, further, draft->arena,
                             &report->recipients[i]);
    return err;
}

/* In this order, where no part holds delivery-status fields; the first that takes it ends it. */
static const struct {
    bool (*read)(struct draft *draft, const struct mime_message *mime);
    const char *name;
} readers[] = {
    {arf_read, "the reader of feedback reports (RFC 5965)"},
    {mdn_read, "the reader of disposition notifications (RFC 8098)"},
    {notice_read, "the reader of notices"},
    {prose_read, "the reader of reports in prose"},
    {auto_reply_read, "the reader of automatic replies (RFC 3834)"},
};

static void read_report(struct parser *self, struct draft *draft, const struct mime_message *mime)
{
    structure_note(draft, mime);
    read_own_headers(draft, mime);
    read_returned(draft, mime, dsnd_str_of(self->campaign_headers));
    if (mime->charset_defect)
        draft_warn(draft, REPORT_WARNING_CHARSET);
    if (read_status(draft, mime) || dsn_text_read(draft, mime)) {
        draft->report->kind = REPORT_KIND_DSN;
        draft_note(draft, "decided by the reader of delivery-status fields (RFC 3464)");
        prose_fill(draft, mime);
        name_behind_alias(draft, mime);
        auto_reply_mark_challenge(draft->report);
        return;
    }
    for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++)
        if (readers[i].read(draft, mime)) {
            draft_note(draft, "decided by %s", readers[i].name);
            return;
        }
    draft_note(draft, "no reader took it for a report: other");
}

/* Scan, take apart and read; `*ret_inner`: the returned message, if `message` holds one. */
static enum dsnd_err read_message(struct parser *self, struct dsnd_str message, struct draft *draft,
                                  struct dsnd_str *ret_inner)
{
    struct mime_message mime;
    struct mime_scan scan;
    enum dsnd_err err = mime_scan_run(&self->limits, dsnd_str_of(self->campaign_headers), message,
                                      self->shows_all, &self->shown, &scan);

    if (err)
        return err;
    *ret_inner = scan.inner;
    if (scan.is_too_complex) {
        draft_warn(draft, REPORT_WARNING_TOO_COMPLEX);
        draft_note(draft, "beyond a limit of the scan: what is within it is read");
    }
    if (scan.has_no_boundary)
        draft_warn(draft, REPORT_WARNING_NO_BOUNDARY);
    err = mime_read(self->reader, scan.shown, draft->arena, &mime);
    if (!err)
        read_report(self, draft, &mime);
    return err;
}

static bool is_report_of_somebody(const struct report *report)
{
    return (report->kind == REPORT_KIND_DSN || report->kind == REPORT_KIND_BOUNCE_TEXT) &&
           report->recipient_count && report->recipients[0].recipient.len;
}

/*
 * A gateway may wrap a report into one of its own that names nobody: then the inner one is what is
 * reported. Never where the outer one names somebody: that is a report that could not be delivered.
 */
static enum dsnd_err read_wrapped(struct parser *self, struct draft *draft, struct dsnd_str inner)
{
    struct report *report = draft->report;
    struct dsnd_str none = DSND_STR_ABSENT;
    struct report wrapped;
    struct draft within;
    enum dsnd_err err;

    if (report->kind != REPORT_KIND_BOUNCE_TEXT ||
        !(report->warnings & REPORT_WARNING_NO_RECIPIENT))
        return DSND_OK;
    if (!inner.len)
        inner = draft->copy;
    draft_init(&within, draft->limits, draft->arena, &wrapped, draft->trace);
    draft_note(draft, "it names nobody: the message it returns is read");
    err = inner.len ? read_message(self, inner, &within, &none) : DSND_OK;
    if (err || within.err || !inner.len || !is_report_of_somebody(&wrapped))
        return err ? err : within.err;
    wrapped.message_id = report->message_id;
    wrapped.subject = report->subject;
    wrapped.from = report->from;
    wrapped.is_by_anybody = report->is_by_anybody;
    *report = wrapped;
    draft->prose = within.prose;
    return DSND_OK;
}

enum dsnd_err parser_run(struct parser *self, struct dsnd_str message, struct dsnd_arena *arena,
                         struct report *ret_report)
{
    struct dsnd_str inner = DSND_STR_ABSENT;
    struct draft draft;
    enum dsnd_err err;

    draft_init(&draft, &self->limits, arena, ret_report, self->trace);
    err = read_message(self, message, &draft, &inner);
    if (!err && !draft.err)
        err = read_wrapped(self, &draft, inner);
    return err ? err : classify(self, &draft);
}
