/*
 * Stores reports as the pipeline would, for tests of the API: reads a report a line from standard
 * input, tab-separated `name=value`, and writes batches into the database of db_url().
 *
 *   campaign=spring  for=a@b.example  action=failed  class=mailbox_unknown  at=1795428000
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/support/db.h"
#include "tests/support/items.h"

static const char journal[] = "5eed5eed5eed5eed5eed5eed5eed5eed";

static enum report_action read_action(struct dsnd_str name)
{
    for (int action = REPORT_ACTION_FAILED; action <= REPORT_ACTION_EXPANDED; action++)
        if (dsnd_str_eq(name, dsnd_str_of(report_action_name((enum report_action)action))))
            return (enum report_action)action;
    fail_msg("unknown action %.*s", DSND_STR_ARG(name));
    return REPORT_ACTION_NONE;
}

static void read_text(struct item_spec *spec, struct dsnd_str name, const char *value)
{
    const struct {
        const char *name;
        const char **member;
    } texts[] = {
        {"campaign", &spec->signed_campaign},
        {"for", &spec->signed_for},
        {"ref", &spec->signed_ref},
        {"to", &spec->to},
        {"recipient", &spec->recipient},
        {"original", &spec->original},
        {"final", &spec->final_recipient},
        {"provider", &spec->provider},
        {"diagnostic", &spec->diagnostic},
        {"blocklist", &spec->blocklist},
        {"reporting_mta", &spec->reporting_mta},
        {"subject", &spec->subject},
        {"envelope_id", &spec->envelope_id},
        {"returned_id", &spec->returned_id},
        {"hint", &spec->hint},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (dsnd_str_eq(name, dsnd_str_of(texts[i].name))) {
            *texts[i].member = value;
            return;
        }
    fail_msg("unknown name %.*s", DSND_STR_ARG(name));
}

static void read_pair(struct item_spec *spec, char *pair)
{
    char *value = strchr(pair, '=');
    struct dsnd_str name = dsnd_str_make(pair, value ? (size_t)(value - pair) : 0);

    assert_non_null(value);
    if (!value)
        return;
    value++;
    if (dsnd_str_eq(name, DSND_STR("action")))
        spec->action = read_action(dsnd_str_of(value));
    else if (dsnd_str_eq(name, DSND_STR("class")))
        assert_int_equal(report_class_from(dsnd_str_of(value), &spec->klass), DSND_OK);
    else if (dsnd_str_eq(name, DSND_STR("permanent")))
        spec->permanence =
            strcmp(value, "yes") == 0 ? REPORT_PERMANENCE_PERMANENT : REPORT_PERMANENCE_TRANSIENT;
    else if (dsnd_str_eq(name, DSND_STR("complaint"))) {
        spec->kind = REPORT_KIND_ARF;
        spec->feedback = REPORT_FEEDBACK_ABUSE;
    } else if (dsnd_str_eq(name, DSND_STR("at")))
        spec->us = strtoll(value, NULL, 10) * 1000000;
    else if (dsnd_str_eq(name, DSND_STR("body")))
        spec->body = (int)strtol(value, NULL, 10);
    else
        read_text(spec, name, value);
}

static void add_line(struct items *items, const char *line)
{
    struct item_spec spec = {0};
    struct dsnd_str copy;
    char *rest;
    char *pair;

    assert_int_equal(dsnd_arena_copy(&items->arena, dsnd_str_of(line), &copy), DSND_OK);
    rest = dsnd_arena_alloc(&items->arena, copy.len + 1);
    assert_non_null(rest);
    memcpy(rest, copy.ptr, copy.len);
    rest[copy.len] = '\0';
    while ((pair = strsep(&rest, "\t\n")))
        if (*pair)
            read_pair(&spec, pair);
    items_add(items, &spec);
}

int main(void)
{
    struct store_conn *conn = items_connect();
    struct store_journal_position position;
    char *line = NULL;
    size_t size = 0;
    bool more = true;

    assert_int_equal(store_position_get(conn, journal, &position), DSND_OK);
    while (more) {
        struct items *items = items_new();

        items->next_sequence = position.sequence + 1;
        while (items->count < ITEMS_MAX && (more = getline(&line, &size, stdin) > 0))
            add_line(items, line);
        if (items->count)
            (void)items_write(conn, journal, items);
        position.sequence += items->count;
        items_free(items);
    }
    free(line);
    store_conn_free(conn);
    return 0;
}
