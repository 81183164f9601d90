/*
 * Octets as hexadecimal digits and back (base16, RFC 4648 section 8). Pure, any thread.
 */
#ifndef DSND_BASE_HEX_H
#define DSND_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* What a digit of either case stands for, 0 to 15; -1: it is none. */
int hex_value(char c);
/* `text` is exactly `count` octets, two digits of either case each. False leaves `octets`
 * undefined. */
DSND_MUST_CHECK
bool hex_decode(struct dsnd_str text, unsigned char *octets, size_t count);
/* Lower case; `dst` gets 2 * count digits and a NUL. */
void hex_encode(const unsigned char *octets, size_t count, char *dst);

#endif
