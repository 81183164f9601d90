#include "parse/prose_reader.h"

#include <stdint.h>
#include <string.h>

#include "parse/address.h"
#include "parse/status_code.h"

enum {
    LEAD_OCTETS = 24,     /* between a phrase and the address it introduces */
    NAME_MAX_OCTETS = 64, /* of a local part, RFC 5321 section 4.5.3.1.1 */
    BEFORE_OCTETS = 64,   /* looked at before an address */
    NAME_OCTETS = 1100,   /* searched for that address */
    BODY_ROLES = (1u << PROSE_SUBJECT) - 1,
};

void prose_reader_init(struct prose_reader *self, struct draft *draft, struct dsnd_str prose,
                       struct dsnd_str own)
{
    size_t at = 0;

    memset(self, 0, sizeof(*self));
    self->draft = draft;
    self->prose = prose;
    self->own = own;
    self->first = draft->report->recipient_count;
    while (self->match_count < PROSE_MATCH_MAX &&
           prose_phrase_next(prose, BODY_ROLES, &at, &self->matches[self->match_count])) {
        const struct prose_phrase *phrase = self->matches[self->match_count++].phrase;

        self->roles |= 1u << phrase->role;
        self->is_strong |= phrase->weight == PROSE_STRONG;
    }
}

static bool is_own(const struct prose_reader *self, struct dsnd_str address)
{
    return self->own.len && dsnd_str_ieq(self->own, address);
}

static size_t skip(struct dsnd_str s, size_t at, const char *set)
{
    while (at < s.len && s.ptr[at] && strchr(set, s.ptr[at]))
        at++;
    return at;
}

/*
 * The address that `line` begins with, behind bullets, brackets, quotes and types; `*ret_end` is
 * behind it. Absent where it begins with something else.
 */
static struct dsnd_str leading_address(struct dsnd_str line, size_t *ret_end)
{
    static const struct dsnd_str types[] = {DSND_STR_INIT("mailto:"), DSND_STR_INIT("rfc822;"),
                                            DSND_STR_INIT("To:"), DSND_STR_INIT("Recipient:")};
    size_t at = skip(line, 0, " \t\n-*>[(");
    struct dsnd_str address;
    size_t from;

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (dsnd_str_istarts(dsnd_str_slice(line, at, line.len), types[i]))
            at = skip(line, at + types[i].len, " \t");
    at = skip(line, at, "<'\" \t\n");
    from = at;
    address = address_next(line, &at);
    if (!address.len || address.ptr > line.ptr + from + 1)
        return DSND_STR_ABSENT;
    /* "name@example <a@b.example>" */
    if (dsnd_str_starts(dsnd_str_slice(line, at, line.len), DSND_STR(" <"))) {
        size_t next = at;
        struct dsnd_str bracketed = address_next(line, &next);

        if (bracketed.ptr == line.ptr + at + 2) {
            address = bracketed;
            at = next;
        }
    }
    *ret_end = at;
    return address;
}

/* X.400: "c=US;a= ;...;dda:SMTP=a@b.example; on ...". */
static struct dsnd_str x400_address(struct dsnd_str line)
{
    size_t mark = dsnd_str_ifind(line, DSND_STR("SMTP="));
    size_t end;

    if (mark == SIZE_MAX)
        return DSND_STR_ABSENT;
    return leading_address(dsnd_str_slice(line, mark + 5, line.len), &end);
}

/* More addresses on the same line: "a@b.example, c@d.example". */
static void add_others(struct prose_reader *self, struct dsnd_str rest)
{
    size_t end = skip(rest, 0, ">'\"");

    while (end < rest.len && (rest.ptr[end] == ',' || rest.ptr[end] == ';')) {
        struct dsnd_str address;

        rest = dsnd_str_slice(rest, end + 1, rest.len);
        address = leading_address(rest, &end);
        if (!address.len || is_own(self, address))
            return;
        self->current = prose_reader_add(self, address);
        end = skip(rest, end, ">'\"");
    }
}

static void set_text(struct prose_reader *self, size_t index, struct dsnd_str text)
{
    if (index < self->draft->report->recipient_count)
        self->draft->report->recipients[index].diagnostic = text;
}

static struct dsnd_str text_of(const struct prose_reader *self, size_t index)
{
    return index < self->draft->report->recipient_count
               ? self->draft->report->recipients[index].diagnostic
               : DSND_STR_ABSENT;
}

static bool has_reply(struct dsnd_str text)
{
    struct status_reply reply = status_reply_find(text);

    return reply.code || reply.status.klass;
}

