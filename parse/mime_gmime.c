/*
 * The MIME parser: GMime behind mime.h. Only reads; nothing that encodes or looks for a boundary is
 * called (GMime issue 165 ends the process there). What it may cost was bounded by mime_scan.
 */
#include <assert.h>
#include <gmime/gmime.h>
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "parse/mime.h"
#include "parse/mime_charset.h"
#include "parse/mime_name.h"
#include "parse/mime_type.h"

enum {
    PARTS_FIRST = 8,
    CONVERTERS = 8,
    CHARSET_SIZE = 32, /* longer names are not kept */
};

/* To UTF-8. Opening one loads a library, which the C library unloads with the last that is closed.
 */
struct converter {
    char charset[CHARSET_SIZE]; /* empty: this place is free */
    iconv_t handle;
};

struct mime_reader {
    GMimeParserOptions *options;
    struct converter converters[CONVERTERS];
    size_t next; /* the place that is taken next */
};

struct walk {
    struct mime_reader *reader;
    struct dsnd_arena *arena;
    struct mime_message *message;
    size_t capacity; /* parts allocated */
    enum dsnd_err err;
};

static const struct {
    struct dsnd_str type;
    enum mime_role role;
} roles[] = {
    {DSND_STR_INIT("message/delivery-status"), MIME_ROLE_STATUS},
    {DSND_STR_INIT("message/global-delivery-status"), MIME_ROLE_STATUS},
    {DSND_STR_INIT("message/feedback-report"), MIME_ROLE_FEEDBACK},
    {DSND_STR_INIT("message/disposition-notification"), MIME_ROLE_DISPOSITION},
    {DSND_STR_INIT("message/global-disposition-notification"), MIME_ROLE_DISPOSITION},
    {DSND_STR_INIT("text/rfc822-headers"), MIME_ROLE_RETURNED},
    {DSND_STR_INIT("message/global-headers"), MIME_ROLE_RETURNED},
    {DSND_STR_INIT("message/rfc822"), MIME_ROLE_RETURNED},
    {DSND_STR_INIT("message/global"), MIME_ROLE_RETURNED},
    {DSND_STR_INIT("message/news"), MIME_ROLE_RETURNED},
    {DSND_STR_INIT("text/html"), MIME_ROLE_HTML},
};

static enum mime_role role_of(struct dsnd_str type)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
        if (dsnd_str_eq(type, roles[i].type))
            return roles[i].role;
    return dsnd_str_starts(type, DSND_STR("text/")) ? MIME_ROLE_TEXT : MIME_ROLE_OTHER;
}

static void init_once(void)
{
    g_mime_init();
}

enum dsnd_err mime_reader_new(struct mime_reader **ret_reader)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct mime_reader *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    (void)pthread_once(&once, init_once);
    self->options = g_mime_parser_options_new();
    *ret_reader = self;
    return DSND_OK;
}

void mime_reader_free(struct mime_reader *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < CONVERTERS; i++)
        if (self->converters[i].charset[0])
            (void)g_mime_iconv_close(self->converters[i].handle);
    g_mime_parser_options_free(self->options);
    free(self);
}

/* The converter for `charset`, kept for the next text; (iconv_t)-1 where there is none. */
static iconv_t converter_for(struct mime_reader *self, const char *charset)
{
    struct converter *one;
    iconv_t handle;

    for (size_t i = 0; i < CONVERTERS; i++)
        if (g_ascii_strcasecmp(self->converters[i].charset, charset) == 0 && *charset) {
            (void)iconv(self->converters[i].handle, NULL, NULL, NULL, NULL); /* as at the start */
            return self->converters[i].handle;
        }
    if (strlen(charset) >= CHARSET_SIZE || !*charset)
        return (iconv_t)-1;
    handle = g_mime_iconv_open("UTF-8", charset);
    if (handle == (iconv_t)-1)
        return handle;
    one = &self->converters[self->next++ % CONVERTERS];
    if (one->charset[0])
        (void)g_mime_iconv_close(one->handle);
    (void)snprintf(one->charset, sizeof(one->charset), "%s", charset);
    one->handle = handle;
    return handle;
}

