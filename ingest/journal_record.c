#include "ingest/journal_record.h"

#include <assert.h>
#include <string.h>

#include "base/crc32c.h"
#include "ingest/journal_octets.h"

enum {
    RECORD_MAGIC = 0x4a52ab1e,
    PAYLOAD_FIXED = 5,    /* source, flags, RET, count of recipients */
    TEXT_ABSENT = 0xffff, /* in place of a length */
    FLAG_TLS = 1,
    FLAG_SMTPUTF8 = 2,
    FLAG_8BIT = 4,
    FLAGS_ALL = 7,
    RET_MAX = 2,
    NOTIFY_ALL = 15,
};

size_t journal_record_size(uint32_t payload_octets)
{
    size_t octets = (size_t)JOURNAL_RECORD_HEADER + payload_octets;

    return (octets + JOURNAL_RECORD_ALIGN - 1) / JOURNAL_RECORD_ALIGN * JOURNAL_RECORD_ALIGN;
}

/* The four texts of the envelope in the order in which they are stored. */
static void texts_of(const struct journal_message *message, struct dsnd_str texts[4])
{
    texts[0] = message->peer;
    texts[1] = message->helo;
    texts[2] = message->mail_from;
    texts[3] = message->envelope_id;
}

static enum dsnd_err measure_text(struct dsnd_str text, size_t *total)
{
    if (text.len > JOURNAL_TEXT_MAX)
        return DSND_ERR_LIMIT;
    *total += 2 + text.len;
    return DSND_OK;
}

static enum dsnd_err measure_payload(const struct journal_message *message, size_t *ret_octets)
{
    size_t total = PAYLOAD_FIXED;
    struct dsnd_str texts[4];
    enum dsnd_err err = DSND_OK;

    if (message->recipient_count > JOURNAL_RECIPIENTS_MAX ||
        message->octets.len > JOURNAL_PAYLOAD_MAX)
        return DSND_ERR_LIMIT;
    texts_of(message, texts);
    for (size_t i = 0; i < 4 && !err; i++)
        err = measure_text(texts[i], &total);
    for (size_t i = 0; i < message->recipient_count && !err; i++) {
        total++;
        err = measure_text(message->recipients[i].address, &total);
        if (!err)
            err = measure_text(message->recipients[i].original_recipient, &total);
    }
    if (err)
        return err;
    total += message->octets.len; /* at most 131 MB of envelope before: no overflow */
    if (total > JOURNAL_PAYLOAD_MAX)
        return DSND_ERR_LIMIT;
    *ret_octets = total;
    return DSND_OK;
}

enum dsnd_err journal_record_measure(const struct journal_message *message, size_t *ret_octets)
{
    size_t payload = 0;
    enum dsnd_err err = measure_payload(message, &payload);

    if (!err)
        *ret_octets = journal_record_size((uint32_t)payload);
    return err;
}

static char *put_text(char *dst, struct dsnd_str text)
{
    journal_put_u16(dst, text.ptr ? (uint16_t)text.len : TEXT_ABSENT);
    if (text.ptr && text.len)
        memcpy(dst + 2, text.ptr, text.len);
    return dst + 2 + text.len;
}

static char *put_envelope(char *dst, const struct journal_message *message)
{
    struct dsnd_str texts[4];

    dst[0] = (char)message->source;
    dst[1] = (char)((message->tls ? FLAG_TLS : 0) | (message->smtputf8 ? FLAG_SMTPUTF8 : 0) |
                    (message->body_8bit ? FLAG_8BIT : 0));
    dst[2] = (char)message->ret;
    journal_put_u16(dst + 3, (uint16_t)message->recipient_count);
    dst += PAYLOAD_FIXED;
    texts_of(message, texts);
    for (size_t i = 0; i < 4; i++)
        dst = put_text(dst, texts[i]);
    for (size_t i = 0; i < message->recipient_count; i++) {
        *dst++ = (char)message->recipients[i].notify;
        dst = put_text(dst, message->recipients[i].address);
        dst = put_text(dst, message->recipients[i].original_recipient);
    }
    return dst;
}

void journal_record_encode(const struct journal_message *message, char *dst)
{
    char *payload = dst + JOURNAL_RECORD_HEADER;
    char *end = put_envelope(payload, message);
    uint32_t octets;
    size_t padded;

    if (message->octets.len)
        memcpy(end, message->octets.ptr, message->octets.len);
    end += message->octets.len;
    octets = (uint32_t)(end - payload);
    padded = journal_record_size(octets) - JOURNAL_RECORD_HEADER;
    memset(end, 0, padded - octets);
    memset(dst, 0, JOURNAL_RECORD_HEADER);
    journal_put_u32(dst + 8, octets);
    journal_put_u32(dst + 12, crc32c(0, payload, padded));
    journal_put_u64(dst + 24, (uint64_t)message->received_us);
}

void journal_record_seal(char *record, uint32_t salt, uint64_t sequence)
{
    journal_put_u64(record + 16, sequence);
    journal_put_u32(record, RECORD_MAGIC);
    journal_put_u32(record + 4, crc32c(salt, record + 8, JOURNAL_RECORD_HEADER - 8));
}

