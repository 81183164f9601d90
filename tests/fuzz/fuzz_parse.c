/*
 * Reads arbitrary octets as a message. Properties: the parser says DSND_OK, DSND_ERR_NOMEM or
 * DSND_ERR_LIMIT; a second reading gives the same recipients; each recipient has a class, unless
 * something was delivered, and texts within the limits.
 */
#include <stdlib.h>
#include <string.h>

#include "parse/parse.h"
#include "parse/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_OCTETS = 1 << 26 };

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static struct parser *shared_parser(void)
{
    static struct parser *parser;
    struct rule_set *rules;

    if (parser)
        return parser;
    require(rule_set_builtin(&rules) == DSND_OK);
    require(parser_new(&parse_limits_default, rules, DSND_STR("X-Campaign-ID"), &parser) ==
            DSND_OK);
    return parser;
}

static bool is_delivered(enum report_action action)
{
    return action == REPORT_ACTION_DELIVERED || action == REPORT_ACTION_RELAYED ||
           action == REPORT_ACTION_EXPANDED;
}

static void check_recipient(const struct report_recipient *one)
{
    require(one->diagnostic.len <= parse_limits_default.diagnostic_octets);
    require(one->recipient.len <= 2 * parse_limits_default.address_octets);
    require(one->smtp_code < 600);
    if (one->action == REPORT_ACTION_FAILED || one->action == REPORT_ACTION_DELAYED)
        require(one->klass != REPORT_CLASS_NONE);
    if (is_delivered(one->action))
        require(one->permanence == REPORT_PERMANENCE_NONE);
}

static bool is_equal(const struct report_recipient *a, const struct report_recipient *b)
{
    return a->recipient.len == b->recipient.len && a->klass == b->klass && a->action == b->action &&
           a->smtp_code == b->smtp_code &&
           (a->recipient.len == 0 ||
            memcmp(a->recipient.ptr, b->recipient.ptr, a->recipient.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsnd_str message = dsnd_str_make((const char *)data, size);
    struct dsnd_arena arenas[2] = {DSND_ARENA_INIT(ARENA_OCTETS), DSND_ARENA_INIT(ARENA_OCTETS)};
    struct report reports[2];
    enum dsnd_err err[2];

    for (size_t i = 0; i < 2; i++) {
        err[i] = parser_run(shared_parser(), message, &arenas[i], &reports[i]);
        require(err[i] == DSND_OK || err[i] == DSND_ERR_NOMEM || err[i] == DSND_ERR_LIMIT);
    }
    require(err[0] == err[1]);
    if (err[0] == DSND_OK) {
        require(reports[0].kind == reports[1].kind);
        require(reports[0].recipient_count == reports[1].recipient_count);
        for (size_t i = 0; i < reports[0].recipient_count; i++) {
            check_recipient(&reports[0].recipients[i]);
            require(is_equal(&reports[0].recipients[i], &reports[1].recipients[i]));
        }
    }
    dsnd_arena_done(&arenas[0]);
    dsnd_arena_done(&arenas[1]);
    return 0;
}
