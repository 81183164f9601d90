/* JSON out and in, rates, and cells of CSV. */
#include "tests/support/unit.h"

#include <jansson.h>
#include <string.h>

#include "api/csv_in.h"
#include "api/json_in.h"
#include "api/json_out.h"
#include "api/rates.h"
#include "api/rows_out.h"

static void strings_are_escaped_and_bad_octets_replaced(void **state)
{
    static const struct {
        struct dsnd_str value;
        const char *want;
    } rows[] = {
        {{NULL, 0}, "null"},
        {{"", 0}, "\"\""},
        {{"a\"\\/b", 5}, "\"a\\\"\\\\/b\""},
        {{"\x01\n\t\r\x1f", 5}, "\"\\u0001\\u000a\\u0009\\u000d\\u001f\""},
        {{"a\0b", 3}, "\"a\\u0000b\""},
        {{"\xc3\xa9\xf0\x9f\x98\x80", 6}, "\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {{"a\xff"
          "b",
          3},
         "\"a\xef\xbf\xbd"
         "b\""},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct dsnd_buf out = DSND_BUF_INIT(1000);
        struct json_out json;

        json_out_init(&json, &out);
        json_out_str(&json, rows[i].value);
        assert_int_equal(json.err, DSND_OK);
        assert_str(dsnd_buf_str(&out), rows[i].want);
        dsnd_buf_done(&out);
    }
}

static void commas_and_nesting_are_right(void **state)
{
    struct dsnd_buf out = DSND_BUF_INIT(1000);
    struct json_out json;

    (void)state;
    json_out_init(&json, &out);
    json_out_object(&json);
    json_out_name(&json, "a");
    json_out_array(&json);
    json_out_int(&json, INT64_MIN);
    json_out_object(&json);
    json_out_object_end(&json);
    json_out_bool(&json, true);
    json_out_array_end(&json);
    json_out_name(&json, "b");
    json_out_fraction(&json, 1.0 / 3);
    json_out_name(&json, "c");
    json_out_fraction(&json, 1);
    json_out_object_end(&json);
    assert_str(dsnd_buf_str(&out),
               "{\"a\":[-9223372036854775808,{},true],\"b\":0.3333333333,\"c\":1}");
    dsnd_buf_done(&out);
}

static void the_first_error_sticks(void **state)
{
    struct dsnd_buf out = DSND_BUF_INIT(4);
    struct json_out json;

    (void)state;
    json_out_init(&json, &out);
    json_out_str(&json, DSND_STR("too long"));
    assert_int_equal(json.err, DSND_ERR_LIMIT);
    json_out_int(&json, 1);
    assert_int_equal(json.err, DSND_ERR_LIMIT);
    dsnd_buf_done(&out);
}

struct target {
    bool given;
    struct dsnd_str text;
    struct dsnd_str ref;
    int64_t count;
    int64_t us;
    json_t *array;
};

static enum dsnd_err read_object(const char *text, json_t **ret_json, struct target *target,
                                 struct params_error *error)
{
    static const struct member_spec specs[] = {
        {"text", MEMBER_STRING, offsetof(struct target, text), offsetof(struct target, given), 5},
        {"ref", MEMBER_REF, offsetof(struct target, ref), SIZE_MAX, 0},
        {"count", MEMBER_COUNT, offsetof(struct target, count), SIZE_MAX, 9},
        {"us", MEMBER_TIME, offsetof(struct target, us), SIZE_MAX, 0},
        {"array", MEMBER_ARRAY, offsetof(struct target, array), SIZE_MAX, 2},
    };
    enum dsnd_err err = json_in_parse(dsnd_str_of(text), false, ret_json, error);

    return err ? err : json_in_members(*ret_json, specs, ROWS(specs), target, error);
}

static void members_are_read_by_their_types_and_null_is_given_but_empty(void **state)
{
    struct target target = {.count = -1};
    struct params_error error;
    json_t *json = NULL;

    (void)state;
    assert_int_equal(read_object("{\"text\":null,\"ref\":\"a-1\",\"count\":9,"
                                 "\"us\":\"1970-01-01T00:00:01Z\",\"array\":[1,2]}",
                                 &json, &target, &error),
                     DSND_OK);
    assert_true(target.given);
    assert_str(target.text, NULL);
    assert_str(target.ref, "a-1");
    assert_int_equal(target.count, 9);
    assert_int_equal(target.us, 1000000);
    assert_int_equal(json_array_size(target.array), 2);
    json_decref(json);
}

