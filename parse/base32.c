#include "parse/base32.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

char base32_char(uint32_t value)
{
    return alphabet[value & 31];
}

int base32_value(char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= '2' && c <= '7')
        return c - '2' + 26;
    return -1;
}

void base32_encode(const unsigned char *octets, size_t chars, char *dst)
{
    uint32_t bits = 0;
    unsigned held = 0;

    for (size_t i = 0; i < chars; i++) {
        if (held < 5) {
            bits = bits << 8 | *octets++;
            held += 8;
        }
        held -= 5;
        dst[i] = base32_char(bits >> held);
    }
}

bool base32_is(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (base32_value(text[i]) < 0)
            return false;
    return true;
}
