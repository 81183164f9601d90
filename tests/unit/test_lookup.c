#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lookup/answer.h"
#include "lookup/question.h"

#define A100                                                                                       \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaa"
#define A1000 A100 A100 A100 A100 A100 A100 A100 A100 A100 A100
#define A1024 A1000 "aaaaaaaaaaaaaaaaaaaaaaaa"

/* What is sent, whether the client ends with it, what is read first, and what is left behind it. */
static const struct {
    const char *name;
    enum lookup_protocol protocol;
    bool ended;
    struct dsnd_str in;
    enum lookup_read got;
    enum lookup_map map;
    const char *key; /* or why it has no answer */
    const char *rest;
} questions[] = {
    {"access", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("14:access a@b.org,"), LOOKUP_READ_QUESTION,
     LOOKUP_MAP_ACCESS, "a@b.org", ""},
    {"transport, more behind it", LOOKUP_SOCKETMAP, false,
     DSND_STR_INIT("17:transport a@b.org,14:acc"), LOOKUP_READ_QUESTION, LOOKUP_MAP_TRANSPORT,
     "a@b.org", "14:acc"},
    {"suppressed", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("18:suppressed a@b.org,"),
     LOOKUP_READ_QUESTION, LOOKUP_MAP_SUPPRESSED, "a@b.org", ""},
    {"key with blanks", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("18:access \"a b\"@b.org,"),
     LOOKUP_READ_QUESTION, LOOKUP_MAP_ACCESS, "\"a b\"@b.org", ""},
    {"empty key", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("7:access ,"), LOOKUP_READ_QUESTION,
     LOOKUP_MAP_ACCESS, "", ""},
    {"longest", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("1007:access " A1000 ","),
     LOOKUP_READ_QUESTION, LOOKUP_MAP_ACCESS, A1000, ""},
    {"unknown map", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("14:Access a@b.org,1:x"),
     LOOKUP_READ_REFUSED, 0, "no such map: access, transport or suppressed", "1:x"},
    {"name alone", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("6:access,"), LOOKUP_READ_REFUSED, 0,
     "request is not: name, space, key", ""},
    {"empty", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("0:,"), LOOKUP_READ_REFUSED, 0,
     "request is not: name, space, key", ""},
    {"too long", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("1025:"), LOOKUP_READ_BAD, 0,
     "request longer than 1024 octets", NULL},
    {"far too long", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("99999"), LOOKUP_READ_BAD, 0,
     "request longer than 1024 octets", NULL},
    {"leading zero", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("014:access a@b.org,"), LOOKUP_READ_BAD,
     0, "not a netstring", NULL},
    {"no length", LOOKUP_SOCKETMAP, false, DSND_STR_INIT(":"), LOOKUP_READ_BAD, 0,
     "not a netstring", NULL},
    {"no comma", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("14:access a@b.org;"), LOOKUP_READ_BAD, 0,
     "not a netstring", NULL},
    {"HTTP", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("GET"), LOOKUP_READ_BAD, 0, "not a netstring",
     NULL},
    {"negative", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("-1:"), LOOKUP_READ_BAD, 0,
     "not a netstring", NULL},
    {"not whole", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("14:access a@b.org"), LOOKUP_READ_MORE, 0,
     NULL, NULL},
    {"cut off", LOOKUP_SOCKETMAP, true, DSND_STR_INIT("14:access a@b.org"), LOOKUP_READ_MORE, 0,
     NULL, NULL},

    {"get", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get a@b.org\nget x"), LOOKUP_READ_QUESTION,
     LOOKUP_MAP_ACCESS, "a@b.org", "get x"},
    {"get with CR", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get a@b.org\r\n"), LOOKUP_READ_QUESTION,
     LOOKUP_MAP_ACCESS, "a@b.org", ""},
    {"coded", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get %22a%20b%22%40b.org%25\n"),
     LOOKUP_READ_QUESTION, LOOKUP_MAP_ACCESS, "\"a b\"@b.org%", ""},
    {"lower case code", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get a%2bc%2Bd\n"),
     LOOKUP_READ_QUESTION, LOOKUP_MAP_ACCESS, "a+c+d", ""},
    {"empty get", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get \n"), LOOKUP_READ_QUESTION,
     LOOKUP_MAP_ACCESS, "", ""},
    {"put", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("put a b\nget x\n"), LOOKUP_READ_REFUSED, 0,
     "this table cannot be written", "get x\n"},
    {"code cut short", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get a%2\n"), LOOKUP_READ_BAD, 0,
     "a % is not followed by two hexadecimal digits", NULL},
    {"code of no digits", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get a%2g@b\n"), LOOKUP_READ_BAD,
     0, "a % is not followed by two hexadecimal digits", NULL},
    {"other verb", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("GET / HTTP/1.1\n"), LOOKUP_READ_BAD, 0,
     "request is not: get, space, key", NULL},
    {"line too long", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get " A1024), LOOKUP_READ_BAD, 0,
     "request longer than 1024 octets", NULL},
    {"line cut off", LOOKUP_TCP_TABLE, true, DSND_STR_INIT("get a@b.org"), LOOKUP_READ_MORE, 0,
     NULL, NULL},

    {"address", LOOKUP_READSOCKET, false, DSND_STR_INIT("a@b.org\n"), LOOKUP_READ_QUESTION,
     LOOKUP_MAP_ACCESS, "a@b.org", ""},
    {"address without an end", LOOKUP_READSOCKET, true, DSND_STR_INIT(" a@b.org "),
     LOOKUP_READ_QUESTION, LOOKUP_MAP_ACCESS, "a@b.org", ""},
    {"end to come", LOOKUP_READSOCKET, false, DSND_STR_INIT("a@b.org"), LOOKUP_READ_MORE, 0, NULL,
     NULL},
    {"in brackets", LOOKUP_READSOCKET, false, DSND_STR_INIT("<a@b.org>\n"), LOOKUP_READ_REFUSED, 0,
     "key is not an address alone", ""},
    {"list", LOOKUP_READSOCKET, false, DSND_STR_INIT("a@b.org,c@d.org;\n"), LOOKUP_READ_REFUSED, 0,
     "key is not an address alone", ""},
    {"name and address", LOOKUP_SOCKETMAP, false, DSND_STR_INIT("18:access A <a@b.org>,x"),
     LOOKUP_READ_REFUSED, 0, "key is not an address alone", "x"},
    {"coded brackets", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get %3Ca@b.org%3E\nx"),
     LOOKUP_READ_REFUSED, 0, "key is not an address alone", "x"},
    {"quoted brackets", LOOKUP_READSOCKET, false, DSND_STR_INIT("\"<a>,\"@b.org\n"),
     LOOKUP_READ_QUESTION, LOOKUP_MAP_ACCESS, "\"<a>,\"@b.org", ""},
    {"bare brackets", LOOKUP_TCP_TABLE, false, DSND_STR_INIT("get <>\n"), LOOKUP_READ_QUESTION,
     LOOKUP_MAP_ACCESS, "<>", ""},
    {"nothing", LOOKUP_READSOCKET, true, DSND_STR_INIT(""), LOOKUP_READ_MORE, 0, NULL, NULL},
    {"longest address", LOOKUP_READSOCKET, false, DSND_STR_INIT(A1024 "\n"), LOOKUP_READ_QUESTION,
     LOOKUP_MAP_ACCESS, A1024, ""},
    {"address too long", LOOKUP_READSOCKET, false, DSND_STR_INIT(A1024 "a"), LOOKUP_READ_BAD, 0,
     "request longer than 1024 octets", NULL},
};

