#include "parse/prose_host.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What stands before a host's name, the surest first. */
static const struct dsnd_str leads[] = {
    DSND_STR_INIT("while talking to "),
    DSND_STR_INIT("host: "),
    DSND_STR_INIT("host "),
    DSND_STR_INIT("Connected to "),
    DSND_STR_INIT("Server "),
    DSND_STR_INIT("Mailer "),
    DSND_STR_INIT("remote server "),
    DSND_STR_INIT("recipient domain by "),
    DSND_STR_INIT("Remote-MTA: dns; "),
};

/* What stands behind a host that begins the text. */
static const struct dsnd_str tails[] = {
    DSND_STR_INIT(" does not like"),
    DSND_STR_INIT(" failed after"),
    DSND_STR_INIT(" did not like"),
    DSND_STR_INIT(" responded with"),
    DSND_STR_INIT("["),
    DSND_STR_INIT(" ["),
};

static bool is_host_char(char c)
{
    return dsnd_is_alpha(c) || dsnd_is_digit(c) || c == '.' || c == '-' || c == '_';
}

/* The host's name that `text` begins with: letters, digits and a dot inside. */
static struct dsnd_str leading_host(struct dsnd_str text)
{
    size_t from = text.len && (text.ptr[0] == '<' || text.ptr[0] == '[');
    size_t to = from;

    while (to < text.len && is_host_char(text.ptr[to]))
        to++;
    text = dsnd_str_slice(text, from, to);
    while (text.len && text.ptr[text.len - 1] == '.')
        text.len--;
    return dsnd_str_chr(text, '.') == SIZE_MAX ? DSND_STR_ABSENT : text;
}

struct dsnd_str prose_host_find(struct dsnd_str text)
{
    struct dsnd_str host = leading_host(text);

    for (size_t i = 0; host.len && i < sizeof(tails) / sizeof(*tails); i++)
        if (dsnd_str_starts(dsnd_str_slice(text, host.len, text.len), tails[i]))
            return host;
    for (size_t i = 0; i < sizeof(leads) / sizeof(*leads); i++) {
        size_t at = dsnd_str_ifind(text, leads[i]);

        if (at == SIZE_MAX)
            continue;
        host = leading_host(dsnd_str_slice(text, at + leads[i].len, text.len));
        if (host.len)
            return host;
    }
    return DSND_STR_ABSENT;
}