static void a_bad_member_is_named_with_what_is_allowed(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        const char *word;
    } rows[] = {
        {"", "body", "JSON"},
        {"{", "body", "JSON"},
        {"[]", "body", "object"},
        {"5", "body", "JSON"},
        {"{\"a\":1}{}", "body", "JSON"},
        {"{\"count\":1,\"count\":2}", "body", "JSON"},
        {"{\"text\":\"\xff\"}", "body", "JSON"},
        {"{\"text\":\"\\u0000\"}", "body", "JSON"},
        {"{\"text\":\"\\ud800\"}", "body", "JSON"},
        {"{\"text\":5}", "text", "string"},
        {"{\"text\":\"abcdef\"}", "text", "too long"},
        {"{\"text\":\"a\\nb\"}", "text", "control"},
        {"{\"ref\":\"aaaaaaaaaaaaaaaaa\"}", "ref", "1 to 16"},
        {"{\"count\":10}", "count", "0 to 9"},
        {"{\"count\":-1}", "count", "0 to 9"},
        {"{\"count\":1.0}", "count", "0 to 9"},
        {"{\"us\":1}", "us", "RFC 3339"},
        {"{\"array\":[1,2,3]}", "array", "at most 2"},
        {"{\"array\":{}}", "array", "at most 2"},
        {"{\"nosuch\":1}", "nosuch", "text, ref"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct target target = {.count = -1};
        struct params_error error = {"", ""};
        json_t *json = NULL;

        assert_int_equal(read_object(rows[i].text, &json, &target, &error), DSND_ERR_SYNTAX);
        assert_string_equal(error.name, rows[i].name);
        if (!strstr(error.detail, rows[i].word))
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].text, error.detail, rows[i].word);
        json_decref(json);
    }
}

