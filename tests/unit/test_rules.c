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

/* ---- the check of an operator's file ---- */

#define RULE(id, match, test) "[" id "]\nclass: throttled\nmatch: " match "\n" test "\n"
#define FIRST RULE("own/first", "come back", "test: come back later")

static const struct {
    const char *text;
    const char *words; /* of the only problem, or of the error; "": it is good */
    size_t count;      /* of problems; 0: the file cannot be read, or is good */
} files[] = {
    {FIRST, "", 0},
    {FIRST RULE("own/next", "later", "test: come back later"),
     "line 6: [own/next] is unreachable: rules before it decide all its tests", 2},
    {FIRST RULE("own/next", "later", "test: come back later\ntest: later"),
     "line 9: [own/next] this test is decided by [own/first] of line 2", 1},
    {RULE("own/wrong", "come back", "test: go away"), "[own/wrong] no rule matches this test", 1},
    {RULE("own/bare", "come back", ""), "line 2: [own/bare] has no test", 1},
    {RULE("own/broken", "come (back", "test: come (back"),
     "line 2: rule own/broken: missing closing parenthesis", 0},
    {"[own/class]\nclass: nonsense\n", "line 3", 0},
    {"[own/word]\nclazz: throttled\n", "line 3", 0},
};

static void check_file(const char *rules, const char *words, size_t expected)
{
    struct dsnd_buf problems = DSND_BUF_INIT(1 << 20);
    char text[1024];
    char error[256] = "";
    struct rule_set *set = NULL;
    size_t count = 0;
    enum dsnd_err err;

    assert_true(snprintf(text, sizeof(text), "version: own\n%s", rules) < (int)sizeof(text));
    err = rule_set_from_text(dsnd_str_of(text), error, sizeof(error), &set);
    if (!err)
        assert_int_equal(rule_set_check(set, &problems, &count), DSND_OK);
    if (count != expected || (words[0] && !err && !count) ||
        (err ? !strstr(error, words)
             : dsnd_str_find(dsnd_buf_str(&problems), dsnd_str_of(words)) == SIZE_MAX && words[0]))
        fail_msg("\"%s\": %zu problems, not %zu with \"%s\"; %s%.*s", rules, count, expected, words,
                 error, DSND_STR_ARG(dsnd_buf_str(&problems)));
    rule_set_free(set);
    dsnd_buf_done(&problems);
}

static void what_is_wrong_with_a_rules_file_is_named_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        check_file(files[i].text, files[i].words, files[i].count);
}

/* ---- providers ---- */

static const struct {
    const char *host;
    const char *family; /* NULL: none */
} hosts[] = {
    {"aspmx.l.google.com", "google"},
    {"ALT1.GMAIL-SMTP-IN.L.GOOGLE.COM.", "google"},
    {"example-com.mail.protection.outlook.com", "microsoft"},
    {"hotmail-com.olc.protection.outlook.com", "microsoft"},
    {"example-cn.mail.protection.partner.outlook.cn", "microsoft"},
    {"example.mail.protection.office365.us", "microsoft"},
    {"x.x-v1.mx.microsoft", "microsoft"},
    {"mta5.am0.yahoodns.net", "yahoo"},
    {"aol.com", "yahoo"},
    {"mx01.mail.icloud.com", "apple"},
    {"mx00.gmx.net", "gmx"},
    {"web.de", "gmx"},
    {"mx00.kundenserver.de", "gmx"},
    {"mx01.ionos.de", "gmx"},
    {"smtp-in.orange.fr", "orange"},
    {"wanadoo.fr", "orange"},
    {"mxs.mail.ru", "mailru"},
    {"mx.yandex.ru", "yandex"},
    {"mx1.qq.com", "tencent"},
    {"163mx00.mxmail.netease.com", "netease"},
    {"mx1.comcast.net", "comcast"},
    {"mxa-000.gslb.pphosted.com", "proofpoint"},
    {"mx1-us1.ppe-hosted.com", "proofpoint"},
    {"eu-smtp-inbound-1.mimecast.com", "mimecast"},
    {"d1.a.ess.barracudanetworks.com", "barracuda"},
    {"esa1.hc1.iphmx.com", "ironport"},
    {"cluster1.eu.messagelabs.com", "messagelabs"},
    {"in.hes.trendmicro.eu", "trendmicro"},
    {"mx-01.prod.hydra.sophos.com", "sophos"},
    {"mail.reflexion.net", "sophos"},
    {"libero.it", "libero"},
    {"t-online.de", "telekom"},
    {"mx1.free.fr", "free"},
    {"sfr.fr", "sfr"},
    {"smtp-in.laposte.net", "laposte"},
    {"mx1.seznam.cz", "seznam"},
    {"mx.zoho.com", "zoho"},
    {"in1-smtp.messagingengine.com", "fastmail"},
    {"mail.protonmail.ch", "proton"},
    {"mx1.emailsrvr.com", "rackspace"},
    {"mx1.mail.ovh.net", "ovh"},
    {"mx1.naver.com", "naver"},
    {"hanmail.net", "daum"},
    {"docomo.ne.jp", "docomo"},
    {"ezweb.ne.jp", "kddi"},
    {"i.softbank.jp", "softbank"},
    {"ymobile.ne.jp", "softbank"},
    {"notgoogle.com", NULL},
    {"google.com.evil.example", NULL},
    {"", NULL},
};