static struct dsnd_str find_header(const struct field *headers, size_t count, struct dsnd_str name)
{
    for (size_t i = 0; i < count; i++)
        if (dsnd_str_ieq(headers[i].name, name))
            return headers[i].value;
    return DSND_STR_ABSENT;
}

struct dsnd_str mime_header(const struct field *headers, size_t count, struct dsnd_str name)
{
    assert(mime_name_is_read(name));
    return find_header(headers, count, name);
}

struct dsnd_str mime_header_wanted(const struct field *headers, size_t count, struct dsnd_str name)
{
    return find_header(headers, count, name);
}

static struct dsnd_str copy(struct walk *self, struct dsnd_str s)
{
    struct dsnd_str out = DSND_STR_ABSENT;

    if (!self->err)
        self->err = dsnd_arena_copy(self->arena, s, &out);
    return out;
}

static void *alloc(struct walk *self, size_t count, size_t size)
{
    void *memory = self->err ? NULL : dsnd_arena_array(self->arena, count, size);

    if (!memory && !self->err)
        self->err = DSND_ERR_NOMEM;
    return memory;
}

static struct mime_part *add_part(struct walk *self, enum mime_role role, struct dsnd_str type,
                                  unsigned depth)
{
    struct mime_message *message = self->message;
    size_t capacity = self->capacity ? 2 * self->capacity : PARTS_FIRST;
    struct mime_part *part;

    if (message->part_count == self->capacity) {
        struct mime_part *more = alloc(self, capacity, sizeof(*more));

        if (!more)
            return NULL;
        if (message->part_count)
            memcpy(more, message->parts, message->part_count * sizeof(*more));
        message->parts = more;
        self->capacity = capacity;
    }
    part = &message->parts[message->part_count++];
    *part = (struct mime_part){.role = role, .type = type, .depth = depth};
    return part;
}

/* ---- headers ---- */

static size_t copy_list(struct walk *self, GMimeHeaderList *list, struct field *fields)
{
    int count = g_mime_header_list_get_count(list);
    size_t kept = 0;

    for (int i = 0; i < count && !self->err; i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
        const char *value = g_mime_header_get_raw_value(header);

        fields[kept].name = copy(self, dsnd_str_of(g_mime_header_get_name(header)));
        fields[kept++].value = copy(self, dsnd_str_trim(dsnd_str_of(value ? value : "")));
    }
    return kept;
}

/* Headers of a message: its own, then the Content- ones, which GMime keeps with the body. */
static struct field *copy_headers(struct walk *self, GMimeMessage *message, size_t *ret_count)
{
    GMimeObject *body = g_mime_message_get_mime_part(message);
    GMimeHeaderList *own = g_mime_object_get_header_list(GMIME_OBJECT(message));
    GMimeHeaderList *of_body = body ? g_mime_object_get_header_list(body) : NULL;
    size_t room = (size_t)g_mime_header_list_get_count(own) +
                  (of_body ? (size_t)g_mime_header_list_get_count(of_body) : 0);
    struct field *fields = room ? alloc(self, room, sizeof(*fields)) : NULL;

    *ret_count = 0;
    if (!fields)
        return NULL;
    *ret_count = copy_list(self, own, fields);
    if (of_body)
        *ret_count += copy_list(self, of_body, fields + *ret_count);
    return fields;
}

/* The same from a part that holds headers as text. */
static struct field *read_headers(struct walk *self, struct dsnd_str text, size_t *ret_count)
{
    struct dsnd_str rest = text;
    struct field field;
    struct field *fields;
    enum fields_line line;
    size_t room = 0;

    *ret_count = 0;
    while ((line = fields_next(&rest, &field)) != FIELDS_END)
        room += line == FIELDS_FIELD;
    fields = room ? alloc(self, room, sizeof(*fields)) : NULL;
    if (!fields)
        return NULL;
    while ((line = fields_next(&text, &field)) != FIELDS_END)
        if (line == FIELDS_FIELD)
            fields[(*ret_count)++] = field;
    return fields;
}

/* ---- text ---- */

static bool is_utf8_name(const char *charset)
{
    return !charset || g_ascii_strcasecmp(charset, "utf-8") == 0 ||
           g_ascii_strcasecmp(charset, "us-ascii") == 0;
}

