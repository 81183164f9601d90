#include "parse/prose_text.h"

#include <stdint.h>
#include <string.h>

enum { TAG_OCTETS = 2048, NUMBER_DIGITS = 7 };

/* Tags that end a line. */
static const struct dsnd_str line_tags[] = {
    DSND_STR_INIT("br"), DSND_STR_INIT("p"),  DSND_STR_INIT("div"),        DSND_STR_INIT("tr"),
    DSND_STR_INIT("li"), DSND_STR_INIT("ul"), DSND_STR_INIT("table"),      DSND_STR_INIT("pre"),
    DSND_STR_INIT("h1"), DSND_STR_INIT("h2"), DSND_STR_INIT("blockquote"), DSND_STR_INIT("h3"),
    DSND_STR_INIT("hr"), DSND_STR_INIT("dd"), DSND_STR_INIT("dt"),
};

/* Elements whose content is not for people. */
static const struct dsnd_str hidden_tags[] = {
    DSND_STR_INIT("style"),
    DSND_STR_INIT("script"),
    DSND_STR_INIT("title"),
};

/* By name, as HTML 4 section 24 has them; in UTF-8, but quotation marks as patterns write them. */
static const struct {
    struct dsnd_str name;
    struct dsnd_str text;
} entities[] = {
#define ENTITY(name, text) {DSND_STR_INIT("&" name ";"), DSND_STR_INIT(text)},
#include "parse/prose_entities.def"
#undef ENTITY
};

static bool is_one_of(const struct dsnd_str *names, size_t count, struct dsnd_str name)
{
    for (size_t i = 0; i < count; i++)
        if (dsnd_str_ieq(names[i], name))
            return true;
    return false;
}

static struct dsnd_str tag_name(struct dsnd_str tag)
{
    size_t from = tag.len && tag.ptr[0] == '/';
    size_t to = from;

    while (to < tag.len && (dsnd_is_alpha(tag.ptr[to]) || dsnd_is_digit(tag.ptr[to])))
        to++;
    return dsnd_str_slice(tag, from, to);
}

/* What stands in "<...>" is a tag and no address in brackets. */
static bool is_tag(struct dsnd_str inside)
{
    size_t at = dsnd_str_chr(inside, '@');

    if (!inside.len || !(dsnd_is_alpha(inside.ptr[0]) || strchr("/!?", inside.ptr[0])))
        return false;
    return at == SIZE_MAX || dsnd_str_chr(dsnd_str_slice(inside, 0, at), ' ') != SIZE_MAX ||
           dsnd_str_chr(dsnd_str_slice(inside, 0, at), '\n') != SIZE_MAX;
}

/* Behind the end of a hidden element that was opened; the whole text where it has none. */
static size_t skip_hidden(struct dsnd_str html, size_t at, struct dsnd_str name)
{
    for (; at + 2 + name.len < html.len; at++) {
        if (html.ptr[at] == '<' && html.ptr[at + 1] == '/' &&
            dsnd_str_ieq(dsnd_str_slice(html, at + 2, at + 2 + name.len), name))
            return at;
    }
    return html.len;
}

/* "&#233;" or "&#xe9;" at the front of `s`: its length, and the code point; 0 where none is. */
static size_t number_at(struct dsnd_str s, uint32_t *ret_char)
{
    bool is_hex = s.len > 2 && (s.ptr[2] | 0x20) == 'x';
    size_t first = is_hex ? 3 : 2;
    size_t at = first;
    uint32_t value = 0;

    if (!dsnd_str_starts(s, DSND_STR("&#")))
        return 0;
    for (; at < s.len && at < first + NUMBER_DIGITS; at++) {
        char c = dsnd_lower(s.ptr[at]);

        if (dsnd_is_digit(c))
            value = value * (is_hex ? 16 : 10) + (uint32_t)(c - '0');
        else if (is_hex && c >= 'a' && c <= 'f')
            value = value * 16 + (uint32_t)(c - 'a') + 10;
        else
            break;
    }
    if (at == first || at >= s.len || s.ptr[at] != ';')
        return 0;
    *ret_char = value;
    return at + 1;
}

/* `c` as UTF-8 (RFC 3629) to `out`; its octets, at most 4; 0 where it is no character. */
static size_t put_char(uint32_t c, char *out)
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(marks[len == 1 ? 0 : len] | c);
    return len;
}

/* The entity at the front of `s`: its length, and its text to `out`; 0 where none is known. */
static size_t entity_at(struct dsnd_str s, char *out, size_t *ret_len)
{
    uint32_t c = 0;
    size_t taken = number_at(s, &c);

    if (taken) {
        *ret_len = c == 0xa0 ? put_char(' ', out) : put_char(c, out);
        return taken;
    }
    for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++) {
        if (!dsnd_str_starts(s, entities[i].name))
            continue;
        *ret_len = entities[i].text.len;
        memcpy(out, entities[i].text.ptr, entities[i].text.len);
        return entities[i].name.len;
    }
    return 0;
}

/* Take the tag that begins at `*at`; false, and nothing taken, where none does. */
static bool take_tag(struct dsnd_str html, size_t *at, char *ret_char)
{
    struct dsnd_str inside = dsnd_str_slice(html, *at + 1, html.len);
    struct dsnd_str name;
    size_t end;

    if (dsnd_str_starts(inside, DSND_STR("!--"))) {
        end = dsnd_str_find(inside, DSND_STR("-->"));
        *at = end == SIZE_MAX ? html.len : *at + 1 + end + 3;
        *ret_char = ' ';
        return true;
    }
    /* A tag that does not end soon is none: "<" in prose must not cost a search of all the rest. */
    inside = dsnd_str_slice(inside, 0, TAG_OCTETS);
    end = dsnd_str_chr(inside, '>');
    inside = dsnd_str_slice(inside, 0, end);
    if (end == SIZE_MAX || !is_tag(inside))
        return false;
    name = tag_name(inside);
    *at += inside.len + 2;
    *ret_char = is_one_of(line_tags, sizeof(line_tags) / sizeof(*line_tags), name) ? '\n' : '\0';
    if (inside.ptr[0] != '/' &&
        is_one_of(hidden_tags, sizeof(hidden_tags) / sizeof(*hidden_tags), name))
        *at = skip_hidden(html, *at, name);
    return true;
}

size_t prose_text_html(struct dsnd_str html, bool keep_lines, char *out)
{
    size_t len = 0;

    for (size_t at = 0; at < html.len;) {
        char c = html.ptr[at];
        size_t added = 0;
        size_t taken =
            c == '&' ? entity_at(dsnd_str_slice(html, at, html.len), out + len, &added) : 0;

        if (taken && !(added == 1 && out[len] == ' ')) {
            at += taken;
            len += added; /* never more than was taken */
            continue;
        }
        if (taken)
            c = ' ';
        if (html.ptr[at] != '<' || !take_tag(html, &at, &c)) {
            at += taken ? taken : 1;
            if (c == '\n' && !keep_lines)
                c = ' ';
        }
        if (c && !(c == ' ' && len && out[len - 1] == ' '))
            out[len++] = c;
    }
    return len;
}