static enum lookup_read read_one(size_t row, struct dsnd_str *in, bool ended,
                                 struct lookup_question *question, const char **why)
{
    *question = (struct lookup_question){.map = LOOKUP_MAP_ACCESS};
    *why = NULL;
    return lookup_question_read(questions[row].protocol, ended, in, question, why);
}

static void check_read(size_t row, enum lookup_read got, struct dsnd_str rest,
                       const struct lookup_question *question, const char *why)
{
    if (got != questions[row].got)
        fail_msg("%s: read %d", questions[row].name, (int)got);
    if (got == LOOKUP_READ_QUESTION) {
        assert_int_equal(question->map, questions[row].map);
        assert_int_equal(question->key_len, strlen(questions[row].key));
        assert_memory_equal(question->key, questions[row].key, question->key_len);
    } else if (got != LOOKUP_READ_MORE) {
        assert_string_equal(why, questions[row].key);
    }
    if (questions[row].rest)
        assert_true(dsnd_str_eq(rest, dsnd_str_of(questions[row].rest)));
}

static void questions_are_read_and_what_follows_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
        struct dsnd_str rest = questions[i].in;
        struct lookup_question question;
        const char *why;
        enum lookup_read got = read_one(i, &rest, questions[i].ended, &question, &why);

        check_read(i, got, rest, &question, why);
        if (got == LOOKUP_READ_MORE)
            assert_int_equal(rest.len, questions[i].in.len);
    }
}

