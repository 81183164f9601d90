#include "parse/prose_text.h"

#include <stdint.h>
#include <string.h>

#include "parse/prose_phrase.h"

static struct dsnd_str from_html(struct draft *draft, struct dsnd_str html, bool is_text)
{
    char *out = draft_alloc(draft, html.len + 1, 1);
    bool keep_lines = is_text || dsnd_str_ifind(html, DSND_STR("<pre")) != SIZE_MAX;

    return out ? dsnd_str_make(out, prose_text_html(html, keep_lines, out)) : DSND_STR_ABSENT;
}

/* Every line without its "> ". */
static struct dsnd_str unquoted(struct draft *draft, struct dsnd_str text)
{
    char *out = draft_alloc(draft, text.len + 1, 1);
    size_t len = 0;

    if (!out)
        return DSND_STR_ABSENT;
    while (text.ptr) {
        struct dsnd_str line = dsnd_str_cut(&text, '\n');
        bool is_quoted = false;

        while (line.len &&
               (line.ptr[0] == '>' || (line.ptr[0] == ' ' && line.len > 1 && line.ptr[1] == '>'))) {
            line = dsnd_str_slice(line, 1, line.len);
            is_quoted = true;
        }
        /* The space behind the mark: fields begin their lines again. */
        if (is_quoted && line.len && line.ptr[0] == ' ')
            line = dsnd_str_slice(line, 1, line.len);
        if (line.len)
            memcpy(out + len, line.ptr, line.len);
        len += line.len;
        if (text.ptr)
            out[len++] = '\n';
    }
    return dsnd_str_make(out, len);
}

static bool begins_copy(struct dsnd_str line)
{
    struct prose_match match;
    size_t at = 0;

    while (at < line.len && strchr(" \t-=*|_>#", line.ptr[at]))
        at++;
    /* The longest decides: "Original message details" are more explanations. */
    if (at == line.len ||
        !prose_phrase_at(line, at, 1u << PROSE_COPY | 1u << PROSE_CLOSE, &match) ||
        match.phrase->role != PROSE_COPY)
        return false;
    /* Some list a few indented headers before they say what happened. */
    return !(dsnd_is_space(line.ptr[0]) && line.ptr[match.end - 1] == ':');
}

/* Cut at the line that announces the returned message. */
static struct prose_text split(struct dsnd_str text)
{
    struct dsnd_str rest = text;

    while (rest.len) {
        struct dsnd_str line = dsnd_str_cut(&rest, '\n');
        size_t start = (size_t)(line.ptr - text.ptr);

        if (begins_copy(line))
            return (struct prose_text){dsnd_str_slice(text, 0, start),
                                       dsnd_str_slice(text, start, text.len)};
    }
    return (struct prose_text){text, DSND_STR("")};
}

struct prose_text prose_text_of(struct draft *draft, const struct mime_part *part,
                                bool is_forwarded)
{
    struct dsnd_str text = dsnd_str_slice(part->text, 0, PROSE_TEXT_OCTETS);

    if (part->role == MIME_ROLE_HTML)
        text = from_html(draft, text, false);
    else if (dsnd_str_ifind(text, DSND_STR("<br>")) != SIZE_MAX)
        text = from_html(draft, text, true);
    if (is_forwarded)
        text = unquoted(draft, text);
    return split(text);
}
