#include "parse/mime_boundary.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "parse/mime_type.h"

enum { PIECES_MAX = 10, BOUNDARY_OCTETS = 128 }; /* RFC 2046 section 5.1.1 allows 70 octets */

static const struct dsnd_str piece_name = DSND_STR_INIT("boundary*");

struct joined {
    char octets[BOUNDARY_OCTETS];
    size_t len;
};

/* An octet of the boundary; false for one that needs an escape or for one too many. */
static bool add(struct joined *self, char c)
{
    if (self->len == sizeof(self->octets) || c < 0x20 || c > 0x7e || c == '"' || c == '\\')
        return false;
    self->octets[self->len++] = c;
    return true;
}

static bool add_plain(struct joined *self, struct dsnd_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!add(self, text.ptr[i]))
            return false;
    return true;
}

static bool add_coded(struct joined *self, struct dsnd_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char octet = (unsigned char)text.ptr[i];

        if (octet == '%' && hex_decode(dsnd_str_slice(text, i + 1, i + 3), &octet, 1))
            i += 2;
        if (!add(self, (char)octet))
            return false;
    }
    return true;
}

/* Behind charset and language; absent where they lack. */
static struct dsnd_str without_charset(struct dsnd_str text)
{
    (void)dsnd_str_cut(&text, '\'');
    (void)dsnd_str_cut(&text, '\'');
    return text;
}

/* The piece of that number; false where what it says fits no boundary. */
static bool add_piece(struct joined *self, struct dsnd_str type, unsigned number, bool *ret_found)
{
    char name[sizeof("boundary*9*")];
    struct dsnd_str plain;
    struct dsnd_str coded;

    (void)snprintf(name, sizeof(name), "boundary*%u", number % PIECES_MAX);
    plain = mime_type_parameter(type, dsnd_str_of(name));
    (void)snprintf(name, sizeof(name), "boundary*%u*", number % PIECES_MAX);
    coded = mime_type_parameter(type, dsnd_str_of(name));
    if (!coded.ptr && number == 0)
        coded = mime_type_parameter(type, piece_name);
    *ret_found = plain.ptr || coded.ptr;
    if (!*ret_found)
        return true;
    if (plain.ptr)
        return add_plain(self, plain);
    return add_coded(self, number == 0 ? without_charset(coded) : coded);
}

static struct joined join(struct dsnd_str type)
{
    struct joined joined = {.len = 0};
    bool found = !mime_type_parameter(type, DSND_STR("boundary")).ptr;

    for (unsigned i = 0; i < PIECES_MAX && found; i++)
        if (!add_piece(&joined, type, i, &found))
            return (struct joined){.len = 0};
    return joined;
}

/* Leave out the parameters that are pieces; the length of the rest. */
static size_t drop_pieces(char *value, struct dsnd_str type)
{
    size_t len = 0;

    while (type.ptr) {
        struct dsnd_str parameter = mime_type_cut(&type);

        if (dsnd_str_istarts(dsnd_str_trim(parameter), piece_name))
            continue;
        if (len)
            value[len++] = ';';
        memmove(value + len, parameter.ptr, parameter.len);
        len += parameter.len;
    }
    return len;
}

void mime_boundary_join(char *value, size_t len)
{
    struct dsnd_str type = dsnd_str_make(value, len);
    struct joined boundary;
    char parameter[BOUNDARY_OCTETS + sizeof(";boundary=\"\"")];
    size_t kept;
    size_t more;

    if (dsnd_str_ifind(type, piece_name) == SIZE_MAX)
        return;
    boundary = join(type);
    kept = drop_pieces(value, type);
    more = (size_t)snprintf(parameter, sizeof(parameter), ";boundary=\"%.*s\"", (int)boundary.len,
                            boundary.octets);
    memset(value + kept, ' ', len - kept);
    /* A piece is never shorter than what it becomes here. */
    if (boundary.len && more <= len - kept)
        memcpy(value + kept, parameter, more);
}