/* The current recipient's text goes on to the end of `line`. */
static void extend_text(struct prose_reader *self, struct dsnd_str line)
{
    struct dsnd_str *text;

    if (self->current >= self->draft->report->recipient_count)
        return;
    text = &self->draft->report->recipients[self->current].diagnostic;
    if (text->ptr && dsnd_str_trim(line).len)
        text->len = (size_t)(line.ptr + line.len - text->ptr);
}

/* "<a@b.example>:" or an address alone: proof enough without a list around it. */
static bool stands_alone(struct dsnd_str rest, bool is_loose)
{
    rest = dsnd_str_trim(dsnd_str_slice(rest, skip(rest, 0, "'\""), rest.len));
    if (dsnd_str_eq(rest, DSND_STR(">:")) || dsnd_str_starts(rest, DSND_STR(">: ")))
        return true;
    return is_loose && (rest.len == 0 || strchr(">:.,;", rest.ptr[0]));
}

/* In a list, a name alone on its line: of a mailbox at the server that reports. */
static struct dsnd_str bare_name(const struct prose_reader *self, struct dsnd_str line,
                                 size_t *ret_end)
{
    struct dsnd_str name = dsnd_str_trim(line);
    struct dsnd_str from = self->draft->report->from;
    size_t sign = dsnd_str_rchr(from, '@');
    char *address;

    if (!self->is_open || !self->is_loose || sign == SIZE_MAX || name.len > NAME_MAX_OCTETS ||
        name.len < 2 || !dsnd_is_space(line.ptr[0]))
        return DSND_STR_ABSENT;
    for (size_t i = 0; i < name.len; i++)
        if (!dsnd_is_alpha(name.ptr[i]) && !dsnd_is_digit(name.ptr[i]) &&
            !strchr(".-_+", name.ptr[i]))
            return DSND_STR_ABSENT;
    address = draft_alloc(self->draft, name.len + from.len, 1);
    if (!address)
        return DSND_STR_ABSENT;
    memcpy(address, name.ptr, name.len);
    memcpy(address + name.len, from.ptr + sign, from.len - sign);
    *ret_end = line.len;
    return dsnd_str_make(address, name.len + from.len - sign);
}

/* Is the line a field of a header that the prose repeats? */
static bool is_header_line(struct dsnd_str line)
{
    static const struct dsnd_str names[] = {
        DSND_STR_INIT("Subject:"), DSND_STR_INIT("Date:"), DSND_STR_INIT("From:"),
        DSND_STR_INIT("Sent:"),    DSND_STR_INIT("Cc:"),   DSND_STR_INIT("Message-Id:"),
    };

    line = dsnd_str_trim(line);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (dsnd_str_istarts(line, names[i]))
            return true;
    return false;
}

/* "To:" beside the other fields of a header says whom that message was for, not who failed. */
static bool is_to_of_header(const struct prose_reader *self, struct dsnd_str line)
{
    size_t start = (size_t)(line.ptr - self->prose.ptr);
    struct dsnd_str before = dsnd_str_slice(self->prose, 0, start ? start - 1 : 0);
    struct dsnd_str behind = dsnd_str_slice(self->prose, start + line.len + 1, self->prose.len);
    size_t end = dsnd_str_rchr(before, '\n');

    if (!dsnd_str_istarts(dsnd_str_trim(line), DSND_STR("To:")))
        return false;
    before = dsnd_str_slice(before, end == SIZE_MAX ? 0 : end + 1, before.len);
    return is_header_line(before) || is_header_line(dsnd_str_cut(&behind, '\n'));
}

/* The address that begins a recipient in this line; absent where the line begins none. */
static struct dsnd_str line_address(const struct prose_reader *self, struct dsnd_str line,
                                    size_t *ret_end)
{
    size_t indent = skip(line, 0, " \t");
    struct dsnd_str address = leading_address(line, ret_end);

    if (self->is_open && !address.len)
        address = x400_address(line);
    if (!address.len)
        address = bare_name(self, line, ret_end);
    if (!address.len || is_own(self, address) || (!self->is_open && is_to_of_header(self, line)))
        return DSND_STR_ABSENT;
    if (self->is_open && indent <= self->indent)
        return address;
    return stands_alone(dsnd_str_slice(line, *ret_end, line.len), self->is_loose) ? address
                                                                                  : DSND_STR_ABSENT;
}

/* "<a@b.example> (expanded from" before an address: of an alias, no recipient of its own. */
static bool is_expansion(const struct prose_reader *self, struct dsnd_str address)
{
    size_t at = (size_t)(address.ptr - self->prose.ptr);
    struct dsnd_str before;

    if (address.ptr < self->prose.ptr || at > self->prose.len)
        return false;
    before = dsnd_str_slice(self->prose, at > BEFORE_OCTETS ? at - BEFORE_OCTETS : 0, at);
    while (before.len && strchr(" \t\n<:", before.ptr[before.len - 1]))
        before.len--;
    return dsnd_str_iends(before, DSND_STR("expanded from"));
}

