#include "parse/prose_text.h"

#include <stdint.h>
#include <string.h>

enum { TAG_OCTETS = 2048 };

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

static const struct {
    struct dsnd_str name;
    char c;
} entities[] = {
    {DSND_STR_INIT("&lt;"), '<'},   {DSND_STR_INIT("&gt;"), '>'},    {DSND_STR_INIT("&amp;"), '&'},
    {DSND_STR_INIT("&quot;"), '"'}, {DSND_STR_INIT("&nbsp;"), ' '},  {DSND_STR_INIT("&#39;"), '\''},
    {DSND_STR_INIT("&#64;"), '@'},  {DSND_STR_INIT("&apos;"), '\''}, {DSND_STR_INIT("&#43;"), '+'},
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

/* The entity at `at`: its character to `*ret_char`, its length; 0 where it is none. */
static size_t entity_at(struct dsnd_str html, size_t at, char *ret_char)
{
    struct dsnd_str rest = dsnd_str_slice(html, at, html.len);

    for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++) {
        if (!dsnd_str_istarts(rest, entities[i].name))
            continue;
        *ret_char = entities[i].c;
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
        size_t taken = c == '&' ? entity_at(html, at, &c) : 0;

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
