#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "parse/provider.h"
#include "parse/rules.h"
#include "parse/status_code.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

static struct rule_set *builtin;
static struct rule_scratch *scratch;

static int load_builtin(void **state)
{
    (void)state;
    return rule_set_builtin(&builtin) || rule_scratch_new(builtin, &scratch);
}

static int free_builtin(void **state)
{
    (void)state;
    rule_scratch_free(scratch);
    rule_set_free(builtin);
    return 0;
}

static void every_builtin_rule_decides_its_test_texts(void **state)
{
    struct dsnd_buf problems = DSND_BUF_INIT(1 << 20);
    size_t count = 0;

    (void)state;
    assert_int_equal(rule_set_check(builtin, &problems, &count), DSND_OK);
    if (count)
        print_error("%.*s", DSND_STR_ARG(dsnd_buf_str(&problems)));
    dsnd_buf_done(&problems);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_builtin_rule_decides_its_test_texts),
    };

    return cmocka_run_group_tests(tests, load_builtin, free_builtin);
}
