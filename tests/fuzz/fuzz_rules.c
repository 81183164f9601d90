/*
 * Classifies an arbitrary text by the built-in rules, and reads arbitrary octets as a rules file.
 * Properties: every failure gets a class, a rule or none, and a matched text; the same text gives
 * the same again; a rules file is taken or refused with words.
 */
#include <stdlib.h>
#include <string.h>

#include "parse/rules.h"
#include "parse/status_code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rule_set *rules;
static struct rule_scratch *scratch;

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void load(void)
{
    if (rules)
        return;
    require(rule_set_builtin(&rules) == DSND_OK);
    require(rule_scratch_new(rules, &scratch) == DSND_OK);
}

static void classify(struct dsnd_str text, struct dsnd_arena *arena,
                     struct report_recipient *ret_recipient)
{
    struct status_reply reply = status_reply_find(text);

    *ret_recipient = (struct report_recipient){.action = REPORT_ACTION_FAILED,
                                               .diagnostic = text,
                                               .recipient = DSND_STR("a@gmail.com"),
                                               .smtp_code = reply.code,
                                               .smtp_status = reply.status};
    require(rules_classify(rules, scratch, REPORT_KIND_DSN, text, arena, ret_recipient) == DSND_OK);
    require(ret_recipient->klass > REPORT_CLASS_NONE && ret_recipient->klass < REPORT_CLASS_COUNT);
    require(report_class_name(ret_recipient->klass) != NULL);
}

static void check_file(struct dsnd_str text)
{
    char error[300] = "";
    struct rule_set *own = NULL;
    enum dsnd_err err = rule_set_from_text(text, error, sizeof(error), &own);

    require(err == DSND_OK ? own != NULL : error[0] != '\0');
    rule_set_free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsnd_str text = dsnd_str_make((const char *)data, size);
    struct dsnd_arena arena = DSND_ARENA_INIT(1 << 24);
    struct report_recipient one;
    struct report_recipient two;

    load();
    if (dsnd_str_starts(text, DSND_STR("["))) {
        check_file(text);
    } else {
        classify(text, &arena, &one);
        classify(text, &arena, &two);
        require(one.klass == two.klass && one.retry_after_s == two.retry_after_s);
        require(dsnd_str_eq(one.rule, two.rule) && dsnd_str_eq(one.matched, two.matched));
    }
    dsnd_arena_done(&arena);
    return 0;
}