/* `octets`, which are ours, in `charset` (NULL: not said) as UTF-8 with LF line ends. */
static struct dsnd_str to_utf8(struct walk *self, struct dsnd_str octets, const char *charset)
{
    iconv_t converter;

    if (octets.len)
        octets.len = mime_charset_to_lf((char *)(uintptr_t)octets.ptr, octets.len);
    if (is_utf8_name(charset)) {
        if (utf8_valid(octets))
            return octets;
        charset = "windows-1252"; /* what senders mean that say nothing */
        self->message->charset_defect = true;
    }
    converter = converter_for(self->reader, charset);
    if (converter != (iconv_t)-1 && !self->err)
        self->err = mime_charset_convert(self->arena, converter, octets, &octets);
    if (!self->err)
        self->err =
            mime_charset_repair(self->arena, octets, &self->message->charset_defect, &octets);
    return self->err ? DSND_STR_ABSENT : octets;
}

/* All that `stream` or, where that is absent, `content` decoded holds. */
static struct dsnd_str octets_of(struct walk *self, GMimeStream *from, GMimeDataWrapper *content)
{
    GMimeStream *stream = g_mime_stream_mem_new();
    GByteArray *bytes;
    struct dsnd_str octets;

    if (from)
        (void)g_mime_stream_write_to_stream(from, stream);
    else
        (void)g_mime_data_wrapper_write_to_stream(content, stream);
    bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    octets = copy(self, dsnd_str_make((const char *)bytes->data, bytes->len));
    g_object_unref(stream);
    return octets;
}

/* The decoded content of a part. */
static struct dsnd_str content_of(struct walk *self, GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    const char *charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
    struct dsnd_str text;

    if (!content)
        return DSND_STR_ABSENT;
    text = octets_of(self, NULL, content);
    return text.ptr ? to_utf8(self, text, charset) : text;
}

/* The header of a returned message that the scan shows as text: as it stands. */
static void take_shown(struct walk *self, GMimePart *object, struct mime_part *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(object);
    GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;

    if (stream)
        part->headers = read_headers(self, octets_of(self, stream, NULL), &part->header_count);
}

/* ---- structure ---- */

static struct dsnd_str type_of(struct walk *self, GMimeObject *object)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    const char *major = type ? g_mime_content_type_get_media_type(type) : NULL;
    const char *minor = type ? g_mime_content_type_get_media_subtype(type) : NULL;
    size_t major_len = major ? strlen(major) : 0;
    size_t minor_len = minor ? strlen(minor) : 0;
    char *out;

    if (!major_len || !minor_len)
        return DSND_STR("text/plain");
    out = alloc(self, major_len + 1 + minor_len, 1);
    if (!out)
        return DSND_STR_ABSENT;
    for (size_t i = 0; i < major_len; i++)
        out[i] = dsnd_lower(major[i]);
    out[major_len] = '/';
    for (size_t i = 0; i < minor_len; i++)
        out[major_len + 1 + i] = dsnd_lower(minor[i]);
    if (dsnd_str_starts(dsnd_str_make(out, major_len + 1), DSND_STR(MIME_TYPE_SHOWN)))
        memcpy(out, "message", major_len);
    return dsnd_str_make(out, major_len + 1 + minor_len);
}

static bool is_shown_message(GMimePart *part)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
    const char *major = type ? g_mime_content_type_get_media_type(type) : NULL;

    return major && g_ascii_strncasecmp(major, MIME_TYPE_SHOWN, sizeof(MIME_TYPE_SHOWN) - 2) == 0;
}

static void take_leaf(struct walk *self, GMimePart *object, struct dsnd_str type, unsigned depth)
{
    struct mime_part *part = add_part(self, role_of(type), type, depth);

    if (!part || part->role == MIME_ROLE_OTHER)
        return;
    if (is_shown_message(object)) {
        take_shown(self, object, part);
        return;
    }
    part->text = content_of(self, object);
    if (part->role == MIME_ROLE_RETURNED)
        part->headers = read_headers(self, part->text, &part->header_count);
}

static void take_message(struct walk *self, GMimeMessagePart *object, struct dsnd_str type,
                         unsigned depth)
{
    struct mime_part *part = add_part(self, MIME_ROLE_RETURNED, type, depth);
    GMimeMessage *inner = g_mime_message_part_get_message(object);

    if (part && inner)
        part->headers = copy_headers(self, inner, &part->header_count);
}

