#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ingest/smtp_budget.h"

static void all_take_what_there_is_and_no_more(void **state)
{
    struct smtp_budget budget = {.max = 100, .share_max = 100};

    (void)state;
    assert_true(smtp_budget_take(&budget, NULL, 100));
    assert_false(smtp_budget_take(&budget, NULL, 1));
    smtp_budget_give(&budget, NULL, 1);
    assert_true(smtp_budget_take(&budget, NULL, 1));
    assert_false(smtp_budget_take(&budget, NULL, SIZE_MAX));
    assert_int_equal(budget.used, 100);
}

static void a_client_takes_its_share_and_leaves_the_rest_to_others(void **state)
{
    struct smtp_budget budget = {.max = 100, .share_max = 12};
    struct smtp_share one = {0};
    struct smtp_share other = {0};

    (void)state;
    assert_true(smtp_budget_take(&budget, &one, 6));
    assert_true(smtp_budget_take(&budget, &one, 6));
    assert_false(smtp_budget_take(&budget, &one, 1));
    assert_int_equal(budget.used, 12);
    assert_true(smtp_budget_take(&budget, &other, 12));
    assert_true(smtp_budget_take(&budget, NULL, 70));
    smtp_budget_give(&budget, &one, 6);
    assert_int_equal(one.used, 6);
    assert_true(smtp_budget_take(&budget, &one, 6));
}

static void what_the_budget_refuses_is_not_counted_in_the_share(void **state)
{
    struct smtp_budget budget = {.max = 10, .share_max = 100};
    struct smtp_share share = {0};

    (void)state;
    assert_false(smtp_budget_take(&budget, &share, 11));
    assert_int_equal(share.used, 0);
    assert_int_equal(budget.used, 0);
}

static void above_three_quarters_memory_is_short(void **state)
{
    struct smtp_budget budget = {.max = 100, .share_max = 100};

    (void)state;
    assert_true(smtp_budget_take(&budget, NULL, 75));
    assert_false(smtp_budget_pressed(&budget));
    assert_true(smtp_budget_take(&budget, NULL, 1));
    assert_true(smtp_budget_pressed(&budget));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_take_what_there_is_and_no_more),
        cmocka_unit_test(a_client_takes_its_share_and_leaves_the_rest_to_others),
        cmocka_unit_test(what_the_budget_refuses_is_not_counted_in_the_share),
        cmocka_unit_test(above_three_quarters_memory_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