enum dsnd_err journal_record_header_read(const char *src, uint32_t salt,
                                         struct journal_record_header *ret_header)
{
    struct journal_record_header header;

    if (journal_get_u32(src) != RECORD_MAGIC)
        return DSND_ERR_CORRUPT;
    if (journal_get_u32(src + 4) != crc32c(salt, src + 8, JOURNAL_RECORD_HEADER - 8))
        return DSND_ERR_CORRUPT;
    header.payload_octets = journal_get_u32(src + 8);
    header.payload_crc = journal_get_u32(src + 12);
    header.sequence = journal_get_u64(src + 16);
    header.received_us = (int64_t)journal_get_u64(src + 24);
    if (header.payload_octets > JOURNAL_PAYLOAD_MAX || header.sequence == 0)
        return DSND_ERR_CORRUPT;
    *ret_header = header;
    return DSND_OK;
}

enum dsnd_err journal_record_check(const char *src, const struct journal_record_header *header)
{
    size_t padded = journal_record_size(header->payload_octets) - JOURNAL_RECORD_HEADER;

    return crc32c(0, src + JOURNAL_RECORD_HEADER, padded) == header->payload_crc ? DSND_OK
                                                                                 : DSND_ERR_CORRUPT;
}

static enum dsnd_err get_text(struct dsnd_str *in, struct dsnd_str *ret_text)
{
    size_t len;

    if (in->len < 2)
        return DSND_ERR_CORRUPT;
    len = journal_get_u16(in->ptr);
    *in = dsnd_str_slice(*in, 2, in->len);
    if (len == TEXT_ABSENT) {
        *ret_text = DSND_STR_ABSENT;
        return DSND_OK;
    }
    if (in->len < len)
        return DSND_ERR_CORRUPT;
    *ret_text = dsnd_str_slice(*in, 0, len);
    *in = dsnd_str_slice(*in, len, in->len);
    return DSND_OK;
}

static enum dsnd_err get_recipient(struct dsnd_str *in, struct journal_recipient *ret_recipient)
{
    enum dsnd_err err;

    if (in->len < 1 || (uint8_t)in->ptr[0] > NOTIFY_ALL)
        return DSND_ERR_CORRUPT;
    ret_recipient->notify = (uint8_t)in->ptr[0];
    *in = dsnd_str_slice(*in, 1, in->len);
    err = get_text(in, &ret_recipient->address);
    if (!err)
        err = get_text(in, &ret_recipient->original_recipient);
    return err;
}

static enum dsnd_err get_recipients(struct dsnd_str *in, size_t count, struct dsnd_arena *arena,
                                    struct journal_message *message)
{
    struct journal_recipient *recipients;
    enum dsnd_err err = DSND_OK;

    message->recipients = NULL;
    message->recipient_count = count;
    if (count == 0)
        return DSND_OK;
    if (count > JOURNAL_RECIPIENTS_MAX)
        return DSND_ERR_CORRUPT;
    recipients = dsnd_arena_array(arena, count, sizeof(*recipients));
    if (!recipients)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < count && !err; i++)
        err = get_recipient(in, &recipients[i]);
    message->recipients = recipients;
    return err;
}

static enum dsnd_err get_fixed(struct dsnd_str *in, struct journal_message *message,
                               size_t *ret_count)
{
    uint8_t source;
    uint8_t flags;

    if (in->len < PAYLOAD_FIXED)
        return DSND_ERR_CORRUPT;
    source = (uint8_t)in->ptr[0];
    flags = (uint8_t)in->ptr[1];
    message->ret = (uint8_t)in->ptr[2];
    if (source < JOURNAL_SOURCE_SMTP || source > JOURNAL_SOURCE_IMPORT || flags > FLAGS_ALL ||
        message->ret > RET_MAX)
        return DSND_ERR_CORRUPT;
    message->source = (enum journal_source)source;
    message->tls = (flags & FLAG_TLS) != 0;
    message->smtputf8 = (flags & FLAG_SMTPUTF8) != 0;
    message->body_8bit = (flags & FLAG_8BIT) != 0;
    *ret_count = journal_get_u16(in->ptr + 3);
    *in = dsnd_str_slice(*in, PAYLOAD_FIXED, in->len);
    return DSND_OK;
}

enum dsnd_err journal_record_decode(const char *src, const struct journal_record_header *header,
                                    struct dsnd_arena *arena, struct journal_message *ret_message)
{
    struct dsnd_str in = {src + JOURNAL_RECORD_HEADER, header->payload_octets};
    struct journal_message message = {.received_us = header->received_us};
    size_t count = 0;
    enum dsnd_err err = get_fixed(&in, &message, &count);

    if (!err)
        err = get_text(&in, &message.peer);
    if (!err)
        err = get_text(&in, &message.helo);
    if (!err)
        err = get_text(&in, &message.mail_from);
    if (!err)
        err = get_text(&in, &message.envelope_id);
    if (!err)
        err = get_recipients(&in, count, arena, &message);
    if (err)
        return err;
    message.octets = in;
    *ret_message = message;
    return DSND_OK;
}
