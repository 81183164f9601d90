#include "parse/notice.h"

#include "parse/address.h"
#include "parse/status_code.h"

/* All behind the first `mark` in `s`, or absent. */
static struct dsnd_str behind(struct dsnd_str s, struct dsnd_str mark)
{
    size_t at = dsnd_str_find(s, mark);

    return at == SIZE_MAX ? DSND_STR_ABSENT : dsnd_str_slice(s, at + mark.len, s.len);
}

/* The string that `s` begins inside of: up to its closing quote. */
static struct dsnd_str string_at(struct dsnd_str s)
{
    size_t len = 0;

    while (len < s.len && s.ptr[len] != '"')
        len += s.ptr[len] == '\\' && len + 1 < s.len ? 2 : 1;
    return dsnd_str_slice(s, 0, len);
}

static struct report_recipient *add(struct draft *draft, struct dsnd_str address,
                                    enum report_action action)
{
    struct report_recipient *recipient;

    address = draft_text(draft, address_bare(address), draft->limits->address_octets);
    recipient = address_is_mail(address) ? draft_add(draft) : NULL;
    if (!recipient)
        return NULL;
    recipient->recipient = address;
    recipient->final_recipient = address;
    recipient->action = action;
    draft_note(draft, "recipient %.*s: named by a notice", DSND_STR_ARG(address));
    return recipient;
}

static void read_reply(struct draft *draft, struct dsnd_str text,
                       struct report_recipient *recipient)
{
    struct status_reply reply = status_reply_find(text);
    size_t semicolon = dsnd_str_chr(dsnd_str_slice(text, 0, 8), ';');

    if (semicolon != SIZE_MAX)
        text = dsnd_str_slice(text, semicolon + 1, text.len);
    recipient->diagnostic = draft_text(draft, text, draft->limits->diagnostic_octets);
    recipient->smtp_code = reply.code;
    recipient->smtp_status = reply.status;
}

/* {"emailAddress":"...","action":"failed","status":"5.1.1","diagnosticCode":"..."}, ... */
static void read_bounced(struct draft *draft, struct dsnd_str list)
{
    const struct dsnd_str key = DSND_STR("\"emailAddress\":\"");

    for (list = behind(list, key); list.len && !draft->err; list = behind(list, key)) {
        struct dsnd_str one = dsnd_str_slice(list, 0, dsnd_str_chr(list, '}'));
        struct report_recipient *recipient = add(draft, string_at(one), REPORT_ACTION_FAILED);
        struct dsnd_str status = string_at(behind(one, DSND_STR("\"status\":\"")));

        if (!recipient)
            continue;
        (void)status_code_read(status, &recipient->status);
        read_reply(draft, string_at(behind(one, DSND_STR("\"diagnosticCode\":\""))), recipient);
    }
}

/* {"emailAddress":"..."}, ... of those who complained. */
static bool read_complained(struct draft *draft, struct dsnd_str list)
{
    const struct dsnd_str key = DSND_STR("\"emailAddress\":\"");
    size_t before = draft->report->recipient_count;

    list = dsnd_str_slice(list, 0, dsnd_str_chr(list, ']'));
    for (list = behind(list, key); list.len && !draft->err; list = behind(list, key))
        (void)add(draft, string_at(list), REPORT_ACTION_NONE);
    if (draft->report->recipient_count == before)
        return false;
    draft->report->kind = REPORT_KIND_ARF;
    draft->report->feedback = REPORT_FEEDBACK_ABUSE;
    return true;
}

/* "a@b","c@d" */
static void read_delivered(struct draft *draft, struct dsnd_str list, struct dsnd_str reply)
{
    while (list.len && !draft->err) {
        struct dsnd_str item = dsnd_str_trim(dsnd_str_cut(&list, ','));
        struct report_recipient *recipient;

        if (item.len < 2)
            continue;
        recipient =
            add(draft, string_at(dsnd_str_slice(item, 1, item.len)), REPORT_ACTION_DELIVERED);
        if (!recipient)
            continue;
        (void)status_code_read(reply, &recipient->status);
        recipient->diagnostic = draft_text(draft, reply, draft->limits->diagnostic_octets);
    }
}

/*
 * A notice that came as the "Message" of an envelope of JSON: a string, so that each quote and
 * backslash of it is escaped once more.
 */
static struct dsnd_str unwrapped(struct draft *draft, struct dsnd_str text)
{
    struct dsnd_str value = behind(text, DSND_STR("\"Message\""));
    struct dsnd_str inner;
    size_t len = 0;
    char *out;

    value = behind(value, DSND_STR("\""));
    if (!dsnd_str_starts(text, DSND_STR("{")) || !value.ptr)
        return text;
    inner = string_at(dsnd_str_make(value.ptr, (size_t)(text.ptr + text.len - value.ptr)));
    out = draft_alloc(draft, inner.len + 1, 1);
    if (!out)
        return DSND_STR_ABSENT;
    for (size_t i = 0; i < inner.len; i++) {
        if (inner.ptr[i] == '\\' && i + 1 < inner.len)
            i++;
        out[len++] = inner.ptr[i];
    }
    return dsnd_str_make(out, len);
}

static struct dsnd_str first_text(const struct mime_message *mime)
{
    for (size_t i = 0; i < mime->part_count; i++)
        if (mime->parts[i].role == MIME_ROLE_TEXT)
            return dsnd_str_trim(mime->parts[i].text);
    return DSND_STR_ABSENT;
}

bool notice_read(struct draft *draft, const struct mime_message *mime)
{
    struct dsnd_str text = unwrapped(draft, first_text(mime));
    struct dsnd_str list;
    size_t before = draft->report->recipient_count;

    if (!dsnd_str_starts(text, DSND_STR("{\"notificationType\":\"")) &&
        !dsnd_str_starts(text, DSND_STR("{\"eventType\":\"")))
        return false;
    if (read_complained(draft, behind(text, DSND_STR("\"complainedRecipients\":["))))
        return true;
    list = behind(text, DSND_STR("\"bouncedRecipients\":["));
    read_bounced(draft, dsnd_str_slice(list, 0, dsnd_str_chr(list, ']')));
    if (draft->report->recipient_count == before) {
        struct dsnd_str delivery = behind(text, DSND_STR("\"delivery\":{"));

        list = behind(delivery, DSND_STR("\"recipients\":["));
        read_delivered(draft, dsnd_str_slice(list, 0, dsnd_str_chr(list, ']')),
                       string_at(behind(delivery, DSND_STR("\"smtpResponse\":\""))));
    }
    if (draft->report->recipient_count == before)
        return false;
    draft->report->kind = REPORT_KIND_BOUNCE_TEXT;
    return true;
}
