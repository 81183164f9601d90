#include "base/hex.h"

int hex_value(char c)
{
    if (dsnd_is_digit(c))
        return c - '0';
    c = dsnd_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct dsnd_str text, unsigned char *octets, size_t count)
{
    if (text.len != 2 * count)
        return false;
    for (size_t i = 0; i < count; i++) {
        int high = hex_value(text.ptr[2 * i]);
        int low = hex_value(text.ptr[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        octets[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void hex_encode(const unsigned char *octets, size_t count, char *dst)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        dst[2 * i] = digits[octets[i] >> 4];
        dst[2 * i + 1] = digits[octets[i] & 15];
    }
    dst[2 * count] = '\0';
}