/* What gateways draw above their own advertisement. */
static bool is_rule(struct dsnd_str line)
{
    return dsnd_str_starts(dsnd_str_trim(line), DSND_STR("__________"));
}

/* A line outside of transcripts: it begins a recipient or belongs to the one before. */
static void read_line(struct prose_reader *self, struct dsnd_str line)
{
    const struct report *report = self->draft->report;
    size_t known = report->recipient_count;
    size_t end = 0;
    struct dsnd_str address = line_address(self, line, &end);
    struct dsnd_str rest = dsnd_str_slice(line, end, line.len);
    size_t index;

    if (!address.len || is_expansion(self, address)) {
        if (is_rule(line))
            self->current = SIZE_MAX;
        extend_text(self, line);
        return;
    }
    if (self->indent == SIZE_MAX)
        self->indent = skip(line, 0, " \t");
    index = prose_reader_add(self, address);
    if (index == self->current) {
        extend_text(self, line);
        return;
    }
    self->current = index;
    /* Named again: what has no code yet may get one now. */
    if (index < known && has_reply(report->recipients[index].diagnostic))
        self->current = SIZE_MAX;
    else
        set_text(self, index, rest);
    add_others(self, rest);
}

/* A phrase with one address right behind it; `line` is where the phrase ends. */
static void read_name(struct prose_reader *self, const struct prose_match *match,
                      struct dsnd_str line)
{
    struct dsnd_str rest = dsnd_str_slice(self->prose, match->end, self->prose.len);
    size_t lead = skip(rest, 0, " \t\n<'\"(:[");
    size_t end = 0;
    struct dsnd_str address;

    if (lead > LEAD_OCTETS)
        return;
    address = leading_address(dsnd_str_slice(rest, lead, lead + NAME_OCTETS), &end);
    if (!address.len || is_own(self, address))
        return;
    self->action = match->phrase->action;
    self->current = prose_reader_add(self, address);
    /* Named again: what has a code already keeps it. */
    if (!has_reply(text_of(self, self->current)))
        set_text(self, self->current, line);
    self->is_open = false;
}

static void take_match(struct prose_reader *self, const struct prose_match *match,
                       struct dsnd_str line)
{
    switch (match->phrase->role) {
    case PROSE_OPEN:
        self->is_open = true;
        self->is_session = false;
        self->indent = SIZE_MAX;
        self->current = SIZE_MAX;
        self->action = match->phrase->action;
        break;
    case PROSE_NAME:
        read_name(self, match, line);
        break;
    case PROSE_HINT:
        if (self->is_loose)
            read_name(self, match, line);
        break;
    case PROSE_SESSION:
        self->is_session = true;
        self->is_open = false;
        self->current = SIZE_MAX;
        break;
    case PROSE_CLOSE:
        self->is_open = false;
        self->current = SIZE_MAX;
        break;
    case PROSE_SIGN:
    case PROSE_FAIL:
    case PROSE_DELAY:
    case PROSE_FINAL:
    case PROSE_SUCCESS:
    case PROSE_COPY:
    case PROSE_SUBJECT:
    case PROSE_SENDER:
    case PROSE_ROLE_COUNT:
        break;
    }
}

/* Phrases that end in this line; whether one of them named a recipient or changed the state. */
static bool take_matches(struct prose_reader *self, struct dsnd_str line, size_t line_end)
{
    unsigned taken = 0;

    while (self->next < self->match_count && self->matches[self->next].end <= line_end) {
        const struct prose_match *match = &self->matches[self->next++];

        take_match(self, match, line);
        taken |= 1u << match->phrase->role;
    }
    return taken & (1u << PROSE_OPEN | 1u << PROSE_NAME | 1u << PROSE_SESSION | 1u << PROSE_CLOSE);
}

size_t prose_reader_run(struct prose_reader *self)
{
    struct dsnd_str rest = self->prose;

    self->next = 0;
    self->is_open = false;
    self->is_session = false;
    self->current = SIZE_MAX;
    self->rcpt = SIZE_MAX;
    self->action = REPORT_ACTION_FAILED;
    while (rest.len) {
        struct dsnd_str line = dsnd_str_cut(&rest, '\n');
        size_t line_end = (size_t)(line.ptr + line.len - self->prose.ptr);

        if (take_matches(self, line, line_end))
            continue;
        if (self->is_session)
            prose_session_line(self, line);
        else
            read_line(self, line);
    }
    prose_session_end(self);
    return self->draft->report->recipient_count - self->first;
}
