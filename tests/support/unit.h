/*
 * What every cmocka program includes: cmocka wants these headers before it.
 */
#ifndef DSND_TESTS_SUPPORT_UNIT_H
#define DSND_TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Fails with both texts when `got` is not the C string `want` (NULL: absent). */
#define assert_str(got, want)                                               \
    do {                                                                    \
        struct dsnd_str got_ = (got);                                       \
        struct dsnd_str want_ = dsnd_str_of(want);                          \
        if (!dsnd_str_eq(got_, want_))                                      \
            fail_msg("got \"%.*s\"%s, want \"%.*s\"%s", DSND_STR_ARG(got_), \
                     got_.ptr ? "" : " (absent)", DSND_STR_ARG(want_),      \
                     want_.ptr ? "" : " (absent)");                         \
    } while (0)

#endif
