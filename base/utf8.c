#include "base/utf8.h"

#include <string.h>

size_t utf8_next(struct dsnd_str s, uint32_t *ret_char)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead;
    uint32_t value;
    size_t len;

    if (s.len == 0)
        return 0;
    lead = (unsigned char)s.ptr[0];
    len = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead >= 0xf5 || (lead >= 0x80 && lead < 0xc2) || len > s.len)
        return 0;
    value = len == 1 ? lead : lead & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        unsigned char next = (unsigned char)s.ptr[i];

        if ((next & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3fU);
    }
    if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    if (ret_char)
        *ret_char = value;
    return len;
}

/* Octets of ASCII at the front of `s`, counted in steps of a word: most text is nothing else. */
static size_t ascii_words(struct dsnd_str s)
{
    size_t at = 0;
    uint64_t word;

    while (s.len - at >= sizeof(word)) {
        memcpy(&word, s.ptr + at, sizeof(word));
        if (word & UINT64_C(0x8080808080808080))
            break;
        at += sizeof(word);
    }
    return at;
}

bool utf8_valid(struct dsnd_str s)
{
    while (s.len) {
        size_t len = ascii_words(s);

        if (!len)
            len = utf8_next(s, NULL);
        if (!len)
            return false;
        s = dsnd_str_slice(s, len, s.len);
    }
    return true;
}

struct dsnd_str utf8_cut(struct dsnd_str s, size_t max)
{
    if (s.len <= max)
        return s;
    s.len = max;
    /* Step back over at most three octets of a character that the cut went through. */
    for (size_t back = 1; back <= 4 && back <= s.len; back++) {
        struct dsnd_str tail = {s.ptr + (s.len - back), back};
        unsigned char c = (unsigned char)tail.ptr[0];

        if ((c & 0xc0) == 0x80)
            continue;
        if (c >= 0xc0 && utf8_next(tail, NULL) != back)
            s.len -= back;
        break;
    }
    return s;
}
