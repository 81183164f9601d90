/*
 * What the targets for bodies of reports share: the body behind a fixed header, through the whole
 * parser, and what must hold of the report.
 */
#ifndef DSND_TESTS_FUZZ_REPORT_H
#define DSND_TESTS_FUZZ_REPORT_H

#include <stdlib.h>
#include <string.h>

#include "parse/parse.h"
#include "parse/rules.h"

enum { FUZZ_MESSAGE_MAX = 1 << 16, FUZZ_ARENA_MAX = 1 << 26 };

static inline void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static inline struct parser *fuzz_parser(void)
{
    static struct parser *parser;
    struct rule_set *rules;

    if (!parser) {
        require(rule_set_builtin(&rules) == DSND_OK);
        require(parser_new(&parse_limits_default, rules, DSND_STR("X-Campaign-ID"), &parser) ==
                DSND_OK);
    }
    return parser;
}

static inline void fuzz_check(const struct report *report)
{
    require(report->recipient_count <= parse_limits_default.recipients);
    for (size_t i = 0; i < report->recipient_count; i++) {
        const struct report_recipient *one = &report->recipients[i];

        require(one->diagnostic.len <= parse_limits_default.diagnostic_octets);
        require(one->recipient.len <= 2 * parse_limits_default.address_octets);
        require(one->smtp_code < 600);
        if (one->action == REPORT_ACTION_FAILED || one->action == REPORT_ACTION_DELAYED)
            require(one->klass != REPORT_CLASS_NONE);
    }
}

/* `header` ends in an empty line; a body too long for the buffer is left alone. */
static inline void fuzz_body(const char *header, const uint8_t *data, size_t size)
{
    static char message[FUZZ_MESSAGE_MAX];
    struct dsnd_arena arena = DSND_ARENA_INIT(FUZZ_ARENA_MAX);
    size_t len = strlen(header);
    struct report report;

    if (size > sizeof(message) - len)
        return;
    memcpy(message, header, len);
    memcpy(message + len, data, size);
    require(parser_run(fuzz_parser(), dsnd_str_make(message, len + size), &arena, &report) ==
            DSND_OK);
    fuzz_check(&report);
    dsnd_arena_done(&arena);
}

#endif
