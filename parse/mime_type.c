#include "parse/mime_type.h"

static const struct {
    struct dsnd_str prefix;
    enum mime_type_body body;
} bodies[] = {
    {DSND_STR_INIT("multipart/"), MIME_TYPE_MULTIPART},
    {DSND_STR_INIT("message/rfc822"), MIME_TYPE_MESSAGE},
    {DSND_STR_INIT("message/global-headers"), MIME_TYPE_HEADERS},
    {DSND_STR_INIT("message/global-delivery-status"), MIME_TYPE_TEXT},
    {DSND_STR_INIT("message/global-disposition-notification"), MIME_TYPE_TEXT},
    {DSND_STR_INIT("message/global"), MIME_TYPE_MESSAGE},
    {DSND_STR_INIT("message/news"), MIME_TYPE_MESSAGE},
    {DSND_STR_INIT("text/rfc822-headers"), MIME_TYPE_HEADERS},
    {DSND_STR_INIT("message/"), MIME_TYPE_TEXT},
    {DSND_STR_INIT("text/"), MIME_TYPE_TEXT},
    {DSND_STR_INIT("image/"), MIME_TYPE_OPAQUE},
    {DSND_STR_INIT("audio/"), MIME_TYPE_OPAQUE},
    {DSND_STR_INIT("video/"), MIME_TYPE_OPAQUE},
    {DSND_STR_INIT("font/"), MIME_TYPE_OPAQUE},
    {DSND_STR_INIT("model/"), MIME_TYPE_OPAQUE},
    {DSND_STR_INIT("application/"), MIME_TYPE_OPAQUE},
};

enum mime_type_body mime_type_body(struct dsnd_str value)
{
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
        if (dsnd_str_istarts(value, bodies[i].prefix))
            return bodies[i].body;
    return MIME_TYPE_TEXT;
}

struct dsnd_str mime_type_cut(struct dsnd_str *value)
{
    struct dsnd_str whole = *value;
    bool quoted = false;

    for (size_t i = 0; i < whole.len; i++) {
        if (quoted && whole.ptr[i] == '\\')
            i++;
        else if (whole.ptr[i] == '"')
            quoted = !quoted;
        else if (!quoted && whole.ptr[i] == ';') {
            *value = dsnd_str_slice(whole, i + 1, whole.len);
            return dsnd_str_slice(whole, 0, i);
        }
    }
    *value = DSND_STR_ABSENT;
    return whole;
}

static struct dsnd_str unquoted(struct dsnd_str s)
{
    size_t end;

    if (s.len == 0 || s.ptr[0] != '"') {
        for (end = 0; end < s.len && !dsnd_is_space(s.ptr[end]);)
            end++;
        return dsnd_str_slice(s, 0, end);
    }
    s = dsnd_str_slice(s, 1, s.len);
    end = dsnd_str_chr(s, '"');
    return dsnd_str_slice(s, 0, end);
}

struct dsnd_str mime_type_parameter(struct dsnd_str value, struct dsnd_str name)
{
    (void)mime_type_cut(&value); /* the type itself */
    while (value.ptr) {
        struct dsnd_str rest = mime_type_cut(&value);
        struct dsnd_str key = dsnd_str_cut(&rest, '=');

        if (rest.ptr && dsnd_str_ieq(dsnd_str_trim(key), name))
            return unquoted(dsnd_str_trim(rest));
    }
    return DSND_STR_ABSENT;
}
