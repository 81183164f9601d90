#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/hex.h"

static void digits_of_either_case_are_read(void **state)
{
    static const struct {
        const char *text;
        bool good;
        const char *octets;
    } rows[] = {
        {"0aF9", true, "\x0a\xf9"},
        {"ffFF", true, "\xff\xff"},
        {"0000", true, "\0\0"},
        {"0aF", false, NULL},
        {"0aF90", false, NULL},
        {"", false, NULL},
        {"0aFg", false, NULL},
        {"0a/9", false, NULL},
        {"0a:9", false, NULL},
        {"0a@9", false, NULL},
        {"0a`9", false, NULL},
        {"0aG9", false, NULL},
        {" aF9", false, NULL},
        {"\xff"
         "aF9",
         false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        unsigned char octets[2];

        assert_int_equal(hex_decode(dsnd_str_of(rows[i].text), octets, 2), rows[i].good);
        if (rows[i].good)
            assert_memory_equal(octets, rows[i].octets, 2);
    }
}

static void what_is_written_reads_back(void **state)
{
    unsigned char octets[256];
    unsigned char again[256];
    char text[2 * sizeof(octets) + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (unsigned char)i;
    hex_encode(octets, sizeof(octets), text);
    assert_int_equal(strlen(text), 2 * sizeof(octets));
    assert_memory_equal(text, "000102030405060708090a0b0c0d0e0f10", 34);
    assert_true(hex_decode(dsnd_str_of(text), again, sizeof(again)));
    assert_memory_equal(again, octets, sizeof(octets));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_of_either_case_are_read),
        cmocka_unit_test(what_is_written_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