static void a_rate_is_null_where_its_denominator_cannot_be_right(void **state)
{
    static const struct {
        int64_t numerator;
        int64_t denominator; /* -1: not known */
        bool usable;
        const char *want;
    } rows[] = {
        {1, 4, true, "\"r\":{\"value\":0.25,\"numerator\":1,\"denominator\":4}"},
        {4, 4, true, "\"r\":{\"value\":1,\"numerator\":4,\"denominator\":4}"},
        {0, 4, true, "\"r\":{\"value\":0,\"numerator\":0,\"denominator\":4}"},
        {5, 4, true, "\"r\":{\"value\":null,\"numerator\":5,\"denominator\":4}"},
        {0, 0, true, "\"r\":{\"value\":null,\"numerator\":0,\"denominator\":0}"},
        {1, 4, false, "\"r\":{\"value\":null,\"numerator\":1,\"denominator\":4}"},
        {1, -1, true, "\"r\":{\"value\":null,\"numerator\":1,\"denominator\":null}"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct dsnd_buf out = DSND_BUF_INIT(1000);
        struct json_out json;

        json_out_init(&json, &out);
        rates_write_one(&json, "r", rows[i].numerator,
                        rows[i].denominator < 0 ? NULL : &rows[i].denominator, rows[i].usable);
        assert_str(dsnd_buf_str(&out), rows[i].want);
        dsnd_buf_done(&out);
    }
}

static void cells_are_quoted_and_formulas_defused(void **state)
{
    static const struct {
        const char *value;
        const char *want;
    } rows[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"a,b", "\"a,b\""},
        {"a\"b", "\"a\"\"b\""},
        {"a\r\nb", "\"a\r\nb\""},
        {"=1+1", "'=1+1"},
        {"+1", "'+1"},
        {"-1", "'-1"},
        {"@SUM(A1)", "'@SUM(A1)"},
        {"\t=1", "'\t=1"},
        {"=\"a\"", "\"'=\"\"a\"\"\""},
        {"a=1", "a=1"},
        {"'=1", "''=1"},
        {"''@a", "'''@a"},
        {"'tis", "'tis"},
        {"''", "''"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct dsnd_buf out = DSND_BUF_INIT(1000);

        assert_int_equal(rows_out_csv_cell(&out, dsnd_str_of(rows[i].value)), DSND_OK);
        assert_str(dsnd_buf_str(&out), rows[i].want);
        dsnd_buf_done(&out);
    }
}

/* Cells end at '|'. */
static void records_of_csv_are_cut_off_one_by_one(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
        const char *rest;
    } rows[] = {
        {"a,b\r\nc", "a|b|", "c"},
        {"a,b\nc", "a|b|", "c"},
        {"a,b", "a|b|", ""},
        {"\r\n", "|", ""},
        {",", "||", ""},
        {"a,\n", "a||", ""},
        {"\"a,\r\nb\",c\n", "a,\r\nb|c|", ""},
        {"\"a\"\"b\"\n", "a\"b|", ""},
        {"\"\"\r\nx", "|", "x"},
        {"a\"b\n", "a\"b|", ""},
        {"'=1,'a\n", "=1|'a|", ""},
        {"''=1,''a,\"''\t\"\n", "'=1|''a|'\t|", ""},
        {"\"a", NULL, NULL},
        {"\"a\"b\n", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct dsnd_arena arena = DSND_ARENA_INIT(65536);
        struct dsnd_buf joined = DSND_BUF_INIT(1000);
        struct dsnd_str rest = dsnd_str_of(rows[i].text);
        struct csv_record record;
        enum dsnd_err err = csv_in_record(&rest, &arena, &record);

        if (!err != (rows[i].want != NULL))
            fail_msg("%s", rows[i].text);
        for (size_t cell = 0; !err && cell < record.count; cell++) {
            assert_int_equal(dsnd_buf_add(&joined, record.cell[cell]), DSND_OK);
            assert_int_equal(dsnd_buf_add_char(&joined, '|'), DSND_OK);
        }
        if (!err) {
            assert_str(dsnd_buf_str(&joined), rows[i].want);
            assert_str(rest, rows[i].rest);
        }
        dsnd_buf_done(&joined);
        dsnd_arena_done(&arena);
    }
}

/* Of the octets that mean something, at random but the same each time. */
static void a_cell_is_read_as_it_was_printed(void **state)
{
    static const char octets[] = "''''==+-@\t\r\n\",, a\xc3\xa9";
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct dsnd_arena arena = DSND_ARENA_INIT(65536);
        struct dsnd_buf out = DSND_BUF_INIT(1000);
        struct csv_record record;
        struct dsnd_str rest;
        char text[7];
        size_t len;

        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        len = (seed >> 60) % (sizeof(text) + 1);
        for (size_t at = 0; at < len; at++)
            text[at] = octets[(seed >> (8 * at) & 0xff) % (sizeof(octets) - 1)];
        assert_int_equal(rows_out_csv_cell(&out, dsnd_str_make(text, len)), DSND_OK);
        assert_int_equal(dsnd_buf_add(&out, DSND_STR(",\r\n")), DSND_OK);
        rest = dsnd_buf_str(&out);
        assert_int_equal(csv_in_record(&rest, &arena, &record), DSND_OK);
        assert_int_equal(record.count, 2);
        if (!dsnd_str_eq(record.cell[0], dsnd_str_make(text, len)))
            fail_msg("%.*s became %.*s", (int)len, text, DSND_STR_ARG(record.cell[0]));
        dsnd_buf_done(&out);
        dsnd_arena_done(&arena);
    }
}

static void times_of_the_database_are_printed_as_rfc_3339(void **state)
{
    char text[ROWS_OUT_TIME_SIZE];

    (void)state;
    assert_str(rows_out_time(DSND_STR("2026-11-23 10:00:00+00"), text), "2026-11-23T10:00:00Z");
    assert_str(rows_out_time(DSND_STR("2026-11-23 10:00:00.5+00"), text), "2026-11-23T10:00:00.5Z");
    assert_str(rows_out_time(DSND_STR_ABSENT, text), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped_and_bad_octets_replaced),
        cmocka_unit_test(commas_and_nesting_are_right),
        cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(members_are_read_by_their_types_and_null_is_given_but_empty),
        cmocka_unit_test(a_bad_member_is_named_with_what_is_allowed),
        cmocka_unit_test(a_rate_is_null_where_its_denominator_cannot_be_right),
        cmocka_unit_test(cells_are_quoted_and_formulas_defused),
        cmocka_unit_test(records_of_csv_are_cut_off_one_by_one),
        cmocka_unit_test(a_cell_is_read_as_it_was_printed),
        cmocka_unit_test(times_of_the_database_are_printed_as_rfc_3339),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
