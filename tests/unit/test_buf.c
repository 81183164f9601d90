#include "tests/support/unit.h"

#include "base/arena.h"
#include "base/buf.h"

static void buffer_grows_to_its_cap_and_no_further(void **state)
{
    struct dsnd_buf buf = DSND_BUF_INIT(1000);

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(dsnd_buf_add_char(&buf, 'x'), DSND_OK);
    assert_int_equal(dsnd_buf_add_char(&buf, 'x'), DSND_ERR_LIMIT);
    assert_int_equal(buf.len, 1000);
    assert_int_equal(dsnd_buf_reserve(&buf, SIZE_MAX), DSND_ERR_LIMIT);
    dsnd_buf_done(&buf);
}

static void failed_add_leaves_what_was_there(void **state)
{
    struct dsnd_buf buf = DSND_BUF_INIT(4);

    (void)state;
    assert_int_equal(dsnd_buf_add(&buf, DSND_STR("abc")), DSND_OK);
    assert_int_equal(dsnd_buf_add(&buf, DSND_STR("de")), DSND_ERR_LIMIT);
    assert_str(dsnd_buf_str(&buf), "abc");
    dsnd_buf_done(&buf);
}

static void consume_removes_from_the_front(void **state)
{
    struct dsnd_buf buf = DSND_BUF_INIT(64);

    (void)state;
    assert_int_equal(dsnd_buf_addf(&buf, "%d-%s", 42, "abc"), DSND_OK);
    dsnd_buf_consume(&buf, 3);
    assert_str(dsnd_buf_str(&buf), "abc");
    dsnd_buf_consume(&buf, 99);
    assert_str(dsnd_buf_str(&buf), "");
    dsnd_buf_done(&buf);
}

static void arena_refuses_beyond_its_cap(void **state)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(100 * 1024);
    struct dsnd_str copy;

    (void)state;
    assert_non_null(dsnd_arena_alloc(&arena, 60 * 1024));
    assert_null(dsnd_arena_alloc(&arena, 60 * 1024));
    assert_non_null(dsnd_arena_alloc(&arena, 30 * 1024));
    assert_null(dsnd_arena_array(&arena, SIZE_MAX / 4, 8));
    dsnd_arena_clear(&arena);
    assert_int_equal(dsnd_arena_copy(&arena, DSND_STR("a\0b"), &copy), DSND_OK);
    assert_true(dsnd_str_eq(copy, DSND_STR("a\0b")));
    assert_int_equal(dsnd_arena_copy(&arena, DSND_STR_ABSENT, &copy), DSND_OK);
    assert_false(dsnd_str_present(copy));
    dsnd_arena_done(&arena);
}

static void arena_memory_is_zero_and_aligned_after_reuse(void **state)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(1 << 20);

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t octets = 1; octets < 100; octets++) {
            unsigned char *p = dsnd_arena_alloc(&arena, octets);

            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < octets; i++) {
                assert_int_equal(p[i], 0);
                p[i] = 0xff;
            }
        }
        dsnd_arena_clear(&arena);
    }
    dsnd_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_grows_to_its_cap_and_no_further),
        cmocka_unit_test(failed_add_leaves_what_was_there),
        cmocka_unit_test(consume_removes_from_the_front),
        cmocka_unit_test(arena_refuses_beyond_its_cap),
        cmocka_unit_test(arena_memory_is_zero_and_aligned_after_reuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
