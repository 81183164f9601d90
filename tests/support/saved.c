#include "tests/support/saved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/support/db.h"
#include "tests/support/items.h"

#define SAVE(name, query) "CREATE TABLE %s." name " AS " query ";"
#define SEQUENCE                                            \
    "(SELECT r.sequence || '.' || s.ordinal FROM status s " \
    "JOIN report r ON r.id = s.report_id WHERE s.id = "
#define COUNTS                                                                                  \
    "sent, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, " \
    "statuses, proven"
#define SOME " WHERE (" COUNTS ") <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
#define KEY "(SELECT key FROM campaign c WHERE c.id = t.campaign_id) AS campaign"

static const char *const tables[] = {"status",     "report",    "delivery",   "hour",
                                     "everywhere", "breakdown", "campaigns",  "hit",
                                     "guard",      "strike",    "suppression"};

void saved_take(const char *schema)
{
    static const char *const queries[] = {
        "SELECT r.sequence, t.ordinal, " KEY ", t.ref, t.recipient_key, t.recipient, "
        "t.proven_recipient, t.final_recipient, t.original_recipient, t.action, t.class, t.cause, "
        "t.permanence, t.fault, t.evidence, t.smtp_code, t.status, t.smtp_status, t.provider, "
        "t.diagnostic, t.rule, t.matched, t.rules_version, t.blocklist, t.incident_key, "
        "t.received_at "
        "FROM status t JOIN report r ON r.id = t.report_id",
        "SELECT t.sequence, " KEY ", t.recipients, t.kind, t.feedback, t.attribution, t.evidence, "
        "t.subject, t.rules_version, (SELECT w.campaign_id = t.campaign_id FROM report_raw w "
        "WHERE w.id = t.id) AS raw FROM report t",
        "SELECT " KEY ", t.ref, t.state, t.class, t.kind, t.provider, t.outcome_at, " SEQUENCE
        "t.status_id) AS decided, t.delayed_at, t.delayed_class, t.delayed_provider, "
        "t.complained_at, t.complained_provider FROM delivery t",
        "SELECT " KEY ", hour, provider, class, " COUNTS " FROM total_hour t" SOME,
        "SELECT hour, provider, class, " COUNTS " FROM total_hour_all t" SOME,
        "SELECT " KEY ", provider, class, " COUNTS " FROM total_breakdown t" SOME,
        "SELECT " KEY ", " COUNTS " FROM total_campaign t" SOME,
        "SELECT " KEY ", day, rule, rules_version, hits FROM rule_hit t",
        "SELECT " KEY ", provider, hour, signature, failures FROM suppression_guard t",
        "SELECT address_hash, class, " KEY ", ref, at, " SEQUENCE "t.status_id) AS decided "
        "FROM suppression_strike t",
        "SELECT address_hash, address, " KEY ", ref, class, evidence, source, pending, note, "
        "caused_at, expires_at IS NULL AS lasts, (SELECT array_agg(" SEQUENCE
        "i) ORDER BY o) FROM unnest(t.status_ids) WITH ORDINALITY u(i, o)) AS decided "
        "FROM suppression t",
    };
    char sql[4096];

    assert_true(snprintf(sql, sizeof(sql), "DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s",
                         schema, schema) > 0);
    db_exec(sql);
    for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
        assert_true(snprintf(sql, sizeof(sql), "CREATE TABLE %s.%s AS %s", schema, tables[i],
                             queries[i]) < (int)sizeof(sql));
        db_exec(sql);
    }
}

void saved_empty(void)
{
    db_exec("TRUNCATE campaign, delivery, report, report_raw, status, report_seen, rule_hit, "
            "total_campaign, total_breakdown, total_hour, total_hour_all, total_cohort, "
            "total_roll, total_delay, total_delay_slot, journal_position, "
            "suppression, suppression_strike, suppression_change, suppression_guard, "
            "suppression_again, reclassify_run, reclassify_address; UPDATE suppression_clock SET "
            "seq = 0; "
            "INSERT INTO campaign (id, key) OVERRIDING SYSTEM VALUE VALUES (0, '')");
}

void saved_compare(const char *schema)
{
    char sql[1024];

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        const char *t = tables[i];

        assert_true(
            snprintf(sql, sizeof(sql),
                     "SELECT coalesce((SELECT string_agg(x, E'\\n') FROM ((SELECT "
                     "'lacks ' || t::text AS x FROM expected.%s t EXCEPT SELECT 'lacks ' || "
                     "t::text FROM %s.%s t) UNION ALL (SELECT 'has ' || t::text FROM %s.%s "
                     "t EXCEPT SELECT 'has ' || t::text FROM expected.%s t) LIMIT 8) d), '')",
                     t, schema, t, schema, t, t) < (int)sizeof(sql));
        if (db_text(sql)[0])
            fail_msg("%s %s", t, db_text(sql));
        assert_true(snprintf(sql, sizeof(sql),
                             "SELECT (SELECT count(*) FROM expected.%s) - (SELECT count(*) FROM "
                             "%s.%s)",
                             t, schema, t) > 0);
        assert_int_equal(db_int(sql), 0);
    }
}

void saved_check(void)
{
    saved_take("found");
    saved_compare("found");
    items_check_totals();
    assert_int_equal(db_int("SELECT count(*) - coalesce(max(seq), 0) FROM suppression_change"), 0);
    assert_int_equal(db_int("SELECT count(*) FROM reclassify_address"), 0);
}
