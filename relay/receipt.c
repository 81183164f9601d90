#include "relay/receipt.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "parse/xtext.h"

enum {
    LINE_MAX_OCTETS = 900,   /* of the original's header; RFC 5322 section 2.1.1 allows 998 */
    DECODED_MAX = 16 * 1024, /* for one text in xtext */
    DATE_SIZE = sizeof("Tue, 24 Nov 2026 12:00:00 +0000") + 8,
};

/* RFC 5322 section 3.3, in UTC, whatever the locale is. */
static void format_date(int64_t us, char dst[DATE_SIZE])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(us / DSND_US_PER_S);
    struct tm tm = {.tm_mday = 1};

    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(dst, DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u +0000", days[tm.tm_wday % 7],
                   (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
                   (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
                   (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

static bool is_ascii(struct dsnd_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

/* Text of others in a line of ours: controls, which could end the line, become '?'. */
static enum dsnd_err add_text(struct dsnd_buf *out, struct dsnd_str text)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < text.len && i < LINE_MAX_OCTETS && !err; i++) {
        char c = text.ptr[i];

        err = dsnd_buf_add_char(out, ((unsigned char)c < ' ' && c != '\t') || c == 0x7f ? '?' : c);
    }
    return err;
}

/* A line: a name with its colon and blank, a type with its semicolon and blank, a text. */
static enum dsnd_err add_line(struct dsnd_buf *out, const char *name, const char *type,
                              struct dsnd_str text)
{
    enum dsnd_err err = dsnd_buf_addf(out, "%s%s", name, type);

    if (!err)
        err = add_text(out, text);
    return err ? err : dsnd_buf_add(out, DSND_STR("\r\n"));
}

static enum dsnd_err add_head(const struct receipt *self, struct dsnd_buf *out)
{
    char date[DATE_SIZE];
    enum dsnd_err err;

    format_date(self->received_us, date);
    err = dsnd_buf_addf(out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n", self->hostname);
    if (!err)
        err = add_line(out, "To: ", "", self->sender);
    if (!err)
        err = dsnd_buf_addf(out,
                            "Subject: Successful Mail Delivery Report\r\n"
                            "Date: %s\r\n"
                            "Message-ID: <%s@%s>\r\n"
                            "Auto-Submitted: auto-replied\r\n"
                            "MIME-Version: 1.0\r\n"
                            "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                            "\tboundary=\"%s\"\r\n\r\n",
                            date, self->id, self->hostname, self->id);
    return err;
}

static enum dsnd_err add_words(const struct receipt *self, struct dsnd_buf *out)
{
    enum dsnd_err err = dsnd_buf_addf(out,
                                      "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                      "Content-Transfer-Encoding: 8bit\r\n\r\n"
                                      "This is the mail system at host %s.\r\n\r\n"
                                      "Your message was delivered to the recipients below, as you "
                                      "asked to be told.\r\n\r\n",
                                      self->id, self->hostname);

    for (size_t i = 0; i < self->recipient_count && !err; i++)
        err = add_line(out, "  ", "", self->recipients[i].address);
    return err;
}

/* ORCPT "type;xtext" as "type; address". */
static enum dsnd_err add_original(struct dsnd_buf *out, struct dsnd_str original)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(DECODED_MAX);
    struct dsnd_str address = original;
    struct dsnd_str type = dsnd_str_cut(&address, ';');
    enum dsnd_err err = xtext_decode(&arena, address, &address);

    if (!err)
        err = dsnd_buf_add(out, DSND_STR("Original-Recipient: "));
    if (!err)
        err = add_text(out, type);
    if (!err)
        err = add_line(out, "; ", "", address);
    dsnd_arena_done(&arena);
    return err;
}

static enum dsnd_err add_recipient(const struct receipt_recipient *recipient, struct dsnd_buf *out)
{
    enum dsnd_err err = dsnd_buf_add(out, DSND_STR("\r\n"));

    if (!err && recipient->original_recipient.len)
        err = add_original(out, recipient->original_recipient);
    if (!err)
        err = add_line(out,
                       "Final-Recipient: ", is_ascii(recipient->address) ? "rfc822; " : "utf-8; ",
                       recipient->address);
    return err ? err : dsnd_buf_add(out, DSND_STR("Action: delivered\r\nStatus: 2.0.0\r\n"));
}

static enum dsnd_err add_envelope_id(const struct receipt *self, struct dsnd_buf *out)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(DECODED_MAX);
    struct dsnd_str text = self->envelope_id;
    enum dsnd_err err = xtext_decode(&arena, text, &text);

    if (!err)
        err = add_line(out, "Original-Envelope-Id: ", "", text);
    dsnd_arena_done(&arena);
    return err;
}

static enum dsnd_err add_status(const struct receipt *self, struct dsnd_buf *out)
{
    char date[DATE_SIZE];
    bool plain = true;
    enum dsnd_err err;

    format_date(self->received_us, date);
    for (size_t i = 0; i < self->recipient_count; i++)
        plain = plain && is_ascii(self->recipients[i].address) &&
                is_ascii(self->recipients[i].original_recipient);
    err = dsnd_buf_addf(out, "\r\n--%s\r\nContent-Type: message/%s\r\n%s\r\n", self->id,
                        plain ? "delivery-status" : "global-delivery-status",
                        plain ? "" : "Content-Transfer-Encoding: 8bit\r\n");
    if (!err && self->envelope_id.len)
        err = add_envelope_id(self, out);
    if (!err)
        err = dsnd_buf_addf(out, "Reporting-MTA: dns; %s\r\n", self->hostname);
    if (!err && self->helo.len)
        err = add_line(out, "Received-From-MTA: ", "dns; ", self->helo);
    if (!err)
        err = dsnd_buf_addf(out, "Arrival-Date: %s\r\n", date);
    for (size_t i = 0; i < self->recipient_count && !err; i++)
        err = add_recipient(&self->recipients[i], out);
    return err;
}

/* The header of the mail, not its text, which was delivered (RFC 3461 section 4.3). */
static enum dsnd_err add_original_header(const struct receipt *self, struct dsnd_buf *out)
{
    struct dsnd_str rest = dsnd_str_slice(self->octets, 0, RECEIPT_HEADER_MAX);
    enum dsnd_err err = dsnd_buf_addf(
        out, "\r\n--%s\r\nContent-Type: text/rfc822-headers; charset=us-ascii\r\n\r\n", self->id);

    while (!err && rest.len) {
        struct dsnd_str line = dsnd_str_slice(dsnd_str_line(&rest), 0, LINE_MAX_OCTETS);

        if (!line.len)
            break;
        for (size_t i = 0; i < line.len && !err; i++) {
            char c = line.ptr[i];

            err = dsnd_buf_add_char(out, (c >= ' ' && c < 0x7f) || c == '\t' ? c : '?');
        }
        if (!err)
            err = dsnd_buf_add(out, DSND_STR("\r\n"));
    }
    return err ? err : dsnd_buf_addf(out, "\r\n--%s--\r\n", self->id);
}

enum dsnd_err receipt_write(const struct receipt *self, struct dsnd_buf *out)
{
    enum dsnd_err err = add_head(self, out);

    if (!err)
        err = add_words(self, out);
    if (!err)
        err = add_status(self, out);
    return err ? err : add_original_header(self, out);
}