/* A multipart whose boundary never occurs: all of it is text. */
static void take_prologue(struct walk *self, GMimeMultipart *object, unsigned depth)
{
    bool is_empty = g_mime_multipart_get_count(object) == 0;
    const char *text = is_empty ? g_mime_multipart_get_prologue(object) : NULL;
    struct mime_part *part =
        text ? add_part(self, MIME_ROLE_TEXT, DSND_STR("text/plain"), depth) : NULL;

    if (!part)
        return;
    part->text = copy(self, dsnd_str_of(text));
    part->text = to_utf8(self, part->text, NULL);
}

/* Recursion is bounded by mime_scan's limit on depth. */
static void take_object(struct walk *self, GMimeObject *object,
                        unsigned depth) /* NOLINT(misc-no-recursion) */
{
    struct dsnd_str type = type_of(self, object);

    if (self->err)
        return;
    if (GMIME_IS_MULTIPART(object)) {
        int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));

        (void)add_part(self, MIME_ROLE_MULTIPART, type, depth);
        take_prologue(self, GMIME_MULTIPART(object), depth + 1);
        for (int i = 0; i < count && !self->err; i++)
            take_object(self, g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        take_message(self, GMIME_MESSAGE_PART(object), type, depth);
    } else if (GMIME_IS_PART(object)) {
        take_leaf(self, GMIME_PART(object), type, depth);
    }
}

static void take_whole(struct walk *self, GMimeObject *root)
{
    GMimeHeaderList *list = g_mime_object_get_header_list(root);
    int count = g_mime_header_list_get_count(list);
    struct mime_message *message = self->message;
    const char *report_type = g_mime_object_get_content_type_parameter(root, "report-type");

    message->headers = count > 0 ? alloc(self, (size_t)count, sizeof(*message->headers)) : NULL;
    if (message->headers)
        message->header_count = copy_list(self, list, message->headers);
    message->type = type_of(self, root);
    message->report_type = copy(self, dsnd_str_of(report_type));
    take_object(self, root, 0);
}

enum dsnd_err mime_read(struct mime_reader *self, struct dsnd_str shown, struct dsnd_arena *arena,
                        struct mime_message *ret_message)
{
    struct walk walk = {.reader = self, .arena = arena, .message = ret_message};
    /* Lent: it is only read, and taken back below. */
    GByteArray *lent = g_byte_array_new_take((guint8 *)(uintptr_t)shown.ptr, shown.len);
    GMimeStream *stream = g_mime_stream_mem_new();
    GMimeParser *parser;
    GMimeObject *root;

    *ret_message = (struct mime_message){0};
    g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), lent);
    parser = g_mime_parser_new_with_stream(stream);
    /* Not as a message: reading its addresses and dates is work that nobody asks for. */
    root = g_mime_parser_construct_part(parser, self->options);
    if (root) {
        take_whole(&walk, root);
        g_object_unref(root);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    (void)g_byte_array_steal(lent, NULL);
    g_byte_array_unref(lent);
    return walk.err;
}

/* Printable ASCII without an encoded word: decoding would not change it. */
static bool is_plain(struct dsnd_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 0x20 || s.ptr[i] > 0x7e ||
            (s.ptr[i] == '=' && i + 1 < s.len && s.ptr[i + 1] == '?'))
            return false;
    return true;
}

enum dsnd_err mime_decode(struct dsnd_arena *arena, struct dsnd_str raw, struct dsnd_str *ret_text)
{
    struct dsnd_str flat = DSND_STR_ABSENT;
    enum dsnd_err err = fields_unfold(arena, raw, &flat);
    char *decoded;

    if (err || !flat.ptr) {
        *ret_text = DSND_STR_ABSENT;
        return err;
    }
    if (is_plain(flat)) {
        *ret_text = flat;
        return DSND_OK;
    }
    err = dsnd_arena_copy(arena, flat, &flat); /* ends with a NUL */
    if (err)
        return err;
    decoded = g_mime_utils_header_decode_text(NULL, flat.ptr);
    err = dsnd_arena_copy(arena, dsnd_str_trim(dsnd_str_of(decoded)), ret_text);
    g_free(decoded);
    return err;
}
