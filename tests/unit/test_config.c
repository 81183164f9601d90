#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"

struct sample {
    char listen[CONFIG_STRING_SIZE];
    bool strict;
    uint64_t size;
    uint64_t wait;
    uint64_t count;
    int level;
};

static const char *const levels[] = {"low", "high", NULL};
static const struct config_option options[] = {
    {"net", "listen", CONFIG_STRING, offsetof(struct sample, listen), "a:1", 0, 0, NULL, "", NULL},
    {"net", "strict", CONFIG_BOOL, offsetof(struct sample, strict), "no", 0, 0, NULL, "", NULL},
    {"net", "max_size", CONFIG_OCTETS, offsetof(struct sample, size), "20M", 1024, 1u << 30, NULL,
     "", NULL},
    {"time", "wait", CONFIG_DURATION, offsetof(struct sample, wait), "300s", 0, 86400000, NULL, "",
     NULL},
    {"time", "count", CONFIG_COUNT, offsetof(struct sample, count), "7", 1, 9, NULL, "", NULL},
    {"time", "level", CONFIG_CHOICE, offsetof(struct sample, level), "low", 0, 0, levels, "", NULL},
};

static enum dsnd_err load(const char *text, char *const *envp, struct sample *sample, char *error)
{
    char path[] = "/tmp/dsnd-test-config-XXXXXX";
    int fd = mkstemp(path);
    struct config_error e;
    enum dsnd_err err;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    err = config_load(options, ROWS(options), path, envp, sample, &e);
    unlink(path);
    assert_int_equal(dsnd_str_copy(dsnd_str_of(e.text), error, sizeof(e.text)), DSND_OK);
    return err;
}

static void defaults_then_file_then_environment(void **state)
{
    char *envp[] = {(char[]){"DSND_TIME_COUNT=9"}, (char[]){"DSND_TOKEN=left alone"},
                    (char[]){"DSND_NET_MAX_SIZE=3K"}, (char[]){"PATH=/bin"}, NULL};
    struct sample s;
    char error[1024];

    (void)state;
    assert_int_equal(load("# comment\n[net]\r\nlisten = b:2 \n max_size=1M\n[time]\nwait=2m\n"
                          "count = 3\nlevel=HIGH\n",
                          envp, &s, error),
                     DSND_OK);
    assert_string_equal(s.listen, "b:2");
    assert_false(s.strict);
    assert_int_equal(s.size, 3 * 1024);
    assert_int_equal(s.wait, 120000);
    assert_int_equal(s.count, 9);
    assert_int_equal(s.level, 1);
}

static void every_mistake_names_its_place_and_what_is_allowed(void **state)
{
    static const struct {
        const char *text;
        const char *says; /* part of the error */
    } rows[] = {
        {"listen=x\n", ":1: \"listen\" stands before any [section]"},
        {"[net]\nlistne=x\n", ":2: unknown key \"listne\" in [net]; allowed are: listen, strict"},
        {"\n[nett]\n", ":2: unknown section \"[nett]\"; allowed are: net, time"},
        {"[net\n", "unknown section"},
        {"[net]\nstrict=maybe\n", "net.strict: \"maybe\" is none of: yes, no"},
        {"[net]\nmax_size=20X\n", "net.max_size: \"20X\" is not a size"},
        {"[net]\nmax_size=1\n", "1024 to 1073741824 octets"},
        {"[net]\nmax_size=99999999999999999999G\n", "is not a size"},
        {"[time]\nwait=5\n", "is not a time"},
        {"[time]\nwait=-5s\n", "is not a time"},
        {"[time]\nwait=2d\n", "0 to 86400000 milliseconds"},
        {"[time]\ncount=0\n", "1 to 9"},
        {"[time]\ncount=1.5\n", "is not a whole number"},
        {"[time]\nlevel=mid\n", "\"mid\" is none of: low, high"},
        {"[time]\ncount=1\n\n[time]\nCOUNT=2\n", ":5: time.count: was set on line 2 already"},
        {"[time]\ngarbage\n", "neither [section] nor key = value"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct sample s;
        char error[1024];

        assert_int_not_equal(load(rows[i].text, NULL, &s, error), DSND_OK);
        if (!strstr(error, rows[i].says))
            fail_msg("row %zu: \"%s\" lacks \"%s\"", i, error, rows[i].says);
    }
}

static void unknown_key_of_a_known_section_in_the_environment_is_an_error(void **state)
{
    char *envp[] = {(char[]){"DSND_NET_LISTNE=x"}, NULL};
    struct sample s;
    char error[1024];

    (void)state;
    assert_int_equal(load("", envp, &s, error), DSND_ERR_SYNTAX);
    assert_non_null(strstr(error, "environment DSND_NET_LISTNE: unknown key"));
}

static void zero_needs_no_unit_and_ms_is_not_s(void **state)
{
    struct sample s;
    char error[1024];

    (void)state;
    assert_int_equal(load("[time]\nwait=0\n", NULL, &s, error), DSND_OK);
    assert_int_equal(s.wait, 0);
    assert_int_equal(load("[time]\nwait=25ms\n", NULL, &s, error), DSND_OK);
    assert_int_equal(s.wait, 25);
}

static void missing_file_is_named(void **state)
{
    struct sample s;
    struct config_error e;

    (void)state;
    assert_int_equal(config_load(options, ROWS(options), "/nonexistent/x.conf", NULL, &s, &e),
                     DSND_ERR_IO);
    assert_non_null(strstr(e.text, "/nonexistent/x.conf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_then_file_then_environment),
        cmocka_unit_test(every_mistake_names_its_place_and_what_is_allowed),
        cmocka_unit_test(unknown_key_of_a_known_section_in_the_environment_is_an_error),
        cmocka_unit_test(zero_needs_no_unit_and_ms_is_not_s),
        cmocka_unit_test(missing_file_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
