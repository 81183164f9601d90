#include "parse/fields.h"

/* Printable ASCII but no colon (RFC 5322 section 2.2); a space before the colon is forgiven. */
static size_t name_length(struct dsnd_str line)
{
    size_t len = 0;

    while (len < line.len && line.ptr[len] > 0x20 && line.ptr[len] < 0x7f && line.ptr[len] != ':')
        len++;
    return len;
}

static bool is_blank(struct dsnd_str line)
{
    return dsnd_str_trim(line).len == 0;
}

/* Lines that begin with white space and are not blank belong to the field before them. */
static struct dsnd_str take_folded(struct dsnd_str *text, struct dsnd_str value)
{
    const char *start = value.ptr;
    const char *end = value.ptr + value.len;

    while (text->len && (text->ptr[0] == ' ' || text->ptr[0] == '\t')) {
        struct dsnd_str rest = *text;
        struct dsnd_str line = dsnd_str_line(&rest);

        if (is_blank(line))
            break;
        end = line.ptr + line.len;
        *text = rest;
    }
    return dsnd_str_trim(dsnd_str_make(start, (size_t)(end - start)));
}

enum fields_line fields_next(struct dsnd_str *text, struct field *ret_field)
{
    struct dsnd_str line = dsnd_str_line(text);
    size_t name;
    size_t colon;

    if (!line.ptr)
        return FIELDS_END;
    if (is_blank(line))
        return FIELDS_BLANK;
    name = name_length(line);
    colon = name;
    while (colon < line.len && (line.ptr[colon] == ' ' || line.ptr[colon] == '\t'))
        colon++;
    if (name == 0 || colon >= line.len || line.ptr[colon] != ':') {
        *ret_field = (struct field){DSND_STR_ABSENT, line};
        return FIELDS_JUNK;
    }
    ret_field->name = dsnd_str_slice(line, 0, name);
    ret_field->value = take_folded(text, dsnd_str_slice(line, colon + 1, line.len));
    return FIELDS_FIELD;
}

enum dsnd_err fields_unfold(struct dsnd_arena *arena, struct dsnd_str value,
                            struct dsnd_str *ret_text)
{
    size_t len = 0;
    char *out;

    value = dsnd_str_trim(value);
    if (dsnd_str_chr(value, '\n') == SIZE_MAX && dsnd_str_chr(value, '\t') == SIZE_MAX) {
        *ret_text = value;
        return DSND_OK;
    }
    out = dsnd_arena_alloc(arena, value.len);
    if (!out)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < value.len; i++) {
        bool space = dsnd_is_space(value.ptr[i]);

        if (!space)
            out[len++] = value.ptr[i];
        else if (len && out[len - 1] != ' ')
            out[len++] = ' ';
    }
    *ret_text = dsnd_str_make(out, len);
    return DSND_OK;
}

struct dsnd_str fields_skip_comment(struct dsnd_str s)
{
    s = dsnd_str_trim(s);
    while (s.len && s.ptr[0] == '(') {
        size_t depth = 0;
        size_t at = 0;

        for (; at < s.len; at++) {
            if (s.ptr[at] == '(')
                depth++;
            else if (s.ptr[at] == ')' && --depth == 0)
                break;
        }
        if (at == s.len)
            return s;
        s = dsnd_str_trim(dsnd_str_slice(s, at + 1, s.len));
    }
    return s;
}