/* No octet is missed or counted twice, wherever the network cut. */
static void questions_may_come_octet_by_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
        size_t whole = questions[i].in.len - (questions[i].rest ? strlen(questions[i].rest) : 0);
        enum lookup_read got = LOOKUP_READ_MORE;

        for (size_t len = 0; got == LOOKUP_READ_MORE && len <= questions[i].in.len; len++) {
            struct dsnd_str rest = dsnd_str_slice(questions[i].in, 0, len);
            bool ended = questions[i].ended && len == questions[i].in.len;
            struct lookup_question question;
            const char *why;

            got = read_one(i, &rest, ended, &question, &why);
            if (got == LOOKUP_READ_MORE)
                assert_int_equal(rest.len, len);
            else if (got == LOOKUP_READ_QUESTION || got == LOOKUP_READ_REFUSED)
                assert_int_equal(len, whole);
        }
        if (got != questions[i].got)
            fail_msg("%s: read %d", questions[i].name, (int)got);
    }
}

static void only_an_address_is_looked_up(void **state)
{
    static const struct {
        const char *key;
        bool is;
    } keys[] = {
        {"a@b.org", true},    {"\"a b\"@b.org", true}, {"a@b@c.org", true}, {"", false},
        {"b.org", false},     {".org", false},         {"a@", false},       {"@b.org", false},
        {"a\n@b.org", false}, {"a\177@b.org", false},  {"*", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        struct lookup_question question = {.key_len = strlen(keys[i].key)};

        memcpy(question.key, keys[i].key, question.key_len);
        if (lookup_question_is_address(&question) != keys[i].is)
            fail_msg("%s", keys[i].key);
    }
}

#define SINCE "2026-11-29T01:02:03Z"
static const struct lookup_answer answers[] = {
    {.verdict = LOOKUP_CLEAR},
    {.verdict = LOOKUP_SUPPRESSED, .cause = "mailbox_full", .since = SINCE},
    {.verdict = LOOKUP_AWAY},
    {.verdict = LOOKUP_REFUSED, .why = "a % wrong"},
};

static void answers_are_in_the_words_of_the_protocol(void **state)
{
    static const struct {
        enum lookup_protocol protocol;
        enum lookup_map map;
        const char *texts[4];
    } rows[] = {
        {LOOKUP_SOCKETMAP,
         LOOKUP_MAP_ACCESS,
         {"9:NOTFOUND ,", "67:OK REJECT 5.7.1 suppressed: mailbox_full since " SINCE ",",
          "41:TEMP suppressions cannot be looked up now,", "14:PERM a % wrong,"}},
        {LOOKUP_SOCKETMAP,
         LOOKUP_MAP_TRANSPORT,
         {"9:NOTFOUND ,", "66:OK error:5.7.1 suppressed: mailbox_full since " SINCE ",",
          "41:TEMP suppressions cannot be looked up now,", "14:PERM a % wrong,"}},
        {LOOKUP_SOCKETMAP,
         LOOKUP_MAP_SUPPRESSED,
         {"9:NOTFOUND ,", "42:OK mailbox_full since " SINCE ",",
          "41:TEMP suppressions cannot be looked up now,", "14:PERM a % wrong,"}},
        {LOOKUP_TCP_TABLE,
         LOOKUP_MAP_ACCESS,
         {"500 not%20suppressed\n",
          "200 REJECT%205.7.1%20suppressed:%20mailbox_full%20since%20" SINCE "\n",
          "400 suppressions%20cannot%20be%20looked%20up%20now\n", "400 a%20%25%20wrong\n"}},
        {LOOKUP_READSOCKET,
         LOOKUP_MAP_ACCESS,
         {"suppressed=no\n", "suppressed=yes class=mailbox_full since=" SINCE "\n",
          "suppressed=unknown reason=\"suppressions cannot be looked up now\"\n",
          "suppressed=unknown reason=\"a % wrong\"\n"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t k = 0; k < 4; k++) {
            struct dsnd_buf out = DSND_BUF_INIT(1024);

            assert_int_equal(lookup_answer_write(rows[i].protocol, rows[i].map, &answers[k], &out),
                             DSND_OK);
            assert_int_equal(dsnd_buf_add_char(&out, '\0'), DSND_OK);
            assert_string_equal(out.ptr, rows[i].texts[k]);
            dsnd_buf_done(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_read_and_what_follows_is_left),
        cmocka_unit_test(questions_may_come_octet_by_octet),
        cmocka_unit_test(only_an_address_is_looked_up),
        cmocka_unit_test(answers_are_in_the_words_of_the_protocol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
