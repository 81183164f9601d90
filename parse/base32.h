/*
 * Base32 of RFC 4648 section 6 in lower case and without padding. Pure functions, any thread.
 */
#ifndef DSND_PARSE_BASE32_H
#define DSND_PARSE_BASE32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The first `chars` characters of the base32 form of `octets`; the caller has at least
 * chars * 5 / 8 of them, rounded up. No NUL is written.
 */
void base32_encode(const unsigned char *octets, size_t chars, char *dst);

/* 0 to 31 for a character of the lower-case alphabet, -1 for any other octet. */
int base32_value(char c);
/* The character of a value, of which only the lowest five bits count. */
char base32_char(uint32_t value);

/* Every one of `len` octets is of the lower-case alphabet. */
bool base32_is(const char *text, size_t len);

#endif