static void hosts_belong_to_families(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct dsnd_str family = provider_of(NULL, dsnd_str_of(hosts[i].host));

        if (!dsnd_str_eq(family, dsnd_str_of(hosts[i].family)))
            fail_msg("%s: %.*s", hosts[i].host, DSND_STR_ARG(family));
    }
}

static void an_operator_adds_families_and_hosts(void **state)
{
    static const char text[] = "# ours\n\nacme mx.acme.example ACME.*\n"
                               "google custom-mx.example # a gateway of theirs\nown gmail.com\n";
    static const struct {
        const char *host;
        const char *family;
    } rows[] = {
        {"in.mx.acme.example", "acme"}, {"acme.co.uk", "acme"},   {"x.custom-mx.example", "google"},
        {"gmail.com", "own"},           {"google.com", "google"}, {"acme.example", NULL},
    };
    struct provider_set *set = NULL;
    struct rule_set *rules = NULL;
    char error[256] = "";

    (void)state;
    assert_int_equal(provider_set_read(dsnd_str_of(text), error, sizeof(error), &set), DSND_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dsnd_str family = provider_of(set, dsnd_str_of(rows[i].host));

        if (!dsnd_str_eq(family, dsnd_str_of(rows[i].family)))
            fail_msg("%s: %.*s", rows[i].host, DSND_STR_ARG(family));
    }
    /* Rules may name them, and the version tells the files apart. */
    assert_int_equal(rule_set_make(DSND_STR("[own/acme]\nclass: throttled\nprovider: acme\n"
                                            "match: slow down\ntest: slow down\n"),
                                   set, error, sizeof(error), &rules),
                     DSND_OK);
    assert_true(dsnd_str_chr(rule_set_version(rules), '+') != SIZE_MAX);
    rule_set_free(rules);
}

static void what_is_wrong_with_a_providers_file_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"ok a.example\nACME a.example\n", "line 2: a line begins with the name of a family"},
        {"acme\n", "line 1: a family is followed by its domains"},
        {"acme a..example\n", "\"a..example\" is no domain"},
        {"acme *.example\n", "\"*.example\" is no domain"},
        {"acme a.b.*\n", "\"a.b.*\" is no domain"},
        {"acme a_b.example\n", "letters, digits, - and ."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct provider_set *set = NULL;
        char error[256] = "";

        assert_int_equal(provider_set_read(dsnd_str_of(rows[i].text), error, sizeof(error), &set),
                         DSND_ERR_SYNTAX);
        if (!strstr(error, rows[i].words))
            fail_msg("%s: %s", rows[i].text, error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_builtin_rule_decides_its_test_texts),
        cmocka_unit_test(what_is_wrong_with_a_rules_file_is_named_with_its_line),
        cmocka_unit_test(hosts_belong_to_families),
        cmocka_unit_test(an_operator_adds_families_and_hosts),
        cmocka_unit_test(what_is_wrong_with_a_providers_file_is_named_with_its_line),
    };

    return cmocka_run_group_tests(tests, load_builtin, free_builtin);
}
